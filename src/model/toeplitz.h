// SPDX-License-Identifier: GPL-2.0
// The Toeplitz hash of receive-side scaling.
#pragma once

#include "base/span.h"
#include "wire/rx.h"

namespace mana::model {

class Toeplitz {
 public:
  static constexpr u32 kMaxInput = 36;  // bytes: two IPv6 addresses and two ports

  void set_key(const u8 (&key)[wire::hash::kKeyBytes]);
  // At most kMaxInput bytes, in network order.
  u32 hash(Span<const u8> input) const;

 private:
  // What each value of each half byte of the input contributes.
  u32 table_[kMaxInput * 2][16] = {};
};

}  // namespace mana::model
