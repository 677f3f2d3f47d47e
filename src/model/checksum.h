// SPDX-License-Identifier: GPL-2.0
// The Internet checksum, in the byte order of the frame: load and store 16-bit words as they lie.
#pragma once

#include "base/types.h"

namespace mana::model {

// Adds `length` bytes to a running sum. Only the last piece of a sum may have an odd length.
u64 checksum_add(u64 sum, const u8* bytes, u32 length);

// A 16-bit number in host order, as it would be summed if it lay in the frame.
constexpr u64 checksum_number(u32 value) { return (value & 0xFF) << 8 | (value >> 8 & 0xFF); }

// One's-complement sum in 16 bits.
u16 checksum_fold(u64 sum);

inline u16 load16(const u8* bytes) { return static_cast<u16>(bytes[0] << 8 | bytes[1]); }
inline u32 load32(const u8* bytes) {
  return static_cast<u32>(load16(bytes)) << 16 | load16(bytes + 2);
}
inline void store16(u8* bytes, u32 value) {
  bytes[0] = static_cast<u8>(value >> 8);
  bytes[1] = static_cast<u8>(value);
}
inline void store32(u8* bytes, u32 value) {
  store16(bytes, value >> 16);
  store16(bytes + 2, value & 0xFFFF);
}
// Stores a folded sum.
inline void store_checksum(u8* bytes, u16 sum) { __builtin_memcpy(bytes, &sum, sizeof(sum)); }

}  // namespace mana::model
