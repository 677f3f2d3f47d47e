// SPDX-License-Identifier: GPL-2.0
// Event queue entries (data sheet 5.4, 9 and 4.3).
#pragma once

#include "base/bits.h"

namespace mana::wire {

// Owner bits are the lap of the ring, modulo 8, in the top of an entry's last word.
inline constexpr u32 kOwnerLaps = 8;
using OwnerBits = Bits<31, 29>;

enum class EqeType : u8 {
  kCompletion = 3,
  kTest = 64,
  kHwcEqIdDoorbell = 129,
  kHwcInitData = 130,
  kHwcInitDone = 131,
  kFpgaReconfiguration = 132,
  kReconfigurationData = 133,
  kSocService = 134,
  kVfResetRequest = 135,
  kRnicQpFatal = 176,
};

struct Eqe {
  static constexpr u32 kSize = 16;

  u32 data[3];
  u32 trailer;

  using Type = Bits<7, 0>;       // of trailer
  using ClientId = Bits<17, 16>;  // of trailer

  // data[0], by type
  using CqId = Bits<23, 0>;           // kCompletion
  using HwcEqId = Bits<15, 0>;        // kHwcEqIdDoorbell
  using HwcDoorbell = Bits<31, 16>;   // kHwcEqIdDoorbell
  using ItemValue = Bits<23, 0>;      // kHwcInitData, kReconfigurationData
  using ItemType = Bits<31, 24>;      // kHwcInitData, kReconfigurationData
  using RevokeVf = Bit<0>;            // kVfResetRequest

  constexpr EqeType type() const { return static_cast<EqeType>(Type::get(trailer)); }
};
static_assert(sizeof(Eqe) == Eqe::kSize);
static_assert(__builtin_offsetof(Eqe, trailer) == 12);

enum class HwcInitItem : u8 {
  kCqId = 1,
  kRqId = 2,
  kSqId = 3,
  kQueueDepth = 4,
  kMaxRequest = 5,
  kMaxResponse = 6,
  kMaxCqs = 7,
  kPdid = 8,
  kGpaMkey = 9,
  kDestinationRqId = 10,
  kDestinationCqId = 11,
};

enum class ReconfigurationItem : u8 {
  kHwcTimeout = 1,     // milliseconds
  kVportLinkUp = 2,    // vPort index
  kVportLinkDown = 3,  // vPort index
};

}  // namespace mana::wire
