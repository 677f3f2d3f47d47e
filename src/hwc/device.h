// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/doorbell.h"
#include "hwc/channel.h"

namespace mana::hwc {

// The registered MANA device: what every later command and queue needs.
struct Device {
  HardwareChannel* channel = nullptr;
  wire::DeviceId id{wire::DeviceType::kMana, 0};
  u32 pdid = 0;
  u32 mkey = 0;  // GPA memory key of all SGEs
  gdma::DoorbellPage doorbell;
};

}  // namespace mana::hwc
