// SPDX-License-Identifier: GPL-2.0
#include "model/completion_queue.h"

namespace mana::model {

void CompletionQueue::post(Context& context, const wire::Cqe& cqe, u32 owner_skew) {
  if (!ring_.post(context.host, cqe, owner_skew)) {
    context.statistics.entries_lost++;
    if (ring_.lost() == 1)
      context.blame().text("CQ ").number(id).text(
          " lost a completion: never acknowledged, or no memory");
    return;
  }
  context.statistics.cqes++;
  if (ring_.armed() && parent_)
    notify(context);
}

bool CompletionQueue::doorbell(Context& context, u32 index, bool arm) {
  const ArmResult result = ring_.doorbell(index, arm);
  if (result == ArmResult::kIgnored)
    return false;
  context.cq_alarms.cancel(*this);
  if (result == ArmResult::kNotifyNow && parent_) {
    ring_.stay_armed();
    notify(context);
  }
  return true;
}

// Armed, and something is pending: all of it came after the index that armed.
void CompletionQueue::notify(Context& context) {
  constexpr u64 kNsPerUs = 1000;
  if (!moderation_.active()) {
    announce(context);
  } else if (moderation_.count > 0 && ring_.pending() >= moderation_.count) {
    context.statistics.events_by_count++;
    announce(context);
  } else if (!alarm.set()) {
    context.cq_alarms.set(*this, context.host.now() + moderation_.period * kNsPerUs);
    context.host.schedule();  // the device looks when it has to run
  }
}

void CompletionQueue::period_ended(Context& context) {
  context.statistics.events_by_time++;
  announce(context);
}

// M-23: one completion event for each arming.
void CompletionQueue::announce(Context& context) {
  context.cq_alarms.cancel(*this);
  if (ring_.take_armed())
    parent_->post_completion(context, id);
}

bool CompletionQueue::moderate(Context& context, const Moderation& moderation) {
  if (moderation.active() && !moderation_.active() &&
      context.moderated_cqs >= context.config.moderated_cqs)
    return false;
  context.moderated_cqs += moderation.active();
  context.moderated_cqs -= moderation_.active();
  moderation_ = moderation;
  // What waits, waits by the new rule from now on.
  if (alarm.set()) {
    context.cq_alarms.cancel(*this);
    notify(context);
  }
  return true;
}

}  // namespace mana::model
