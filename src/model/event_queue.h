// SPDX-License-Identifier: GPL-2.0
// EQ: a ring of events that signals an MSI-X vector.
#pragma once

#include "model/context.h"
#include "model/entry_ring.h"

namespace mana::model {

class EventQueue : NonCopyable {
 public:
  // `region` may be null (HWC).
  EventQueue(const RingMemory& memory, DmaRegion* region, u32 doorbell_id, u32 vector)
      : region_{region}, ring_{memory}, doorbell_id_{doorbell_id}, vector_{vector} {}

  u32 id = 0;
  u32 attached_cqs = 0;

  DmaRegion* region() const { return region_; }
  u32 doorbell_id() const { return doorbell_id_; }
  u32 vector() const { return vector_; }
  // §6.14: later events use the new vector.
  void set_vector(u32 vector) { vector_ = vector; }
  const EntryRing<wire::Eqe>& ring() const { return ring_; }

  void post(Context& context, wire::EqeType type, u32 data = 0, u32 owner_skew = 0);
  void post_completion(Context& context, u32 cq_id);

  // False if the index is out of range.
  bool doorbell(Context& context, u32 index, bool arm);

 private:
  DmaRegion* region_;
  EntryRing<wire::Eqe> ring_;
  u32 doorbell_id_;
  u32 vector_;
};

}  // namespace mana::model
