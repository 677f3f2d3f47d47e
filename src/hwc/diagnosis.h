// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/types.h"
#include "kern/atomic.h"
#include "wire/gdma_commands.h"

namespace mana::hwc {

// The English name of a command, for messages.
const char* command_name(wire::Command command);

// Why the latest conversation with the device failed. Lower layers fill it in instead of logging,
// so that whoever gives up can write one line that says which step failed and why.
class Diagnosis {
 public:
  static constexpr u32 kTextBytes = 160;

  // `reason` is a literal.
  void set(const char* reason) { *this = Diagnosis{reason, false, wire::Command{}, 0, false}; }
  void set(const char* reason, u32 value) {
    *this = Diagnosis{reason, false, wire::Command{}, value, true};
  }
  void set(const char* reason, wire::Command command) {
    *this = Diagnosis{reason, true, command, 0, false};
  }
  void set(const char* reason, wire::Command command, u32 value) {
    *this = Diagnosis{reason, true, command, value, true};
  }
  void clear() { *this = Diagnosis{}; }

  // "FENCE_RQ (0x20006): the device refused, 0x1", or "no reason recorded".
  struct Text {
    char bytes[kTextBytes];
  };
  Text text() const;

  constexpr Diagnosis() = default;

 private:
  constexpr Diagnosis(const char* reason, bool has_command, wire::Command command, u32 value,
                      bool has_value)
      : reason_{reason},
        command_{command},
        value_{value},
        has_command_{has_command},
        has_value_{has_value} {}

  const char* reason_ = nullptr;
  wire::Command command_{};
  u32 value_ = 0;
  bool has_command_ = false;
  bool has_value_ = false;
};

}  // namespace mana::hwc
