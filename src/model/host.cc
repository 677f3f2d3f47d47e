// SPDX-License-Identifier: GPL-2.0
#include "model/host.h"

namespace mana::model {

bool Host::may_blame_guest() {
  constexpr u32 kLinesPerSecond = 4;
  const u64 second = now() / 1'000'000'000;
  if (second != blame_second_) {
    blame_second_ = second;
    blame_lines_ = 0;
  }
  return blame_lines_++ < kLinesPerSecond;
}

}  // namespace mana::model
