// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/types.h"

namespace mana::port {

// A buffer of a receive queue's page pool: a page, or half of one. No memory is no buffer.
struct RxBuffer {
  u8* memory = nullptr;  // where it starts
  u64 data = 0;  // DMA address of its data room: what the device is told
};
static_assert(sizeof(RxBuffer) == 16);

// Buffers that a program sent back (XDP_TX), and that the device is done with: the receive queue's
// to post again, without a way through the pool. The CPU may have written to any of them. In the
// channel's NAPI, or while that is disabled.
class RxStash {
 public:
  bool empty() const { return count_ == 0; }
  // False: no room, the buffer is still the caller's.
  [[nodiscard]] bool put(const RxBuffer& buffer) {
    if (count_ == kRoom) [[unlikely]]
      return false;
    buffers_[count_++] = buffer;
    return true;
  }
  // Not of an empty one.
  RxBuffer take() { return buffers_[--count_]; }

 private:
  // As many as a poll usually receives: what it sends back is sent before the next.
  static constexpr u32 kRoom = 64;

  u32 count_ = 0;
  RxBuffer buffers_[kRoom];
};

}  // namespace mana::port
