// SPDX-License-Identifier: GPL-2.0
#include "model/event_queue.h"

namespace mana::model {

void EventQueue::post(Context& context, wire::EqeType type, u32 data, u32 owner_skew) {
  wire::Eqe eqe = {};
  eqe.data[0] = data;
  eqe.trailer = wire::Eqe::Type::put(static_cast<u32>(type));
  if (!ring_.post(context.host, eqe, owner_skew)) {
    context.statistics.entries_lost++;
    return;
  }
  context.statistics.eqes++;
  // M-20: the interrupt comes after the entry.
  if (ring_.take_armed())
    context.raise_interrupt(vector_);
}

void EventQueue::post_completion(Context& context, u32 cq_id) {
  u32 owner_skew = 0;
  if (doorbell_id_ != kHwcDoorbell) {
    u64 wrong = 0;
    if (context.faults.take(Fault::kEqCqId, &wrong))
      cq_id = static_cast<u32>(wrong);
    if (context.faults.take(Fault::kEqOwner))
      owner_skew = 2;
  }
  post(context, wire::EqeType::kCompletion, wire::Eqe::CqId::put(cq_id), owner_skew);
}

bool EventQueue::doorbell(Context& context, u32 index, bool arm) {
  const ArmResult result = ring_.doorbell(index, arm);
  if (result == ArmResult::kNotifyNow)
    context.raise_interrupt(vector_);
  return result != ArmResult::kIgnored;
}

}  // namespace mana::model
