// SPDX-License-Identifier: GPL-2.0
#include "model/checksum.h"

namespace mana::model {

u64 checksum_add(u64 sum, const u8* bytes, u32 length) {
  // 32-bit words in a 64-bit sum: the carries stay until checksum_fold().
  while (length >= 16) {
    u32 words[4];
    __builtin_memcpy(words, bytes, sizeof(words));
    sum += static_cast<u64>(words[0]) + words[1] + words[2] + words[3];
    bytes += 16;
    length -= 16;
  }
  while (length >= 2) {
    u16 word;
    __builtin_memcpy(&word, bytes, sizeof(word));
    sum += word;
    bytes += 2;
    length -= 2;
  }
  if (length == 1)
    sum += *bytes;  // little-endian: the missing byte is the high one
  return sum;
}

u16 checksum_fold(u64 sum) {
  sum = (sum & 0xFFFFFFFF) + (sum >> 32);
  sum = (sum & 0xFFFFFFFF) + (sum >> 32);
  u32 half = static_cast<u32>((sum & 0xFFFF) + (sum >> 16));
  half = (half & 0xFFFF) + (half >> 16);
  half = (half & 0xFFFF) + (half >> 16);
  return static_cast<u16>(half);
}

}  // namespace mana::model
