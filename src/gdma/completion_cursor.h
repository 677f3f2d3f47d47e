// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/entry_ring.h"
#include "shim/memory.h"

namespace mana::gdma {

// A walk over the completions that wait in a CQ which serves a single work queue. All that it needs
// fits into registers; the ring hears of it once, at the end, by commit().
//
// Owner bits and the work queue's id are in one word of an entry, and so one comparison tells that
// the next entry is there and of the right queue (D-28, D-59). Whatever else it may be is told
// apart off the fast path.
class CompletionCursor {
 public:
  // `work_queue`: the bits WqId and IsSq that the entries shall have.
  CompletionCursor(const CompletionRing& ring, u32 work_queue)
      : begin_{reinterpret_cast<const wire::Cqe*>(ring.memory().data())},
        end_{begin_ + ring.entries()},
        entry_{begin_ + (ring.position() & (ring.entries() - 1))},
        wanted_{wire::OwnerBits::put(ring.position() >> ring.shift()) | work_queue} {}

  // The trailer of the next entry: read once, for ready() and state().
  u32 trailer() const { return kern::read_once(entry_->trailer); }

  // The entry may be read now.
  bool ready(u32 trailer) const {
    if ((trailer & kMask) != wanted_)
      return false;
    // D-28: the rest of the entry was written before its owner bits; read it after them.
    shim_dma_read_barrier();
    return true;
  }
  // Of an entry that is not ready(). kReady: there is one, of another queue.
  SlotState state(u32 trailer) const {
    return CompletionRing::state_of(trailer, wire::OwnerBits::get(wanted_));
  }

  // The device can rewrite it at any time: read each word once, with read_once().
  const wire::Cqe& entry() const { return *entry_; }
  void prefetch_next() const { shim_prefetch(entry_ + 1); }

  void advance() {
    if (++entry_ != end_) [[likely]]
      return;
    entry_ = begin_;
    wanted_ += wire::OwnerBits::put(1);  // the lap, modulo 8
  }

 private:
  static constexpr u32 kMask =
      wire::OwnerBits::kMask | wire::Cqe::IsSq::kMask | wire::Cqe::WqId::kMask;

  const wire::Cqe* begin_;
  const wire::Cqe* end_;
  const wire::Cqe* entry_;
  u32 wanted_;
};

}  // namespace mana::gdma
