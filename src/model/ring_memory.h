// SPDX-License-Identifier: GPL-2.0
// Guest memory of a ring: pages that the device sees as one run of bytes.
#pragma once

#include "model/dma_region.h"
#include "model/host.h"

namespace mana::model {

class RingMemory {
 public:
  RingMemory() = default;
  // M-12: each HWC ring is one page.
  static RingMemory one_page(u64 address) { return RingMemory{nullptr, address, wire::kPageSize}; }
  // The region must be complete, start at a page and be `bytes` long; it stays the caller's.
  static RingMemory of(const DmaRegion& region) {
    return RingMemory{region.contiguous() ? nullptr : &region, region.first_address(),
                      static_cast<u32>(region.length())};
  }

  u32 bytes() const { return bytes_; }

  // Any position: it is reduced by the ring's size, and the access wraps at the end.
  bool read(const Host& host, u32 position, void* to, u32 length) const;
  bool write(const Host& host, u32 position, const void* from, u32 length) const;

 private:
  RingMemory(const DmaRegion* pages, u64 base, u32 bytes)
      : pages_{pages}, base_{base}, bytes_{bytes} {}

  // The piece at `offset` that is contiguous in the guest, at most `length` bytes.
  u64 piece(u32 offset, u32& length) const;

  const DmaRegion* pages_ = nullptr;  // null: contiguous from base_
  u64 base_ = 0;
  u32 bytes_ = 0;  // power of two
};

}  // namespace mana::model
