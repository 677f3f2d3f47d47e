// SPDX-License-Identifier: GPL-2.0
// The register map in BAR0, and where a BAR0 offset leads (data sheet 2.2, 2.4, 5.6).
#pragma once

#include "model/config.h"
#include "wire/mailbox.h"

namespace mana::model {

inline constexpr u64 kAllOnes64 = ~0ull;

constexpr u64 all_ones(u32 size) { return size >= 8 ? kAllOnes64 : (1ull << (8 * size)) - 1; }

// M-2. `offset + size` lies inside the map.
inline u64 read_map(u32 offset, u32 size) {
  struct [[gnu::packed]] Map {
    u32 version = wire::reg::VersionMajor::put(1) | wire::reg::VersionMinor::put(0) |
                  wire::reg::VersionMicro::put(1);
    u32 reserved0 = 0;
    u64 doorbell_offset = kDoorbellZone;
    u32 doorbell_size = wire::kPageSize;
    u32 reserved1 = 0;
    u64 smc_offset = kMailboxOffset;
    u32 smc_size = wire::smc::kBytes;
    u32 reserved2 = 0;
  };
  static_assert(sizeof(Map) == wire::reg::kMapSize);
  const Map map;
  u64 value = 0;
  copy_bytes(&value, reinterpret_cast<const u8*>(&map) + offset, size);
  return value;
}

inline bool inside(u64 offset, u32 size, u64 start, u64 length) {
  return offset >= start && size <= length && offset - start <= length - size;
}

// A doorbell write: which page, which register.
struct DoorbellAddress {
  u32 page;
  u32 reg;

  static bool of(u64 offset, DoorbellAddress& address) {
    if (offset < kDoorbellZone || offset >= kDoorbellZone + kDoorbellPages * wire::kPageSize)
      return false;
    const u32 in_zone = static_cast<u32>(offset - kDoorbellZone);
    address = {in_zone / wire::kPageSize, in_zone % wire::kPageSize};
    return true;
  }
};

}  // namespace mana::model
