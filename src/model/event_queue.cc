// SPDX-License-Identifier: GPL-2.0
#include "model/event_queue.h"

namespace mana::model {

void EventQueue::post(Context& context, wire::EqeType type, u32 data) {
  wire::Eqe eqe = {};
  eqe.data[0] = data;
  eqe.trailer = wire::Eqe::Type::put(static_cast<u32>(type));
  if (!ring_.post(context.host, eqe)) {
    context.statistics.entries_lost++;
    return;
  }
  context.statistics.eqes++;
  // M-20: the interrupt comes after the entry.
  if (ring_.take_armed())
    context.raise_interrupt(vector_);
}

bool EventQueue::doorbell(Context& context, u32 index, bool arm) {
  const ArmResult result = ring_.doorbell(index, arm);
  if (result == ArmResult::kNotifyNow)
    context.raise_interrupt(vector_);
  return result != ArmResult::kIgnored;
}

}  // namespace mana::model
