// SPDX-License-Identifier: GPL-2.0
#include "model/toeplitz.h"

namespace mana::model {

void Toeplitz::set_key(const u8 (&key)[wire::hash::kKeyBytes]) {
  // Input bit i, counted from the most significant, adds key bits [i, i + 32).
  for (u32 nibble = 0; nibble < kMaxInput * 2; nibble++) {
    u32 window[4];
    for (u32 bit = 0; bit < 4; bit++) {
      const u32 first = nibble * 4 + bit;
      u64 five = 0;
      for (u32 i = 0; i < 5; i++)
        five = five << 8 | key[min(first / 8 + i, wire::hash::kKeyBytes - 1)];
      window[bit] = static_cast<u32>(five >> (8 - first % 8));
    }
    for (u32 value = 0; value < 16; value++) {
      u32 sum = 0;
      for (u32 bit = 0; bit < 4; bit++) {
        if ((value & (8u >> bit)) != 0)
          sum ^= window[bit];
      }
      table_[nibble][value] = sum;
    }
  }
}

u32 Toeplitz::hash(Span<const u8> input) const {
  u32 sum = 0;
  for (size_t i = 0; i < input.size(); i++)
    sum ^= table_[2 * i][input[i] >> 4] ^ table_[2 * i + 1][input[i] & 0xF];
  return sum;
}

}  // namespace mana::model
