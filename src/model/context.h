// SPDX-License-Identifier: GPL-2.0
// What every part of one device shares.
#pragma once

#include "model/alarms.h"
#include "model/config.h"
#include "model/faults.h"
#include "model/host.h"
#include "model/statistics.h"

namespace mana::model {

class CompletionQueue;
class WorkQueue;

struct Context : NonCopyable {
  explicit Context(const vnic_host& vnic_host) : host{vnic_host} {}

  Host host;
  Config config;
  Faults faults;
  DeviceStatistics statistics;
  u64 driver_caps = 0;  // flags 1 of VERIFY_VF_DRIVER_VERSION
  u32 moderated_cqs = 0;
  Alarms<CompletionQueue> cq_alarms;  // events that wait for more completions
  Alarms<WorkQueue> rx_alarms;        // completions that wait for more packets

  // Capabilities of both sides (data sheet 6.1).
  bool moderates() const {
    return config.moderated_cqs > 0 && (driver_caps & wire::driver_cap::kCqModeration) != 0;
  }

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
