// SPDX-License-Identifier: GPL-2.0
// What devlink asks of a function: versions, health, repair. It holds its own lock; we take RTNL
// below it, under which ports and the channel change.
#include "adapter/adapter.h"

#include "base/scope_exit.h"
#include "shim/log.h"
#include "wire/registers.h"

namespace mana::adapter {

void Adapter::versions(shim_versions& versions) const {
  const u32 version = map_.version();
  shim_format(versions.registers, sizeof(versions.registers), "%u.%u.%u",
              wire::reg::VersionMajor::get(version), wire::reg::VersionMinor::get(version),
              wire::reg::VersionMicro::get(version));
  shim_format(versions.protocol, sizeof(versions.protocol), "%llu", wire::kGdmaProtocol);
}

void Adapter::describe(const kern::Text& text) const {
  shim_versions version;
  versions(version);
  text.word("registers", version.registers);
  text.word("protocol", version.protocol);
  text.number("ports", ports_.size());
  text.number("vectors", vectors_.count());
  text.number("event_queues", eqs_.count());
  text.number("quarantined", quarantine_.count());
  {
    const kern::Text::Group group{text, "limits"};
    text.number("sqs", limits_.sqs);
    text.number("rqs", limits_.rqs);
    text.number("cqs", limits_.cqs);
    text.number("eqs", limits_.eqs);
    text.number("msix", limits_.msix);
  }
  const kern::Text::Group group{text, "channel"};
  if (channel_)
    channel_->describe(text);
  else
    text.word("state", "absent");
}

Result<void> Adapter::diagnose(shim_reporter which, const kern::Text& text) const {
  shim_rtnl_lock();
  const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
  if (which == SHIM_REPORTER_HWC) {
    describe(text);
    return {};
  }
  for (u32 i = 0; i < ports_ready_.load(); i++) {
    const kern::Text::Group group{text, "port", i};
    ports_[i]->describe(text);
    ports_[i]->describe_queues(text, which == SHIM_REPORTER_RX, which == SHIM_REPORTER_TX);
  }
  return {};
}

Result<void> Adapter::dump(shim_reporter which, const kern::Text& text) const {
  TRY(diagnose(which, text));
  if (which == SHIM_REPORTER_HWC)
    return {};
  shim_rtnl_lock();
  const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
  for (u32 i = 0; i < ports_ready_.load(); i++) {
    const kern::Text::Group group{text, "rings of port", i};
    ports_[i]->describe_rings(text, which == SHIM_REPORTER_RX, which == SHIM_REPORTER_TX);
  }
  return {};
}

Result<void> Adapter::recover(shim_reporter which, netlink_ext_ack* ack) {
  if (which == SHIM_REPORTER_HWC) {
    shim_refuse(ack, "A failed channel needs a new probe: unbind and bind the driver.");
    return Errno::kNotSupported;
  }
  shim_rtnl_lock();
  const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
  for (u32 i = 0; i < ports_ready_.load(); i++)
    if (auto repaired = ports_[i]->repair(); !repaired) {
      shim_refuse(ack, "The device refused the new queues; the kernel's log says which command.");
      return repaired;
    }
  return {};
}

}  // namespace mana::adapter
