// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/span.h"
#include "base/utility.h"
#include "shim/dma.h"

namespace mana::kern {

// Coherent, zeroed, page aligned memory that the device reads and writes.
//
// Freeing it while the device may still write to it corrupts memory (D-11): an owner that cannot
// rule that out hands the object to hwc::Quarantine instead of destroying it.
class DmaCoherent {
 public:
  static Result<DmaCoherent> allocate(::device* dev, u32 bytes) {
    u64 address = 0;
    void* memory = shim_dma_alloc(dev, bytes, &address);
    if (!memory)
      return Errno::kNoMemory;
    return DmaCoherent{dev, static_cast<u8*>(memory), address, bytes};
  }
  DmaCoherent() = default;
  DmaCoherent(DmaCoherent&& other)
      : dev_{other.dev_},
        memory_{exchange(other.memory_, nullptr)},
        address_{other.address_},
        bytes_{exchange(other.bytes_, 0u)} {}
  DmaCoherent& operator=(DmaCoherent&& other) {
    DmaCoherent old{mana::move(*this)};
    dev_ = other.dev_;
    memory_ = exchange(other.memory_, nullptr);
    address_ = other.address_;
    bytes_ = exchange(other.bytes_, 0u);
    return *this;
  }
  ~DmaCoherent() {
    if (memory_)
      shim_dma_free(dev_, bytes_, memory_, address_);
  }

  explicit operator bool() const { return memory_ != nullptr; }
  u8* data() const { return memory_; }
  u64 address() const { return address_; }
  u32 bytes() const { return bytes_; }
  void clear() const { clear_bytes(memory_, bytes_); }

 private:
  DmaCoherent(::device* dev, u8* memory, u64 address, u32 bytes)
      : dev_{dev}, memory_{memory}, address_{address}, bytes_{bytes} {}

  ::device* dev_ = nullptr;
  u8* memory_ = nullptr;
  u64 address_ = 0;
  u32 bytes_ = 0;
};

}  // namespace mana::kern
