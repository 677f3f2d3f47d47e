// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "wire/bnic_commands.h"

namespace mana::port {

// The device's counters, which start at 0 whenever it does, as counters that never go backwards.
// The caller keeps readers apart from update().
class DeviceCounters {
 public:
  void update(const wire::GfCounters& now) {
    const auto& fresh = reinterpret_cast<const Words&>(now);
    for (u32 i = 0; i < wire::kGfCounterBits; i++) {
      // Less than before: the device has started anew, and all of it is news.
      total_[i] += fresh[i] >= last_[i] ? fresh[i] - last_[i] : fresh[i];
      last_[i] = fresh[i];
    }
  }

  const wire::GfCounters& totals() const {
    return reinterpret_cast<const wire::GfCounters&>(total_);
  }

 private:
  using Words = u64[wire::kGfCounterBits];

  Words last_{};
  Words total_{};
};

}  // namespace mana::port
