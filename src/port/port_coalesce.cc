// SPDX-License-Identifier: GPL-2.0
// Fewer interrupts and fewer completions for the same packets, at the price of latency: `ethtool
// -C`, and the private flags for completions of several packets. All off unless somebody asks.
#include "port/port.h"
#include "shim/log.h"

namespace mana::port {

// --- interrupts -------------------------------------------------------------------------------

Result<void> Port::check_moderation(const shim_moderation& wanted, netlink_ext_ack* ack) const {
  if (wanted.usecs > wire::kMaxModerationPeriod)
    return refuse(ack, "An interrupt can wait for 1023 microseconds at most.", Errno::kInvalid);
  if (wanted.frames > wire::kMaxModerationCount)
    return refuse(ack, "An interrupt can wait for 255 frames at most.", Errno::kInvalid);
  // With a count alone, the last frames before a pause would never be announced.
  if (wanted.frames > 1 && wanted.usecs == 0)
    return refuse(ack, "A number of frames needs a number of microseconds beside it.",
                  Errno::kInvalid);
  return {};
}

Result<void> Port::set_coalesce(const shim_coalesce& wanted, netlink_ext_ack* ack) {
  const auto same = [](const shim_moderation& a, const shim_moderation& b) {
    return a.usecs == b.usecs && a.frames == b.frames && a.adaptive == b.adaptive;
  };
  shim_coalesce& now = settings_.coalesce;
  const bool rx_changes = !same(wanted.rx, now.rx);
  const bool tx_changes = !same(wanted.tx, now.tx);
  if (!rx_changes && !tx_changes)
    return {};
  if (!context_.moderation)
    return refuse(ack, "The device does not offer interrupt moderation.", Errno::kNotSupported);
  TRY(check_moderation(wanted.rx, ack));
  TRY(check_moderation(wanted.tx, ack));
  now = wanted;

  // The queues go on meanwhile. A poll that still saw the old setting might take a sample while the
  // new one begins.
  for (auto& channel : active_)
    channel->pause_moderation(rx_changes, tx_changes);
  if (running())
    shim_synchronize_net();
  for (auto& channel : active_)
    channel->apply_moderation(now, rx_changes, tx_changes);
  return {};
}

void Port::get_coalesce(shim_coalesce& coalesce) const { coalesce = settings_.coalesce; }

// --- completions ------------------------------------------------------------------------------

// D-59: the queues accept what is asked for before the device hears of it, and stop accepting only
// when it cannot come any more.
Result<void> Port::set_rx_coalescing(u32 packets, netlink_ext_ack* ack) {
  const u32 before = settings_.rx_coalescing;
  if (packets == before)
    return {};
  if (!running())
    return refuse(ack, "Only a device whose port is up can say whether it coalesces.",
                  Errno::kNetworkDown);
  channel().diagnosis().clear();
  accept_coalesced(max(packets, before));
  shim_synchronize_net();  // a poll that began before may still find what comes after
  settings_.rx_coalescing = packets;
  auto told = steer({.coalesce_8_known = max(packets, before) > 4, .key = {}, .table = {}});
  const bool done = told && (packets == 0 || told.value() != 0);
  if (!done) {
    settings_.rx_coalescing = before;
    (void)steer({.coalesce_8_known = max(packets, before) > 4, .key = {}, .table = {}});
  }
  // Of a device that does not fence nobody knows what is still under way.
  if (settings_.rx_coalescing < max(packets, before) && fence_rx())
    accept_coalesced(settings_.rx_coalescing);
  if (done)
    return {};
  if (told)
    return refuse(ack, "The device does not coalesce received packets.", Errno::kNotSupported);
  log_failure("coalescing of received packets", told.error());
  return refuse(ack, "The device refused to coalesce received packets.", told.error());
}

void Port::accept_coalesced(u32 packets) {
  for (auto& channel : active_)
    channel->rx().accept_coalesced(packets);
}

}  // namespace mana::port
