// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "kern/atomic.h"
#include "kern/dma.h"
#include "wire/work_queue.h"

namespace mana::gdma {

// The producer's side of an SQ or RQ: a power-of-two number of basic units (BU, 32 bytes) that
// WQEs fill end to end. P and C run freely; full is P - C == size (D-34).
//
// Posting is three steps, so that the caller decides on batches: write at producer(), then
// advance(), then ring a doorbell with doorbell_tail(). Nothing is ever read back from the ring,
// which the device can modify.
class WorkRing {
 public:
  // `units` is rounded up to a power of two that fills at least 4096 bytes (D-26).
  static Result<WorkRing> create(::device* dev, u32 units) {
    const u32 bytes = max(round_up_power_of_two(units) * wire::kBasicUnit, wire::kMinRingBytes);
    return WorkRing{TRY(kern::DmaCoherent::allocate_ring(dev, bytes))};
  }
  WorkRing() = default;

  const kern::DmaCoherent& memory() const { return memory_; }
  kern::DmaCoherent take_memory() { return mana::move(memory_); }

  // In BU.
  u32 units() const { return unit_mask_ + 1; }
  u32 used() const { return kern::read_once(producer_) - kern::read_once(consumer_); }
  u32 available() const { return units() - used(); }
  u32 producer() const { return producer_; }
  u32 consumer() const { return __atomic_load_n(&consumer_, __ATOMIC_ACQUIRE); }
  u32 index_of(u32 position) const { return position & unit_mask_; }

  // Back to the state after create().
  void reset() {
    memory_.clear();
    producer_ = consumer_ = 0;
  }

  // Memory at byte `offset` of the WQE that starts at unit `position`. Contiguous up to the next
  // 16-byte boundary, and for the first 32 bytes of a WQE.
  u8* at(u32 position, u32 offset = 0) const {
    return memory_.data() + ((position * wire::kBasicUnit + offset) & byte_mask_);
  }

  // Writes SGE number `index` of the WQE at `position` whose SGL starts at byte `sgl`. The SGL
  // wraps at the end of the ring, an SGE never does (D-34).
  void write_sge(u32 position, u32 sgl, u32 index, u64 address, u32 key, u32 size) const {
    *reinterpret_cast<wire::Sge*>(at(position, sgl + index * sizeof(wire::Sge))) = {
        .address = address, .memory_key = key, .size = size};
  }

  // One CPU produces and one consumes, not necessarily the same: each side writes its own index
  // with one store.
  void advance(u32 units) { kern::write_once(producer_, producer_ + units); }

  // A WQE of `units` was consumed. False, and nothing changes, if that many were never posted
  // (D-36).
  [[nodiscard]] bool retire(u32 units) {
    if (units > used())
      return false;
    kern::write_once(consumer_, consumer_ + units);
    return true;
  }

  // Everything up to `position` was consumed; what belonged to it is the producer's again. The
  // caller has made sure that as much was posted.
  void consume_to(u32 position) { __atomic_store_n(&consumer_, position, __ATOMIC_RELEASE); }

  // P in bytes modulo 2^32 (D-30).
  u32 doorbell_tail() const { return producer_ * wire::kBasicUnit; }

 private:
  explicit WorkRing(kern::DmaCoherent memory) : memory_{mana::move(memory)} {
    byte_mask_ = memory_.bytes() - 1;
    unit_mask_ = memory_.bytes() / wire::kBasicUnit - 1;
  }

  kern::DmaCoherent memory_;
  u32 producer_ = 0;
  u32 consumer_ = 0;
  u32 byte_mask_ = 0;
  u32 unit_mask_ = 0;
};

}  // namespace mana::gdma
