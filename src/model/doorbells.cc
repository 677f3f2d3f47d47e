// SPDX-License-Identifier: GPL-2.0
// Doorbell writes: validation and dispatch (data sheet 5.6).
#include "model/device.h"
#include "model/registers.h"

namespace mana::model {

void Device::ring(u64 offset, u64 value, u32 size) {
  using namespace wire::doorbell;
  DeviceStatistics& statistics = context_.statistics;
  DoorbellAddress address;
  bool accepted = false;
  // M-25: 64 bits, at defined offsets.
  if (size == sizeof(u64) && DoorbellAddress::of(offset, address)) {
    const u32 id = static_cast<u32>(QueueId::get(value));
    const u32 tail = static_cast<u32>(WqTail::get(value));
    const u32 index = static_cast<u32>(Index::get(value));
    const bool arm = Arm::get(value) != 0;
    switch (address.reg) {
      case kSq:
        statistics.doorbells_sq++;
        accepted = ring_work_queue(resources_.sqs.find(id), address.page, tail);
        break;
      case kRq:
        // M-30: the WQE count says nothing.
        statistics.doorbells_rq++;
        accepted = ring_work_queue(resources_.rqs.find(id), address.page, tail);
        break;
      case kCq: {
        statistics.doorbells_cq++;
        CompletionQueue* cq = resources_.cqs.find(id);
        accepted = cq && cq->doorbell_id() == address.page && cq->doorbell(context_, index, arm);
        break;
      }
      case kEq: {
        statistics.doorbells_eq++;
        EventQueue* eq = resources_.eqs.find(static_cast<u32>(EqId::get(value)));
        accepted = eq && eq->doorbell_id() == address.page && eq->doorbell(context_, index, arm);
        break;
      }
      case kCqModeration:
        // 5.6.5: nothing happens where it is not offered.
        accepted = !context_.moderates() || moderate(address.page, value);
        break;
      case kRqClientData:
        accepted = true;  // not offered, and harmless
        break;
      default: break;
    }
  }
  if (!accepted) {
    statistics.doorbells_ignored++;
    context_.blame().text("doorbell ignored: offset ").hex(offset).text(" value ").hex(value);
  }
}

// Each value counts only if its bit says so.
bool Device::moderate(u32 page, u64 value) {
  using namespace wire::doorbell;
  CompletionQueue* cq = resources_.cqs.find(static_cast<u32>(QueueId::get(value)));
  if (!cq || cq->doorbell_id() != page)
    return false;
  Moderation moderation = cq->moderation();
  if (ModerationPeriodValid::get(value) != 0)
    moderation.period = static_cast<u32>(ModerationPeriod::get(value));
  if (ModerationCountValid::get(value) != 0)
    moderation.count = static_cast<u32>(ModerationCount::get(value));
  return cq->moderate(context_, moderation);
}

bool Device::ring_work_queue(WorkQueue* wq, u32 page, u32 tail) {
  if (!wq || wq->doorbell_id() != page || !wq->doorbell(tail))
    return false;  // M-26
  // Received frames find their RQ by themselves.
  const bool is_hwc = wq->vport() == nullptr;
  if (!is_hwc && wq->type() == wire::WqType::kRq)
    return true;
  if (!is_hwc)
    schedule_.add(wq);
  context_.host.schedule();
  return true;
}

}  // namespace mana::model
