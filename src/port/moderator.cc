// SPDX-License-Identifier: GPL-2.0
#include "port/moderator.h"

namespace mana::port {

namespace {

hwc::Moderation within_limits(u32 usecs, u32 frames) {
  return {.period = min(usecs, wire::kMaxModerationPeriod),
          .count = min(frames, wire::kMaxModerationCount)};
}

}  // namespace

hwc::Moderation Moderator::first(const shim_moderation& setting) const {
  if (!setting.adaptive)
    return within_limits(setting.usecs, setting.frames);
  shim_wait wait{};
  shim_dim_first(tx_, &wait);
  return within_limits(wait.usecs, wait.frames);
}

void Moderator::attach(const gdma::DoorbellPage& doorbell, u32 cq_id,
                       const shim_moderation& setting) {
  doorbell_ = doorbell;
  cq_id_ = cq_id;
  told_ = first(setting);
  start_adapting(setting);
}

void Moderator::detach() {
  pause();
  if (started_)
    shim_dim_cancel(&dim_);
}

void Moderator::apply(const shim_moderation& setting) {
  if (started_)
    shim_dim_cancel(&dim_);
  ring(first(setting));
  start_adapting(setting);
}

void Moderator::start_adapting(const shim_moderation& setting) {
  if (!setting.adaptive)
    return;
  started_ = true;
  shim_dim_start(&dim_, reinterpret_cast<mana_moderator*>(this), tx_);
  adaptive_.store_release(true);
}

// detach() and apply() wait for this, so the CQ is there.
void Moderator::adapt(const shim_wait& wait) { ring(within_limits(wait.usecs, wait.frames)); }

void Moderator::ring(const hwc::Moderation& moderation) {
  told_ = moderation;
  doorbell_.moderate_cq(cq_id_, moderation.period, moderation.count);
}

void Moderator::describe(const kern::Text& text) const {
  text.yes_no("adaptive", adaptive());
  text.number("usecs", told_.period);
  text.number("frames", told_.count);
}

}  // namespace mana::port
