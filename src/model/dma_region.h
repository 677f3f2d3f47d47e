// SPDX-License-Identifier: GPL-2.0
// A DMA region: the guest pages behind a ring, named by a handle (data sheet 6.9, 6.10).
#pragma once

#include "model/host.h"
#include "wire/gdma_commands.h"
#include "wire/registers.h"

namespace mana::model {

class DmaRegion : NonCopyable {
 public:
  static constexpr u32 kMaxPageType = 19;  // 2 GiB pages

  struct Shape {
    u64 length;             // bytes
    u32 first_page_offset;  // bytes
    u32 page_shift;
    u32 page_count;

    // V9: the pages hold the bytes, and none is without.
    static bool of(const wire::CreateDmaRegionRequest& request, Shape& shape);
  };

  // Null if there is no memory. Addresses follow with add().
  static DmaRegion* create(const Host& host, const Shape& shape);

  // Takes `count` page addresses, unaligned little-endian numbers. False, with nothing taken, if
  // there are too many, or one is misaligned or not guest memory.
  bool add(const Host& host, const u8* addresses, u32 count);

  bool complete() const { return filled_ == shape_.page_count; }
  u64 length() const { return shape_.length; }
  u32 page_count() const { return shape_.page_count; }
  u32 first_page_offset() const { return shape_.first_page_offset; }
  u64 first_address() const { return pages()[0]; }
  bool contiguous() const { return contiguous_; }

  // M-37: complete, `bytes` long, a power of two of at least 4096, page aligned.
  bool fits_ring(u32 bytes) const;

  // The guest address of a byte, and how many bytes are contiguous from there.
  u64 translate(u64 offset, u64& left) const;

  u64 handle() const { return handle_; }
  void set_handle(u64 handle) { handle_ = handle; }
  // Q14: after success of a creating command the region belongs to the queue; its handle is dead.
  bool consumed() const { return consumed_; }
  void set_consumed(bool consumed) { consumed_ = consumed; }

 private:
  friend class Host;
  explicit DmaRegion(const Shape& shape) : shape_{shape} {}

  // Behind the object.
  u64* pages() { return reinterpret_cast<u64*>(this + 1); }
  const u64* pages() const { return reinterpret_cast<const u64*>(this + 1); }

  Shape shape_;
  u64 handle_ = 0;
  u32 filled_ = 0;
  bool contiguous_ = true;
  bool consumed_ = false;
};
static_assert(sizeof(DmaRegion) % alignof(u64) == 0);

}  // namespace mana::model
