// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/span.h"
#include "base/utility.h"
#include "kern/memory.h"
#include "shim/dma.h"

namespace mana::kern {

// Coherent, zeroed, page aligned memory that the device reads and writes. In one piece for the CPU;
// for the device in one or in pages.
//
// Freeing it while the device may still write to it corrupts memory (D-11): an owner that cannot
// rule that out hands the object to hwc::Quarantine instead of destroying it.
class DmaCoherent {
 public:
  static constexpr u32 kPage = 4096;

  // In one piece.
  static Result<DmaCoherent> allocate(::device* dev, u32 bytes) {
    u64 address = 0;
    void* memory = shim_dma_alloc(dev, bytes, &address);
    if (!memory)
      return Errno::kNoMemory;
    return DmaCoherent{dev, static_cast<u8*>(memory), address, bytes};
  }

  // Made of pages if it is large and the kernel's memory is in smaller pieces: for rings, of which
  // the device is told page by page. `bytes` is a multiple of kPage.
  static Result<DmaCoherent> allocate_ring(::device* dev, u32 bytes) {
    if (auto whole = allocate(dev, bytes); whole || bytes <= SHIM_DMA_EASY)
      return whole;
    auto addresses = TRY(Array<u64>::create(bytes / kPage, kAnyNode));
    void* memory = shim_dma_alloc_pages(dev, bytes, addresses.data());
    if (!memory)
      return Errno::kNoMemory;
    return DmaCoherent{dev, static_cast<u8*>(memory), addresses.release(), bytes};
  }

  DmaCoherent() = default;
  DmaCoherent(DmaCoherent&& other)
      : dev_{other.dev_},
        memory_{exchange(other.memory_, nullptr)},
        address_{other.address_},
        pages_{exchange(other.pages_, nullptr)},
        bytes_{exchange(other.bytes_, 0u)} {}
  DmaCoherent& operator=(DmaCoherent&& other) {
    DmaCoherent old{mana::move(*this)};
    dev_ = other.dev_;
    memory_ = exchange(other.memory_, nullptr);
    address_ = other.address_;
    pages_ = exchange(other.pages_, nullptr);
    bytes_ = exchange(other.bytes_, 0u);
    return *this;
  }
  ~DmaCoherent() {
    if (pages_) {
      shim_dma_free_pages(dev_, bytes_, memory_, pages_);
      shim_free(pages_);
    } else if (memory_) {
      shim_dma_free(dev_, bytes_, memory_, address_);
    }
  }

  explicit operator bool() const { return memory_ != nullptr; }
  u8* data() const { return memory_; }
  // Of memory in one piece.
  u64 address() const { return address_; }
  // Of the page that begins at `offset`.
  u64 page_address(u32 offset) const { return pages_ ? pages_[offset / kPage] : address_ + offset; }
  u32 bytes() const { return bytes_; }
  void clear() const { clear_bytes(memory_, bytes_); }

 private:
  static constexpr int kAnyNode = -1;

  DmaCoherent(::device* dev, u8* memory, u64 address, u32 bytes)
      : dev_{dev}, memory_{memory}, address_{address}, bytes_{bytes} {}
  DmaCoherent(::device* dev, u8* memory, u64* pages, u32 bytes)
      : dev_{dev}, memory_{memory}, pages_{pages}, bytes_{bytes} {}

  ::device* dev_ = nullptr;
  u8* memory_ = nullptr;
  u64 address_ = 0;
  u64* pages_ = nullptr;  // addresses, if it is made of pages
  u32 bytes_ = 0;
};

}  // namespace mana::kern
