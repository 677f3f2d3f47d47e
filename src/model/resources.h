// SPDX-License-Identifier: GPL-2.0
// Everything a driver created: regions, queues, the registration. Ids, quotas and ownership.
#pragma once

#include "model/slot_table.h"
#include "model/work_queue.h"

namespace mana::model {

class Resources : NonCopyable {
 public:
  // The id ranges do not overlap more than they must: SQ ids use the frame bits of the TX OOB, and
  // every CQ id is below kMaxCqs (M-11).
  static constexpr u32 kMaxCqs = 1024;
  using Regions = SlotTable<DmaRegion, 4096, 1>;
  using Eqs = SlotTable<EventQueue, kMaxDataEqs + 1, 0x100>;
  using Cqs = SlotTable<CompletionQueue, kMaxDataCqs + 1, 8>;
  using Sqs = SlotTable<WorkQueue, kMaxSqs + 1, 0x1400>;
  using Rqs = SlotTable<WorkQueue, kMaxRqs + 1, 0x2800>;
  static_assert(Eqs::kEnd <= 0xFFFF && Cqs::kEnd <= kMaxCqs);

  // V9: all page addresses of all regions together, 8 bytes each.
  static constexpr u32 kMaxPages = 1u << 18;

  explicit Resources(Context& context) : context_{context} {}

  Eqs eqs;
  Cqs cqs;
  Sqs sqs;
  Rqs rqs;

  bool registered = false;  // the BNIC (M-35)

  // Null if a quota is exhausted. The region has a handle.
  DmaRegion* create_region(const DmaRegion::Shape& shape);
  // Null if the handle is wrong, or its region belongs to a queue already.
  DmaRegion* find_region(u64 handle) const;
  void destroy_region(DmaRegion* region);
  u32 region_count() const { return regions_.count(); }

  // Queues take over their region (it may be null). Null if a quota is exhausted; nothing changed.
  EventQueue* create_eq(const RingMemory& memory, DmaRegion* region, u32 doorbell_id, u32 vector);
  CompletionQueue* create_cq(const RingMemory& memory, DmaRegion* region, EventQueue* parent,
                             u32 doorbell_id);
  WorkQueue* create_wq(wire::WqType type, const RingMemory& memory, DmaRegion* region,
                       CompletionQueue* cq, Vport* vport, u32 doorbell_id);
  void destroy_eq(EventQueue* eq);
  void destroy_cq(CompletionQueue* cq);
  void destroy_wq(WorkQueue* wq);  // not its CQ
  // Undoes create_wq(): the region is the driver's again.
  void abandon_wq(WorkQueue* wq);

  // A WQ object by the handle of CREATE_WQ_OBJ, or null.
  WorkQueue* find_object(wire::WqType type, u64 handle) const;

  // Ids start over; everything must be gone.
  void restart();
  bool empty() const {
    return eqs.count() + cqs.count() + sqs.count() + rqs.count() + regions_.count() == 0;
  }
  // Some region, or null: for emptying.
  DmaRegion* any_region() const {
    return regions_.find_if([](const DmaRegion&) { return true; });
  }

 private:
  void take_region(DmaRegion* region) {
    if (region)
      region->set_consumed(true);
  }

  void remove_wq(WorkQueue* wq);

  Context& context_;
  Regions regions_;
  u32 pages_ = 0;
  u32 generation_ = 0;  // in handles: an old one does not fit a new object
};

}  // namespace mana::model
