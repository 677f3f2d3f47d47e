// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/types.h"
#include "shim/mmio.h"
#include "wire/registers.h"

namespace mana::gdma {

// A doorbell page. Each method is one aligned 64-bit MMIO write (D-32); shim_write64() orders it
// after all earlier stores, so the device sees the ring entries before the index (D-29).
class DoorbellPage {
 public:
  DoorbellPage() = default;
  DoorbellPage(u8* base, u32 id) : base_{base}, id_{id} {}

  u32 id() const { return id_; }

  // `tail_bytes`: the producer position, not reduced by the ring size (D-30).
  void ring_sq(u32 sq_id, u32 tail_bytes) const {
    write(wire::doorbell::kSq, wire::doorbell::work_queue(sq_id, tail_bytes));
  }
  // The WQE count field stays 0 (D-33).
  void ring_rq(u32 rq_id, u32 tail_bytes) const {
    write(wire::doorbell::kRq, wire::doorbell::work_queue(rq_id, tail_bytes));
  }
  // `index`: of the next entry, modulo 8 laps (D-31).
  void ring_cq(u32 cq_id, u32 index, bool arm) const {
    write(wire::doorbell::kCq, wire::doorbell::completion_queue(cq_id, index, arm));
  }
  // Only where the device offers it. 0 us: its events do not wait.
  void moderate_cq(u32 cq_id, u32 period_us, u32 count) const {
    write(wire::doorbell::kCqModeration, wire::doorbell::moderation(cq_id, period_us, count));
  }
  void ring_eq(u32 eq_id, u32 index, bool arm) const {
    write(wire::doorbell::kEq, wire::doorbell::event_queue(eq_id, index, arm));
  }

 private:
  void write(u32 offset, u64 value) const { shim_write64(base_ + offset, value); }

  u8* base_ = nullptr;
  u32 id_ = 0;
};

}  // namespace mana::gdma
