// SPDX-License-Identifier: GPL-2.0
// What every part of one device shares.
#pragma once

#include "model/config.h"
#include "model/faults.h"
#include "model/host.h"
#include "model/statistics.h"

namespace mana::model {

struct Context : NonCopyable {
  explicit Context(const vnic_host& vnic_host) : host{vnic_host} {}

  Host host;
  Config config;
  Faults faults;
  DeviceStatistics statistics;
  u64 driver_caps = 0;  // flags 1 of VERIFY_VF_DRIVER_VERSION

  void raise_interrupt(u32 vector) {
    if (faults.take_every(Fault::kInterruptDrop)) {
      statistics.interrupts_lost++;
      return;
    }
    statistics.interrupts++;
    host.raise_msix(vector);
  }

  LogLine blame() { return LogLine(host, VNIC_LOG_GUEST); }
  LogLine trace() { return LogLine(host, VNIC_LOG_TRACE); }
};

}  // namespace mana::model
