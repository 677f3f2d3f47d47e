// SPDX-License-Identifier: GPL-2.0
// CQ: a ring of completions of one WQ (or of the HWC), announced on its parent EQ.
#pragma once

#include "model/event_queue.h"

namespace mana::model {

// When an armed CQ is announced: after so many completions, or so long after the first of them.
struct Moderation {
  u32 count = 0;   // 0: only time counts
  u32 period = 0;  // microseconds; 0: at once

  bool active() const { return period > 0; }
};

class CompletionQueue : NonCopyable {
 public:
  // `region` may be null (HWC), and so may `parent` (a CQ that nobody is told about).
  CompletionQueue(const RingMemory& memory, DmaRegion* region, EventQueue* parent, u32 doorbell_id)
      : region_{region}, ring_{memory}, parent_{parent}, doorbell_id_{doorbell_id} {}

  u32 id = 0;
  Alarm<CompletionQueue> alarm;  // the end of the period

  DmaRegion* region() const { return region_; }
  EventQueue* parent() const { return parent_; }
  u32 doorbell_id() const { return doorbell_id_; }
  const EntryRing<wire::Cqe>& ring() const { return ring_; }
  const Moderation& moderation() const { return moderation_; }
  // True if the next completion would be lost (M-31).
  bool full() const {
    return ring_.pending() >= wire::kOwnerLaps * static_cast<u64>(ring_.entries());
  }

  // `cqe.trailer` names the WQ; the owner bits are added here.
  void post(Context& context, const wire::Cqe& cqe, u32 owner_skew = 0);

  // False if the index is out of range.
  bool doorbell(Context& context, u32 index, bool arm);

  // False if too many CQs are moderated already; then this one is not.
  bool moderate(Context& context, const Moderation& moderation);
  // The alarm rang.
  void period_ended(Context& context);

 private:
  void notify(Context& context);
  void announce(Context& context);

  DmaRegion* region_;
  EntryRing<wire::Cqe> ring_;
  EventQueue* parent_;
  u32 doorbell_id_;
  Moderation moderation_;
};

}  // namespace mana::model
