// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "hwc/commands.h"
#include "kern/text.h"
#include "shim/dim.h"
#include "shim/ethtool.h"

namespace mana::port {

// How long the interrupts of one CQ wait: as a person set it, or as the kernel's dynamic interrupt
// moderation finds best.
//
// Control is under RTNL. A change takes three steps, so that many CQs can be changed with one grace
// period: pause(), wait until no poll runs that began before, apply().
class Moderator : NonCopyable {
 public:
  explicit Moderator(bool tx) : tx_{tx} {}

  // What a new CQ begins with.
  hwc::Moderation first(const shim_moderation& setting) const;

  // Between attach(), when the device has the CQ, and detach(), before it goes; nobody polls.
  void attach(const gdma::DoorbellPage& doorbell, u32 cq_id, const shim_moderation& setting);
  void detach();

  void pause() { adaptive_.store(false); }
  void apply(const shim_moderation& setting);

  // From the CQ's poll, when it is about to end.
  bool adaptive() const { return adaptive_.load_acquire(); }
  void sample(u64 packets, u64 bytes) { shim_dim_sample(&dim_, packets, bytes); }

  // Process context: what dynamic moderation decided.
  void adapt(const shim_wait& wait);

  void describe(const kern::Text& text) const;

 private:
  void ring(const hwc::Moderation& moderation);
  void start_adapting(const shim_moderation& setting);

  bool tx_;
  kern::Atomic<bool> adaptive_{false};
  bool started_ = false;  // dim_ holds something
  gdma::DoorbellPage doorbell_;
  u32 cq_id_ = 0;
  hwc::Moderation told_;  // to the device last
  shim_dim dim_;
};

}  // namespace mana::port
