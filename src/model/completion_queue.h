// SPDX-License-Identifier: GPL-2.0
// CQ: a ring of completions of one WQ (or of the HWC), announced on its parent EQ.
#pragma once

#include "model/event_queue.h"

namespace mana::model {

class CompletionQueue : NonCopyable {
 public:
  // `region` may be null (HWC), and so may `parent` (a CQ that nobody is told about).
  CompletionQueue(const RingMemory& memory, DmaRegion* region, EventQueue* parent, u32 doorbell_id)
      : region_{region}, ring_{memory}, parent_{parent}, doorbell_id_{doorbell_id} {}

  u32 id = 0;

  DmaRegion* region() const { return region_; }
  EventQueue* parent() const { return parent_; }
  u32 doorbell_id() const { return doorbell_id_; }
  const EntryRing<wire::Cqe>& ring() const { return ring_; }
  // True if the next completion would be lost (M-31).
  bool full() const {
    return ring_.pending() >= wire::kOwnerLaps * static_cast<u64>(ring_.entries());
  }

  // `cqe.trailer` names the WQ; the owner bits are added here.
  void post(Context& context, const wire::Cqe& cqe, u32 owner_skew = 0);

  // False if the index is out of range.
  bool doorbell(Context& context, u32 index, bool arm);

 private:
  DmaRegion* region_;
  EntryRing<wire::Cqe> ring_;
  EventQueue* parent_;
  u32 doorbell_id_;
};

}  // namespace mana::model
