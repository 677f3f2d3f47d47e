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
  // M-23: one completion event for each arming.
  if (ring_.take_armed() && parent_)
    parent_->post_completion(context, id);
}

bool CompletionQueue::doorbell(Context& context, u32 index, bool arm) {
  const ArmResult result = ring_.doorbell(index, arm);
  if (result == ArmResult::kNotifyNow && parent_)
    parent_->post_completion(context, id);
  return result != ArmResult::kIgnored;
}

}  // namespace mana::model
