// SPDX-License-Identifier: GPL-2.0
// BAR0 of the virtual function: register map and doorbell page (data sheet 2.2, 2.4, 5.6).
#pragma once

#include "base/bits.h"

namespace mana::wire {

inline constexpr u16 kPciVendor = 0x1414;
inline constexpr u16 kPciDeviceVf = 0x00BA;

inline constexpr u32 kPageSize = 4096;  // of the device, whatever the host's page size
inline constexpr u32 kPageShift = 12;

// Register map: byte offsets in BAR0.
namespace reg {
inline constexpr u32 kVersion = 0x00;         // [15:0] micro, [23:16] minor, [31:24] major
inline constexpr u32 kDoorbellOffset = 0x08;  // u64, byte offset of doorbell page 0
inline constexpr u32 kDoorbellSize = 0x10;    // u16, bytes of a doorbell page
inline constexpr u32 kSmcOffset = 0x18;       // u64, byte offset of the mailbox
inline constexpr u32 kSmcSize = 0x20;         // u16, bytes of the mailbox
inline constexpr u32 kMapSize = 0x28;

using VersionMicro = Bits<15, 0>;
using VersionMinor = Bits<23, 16>;
using VersionMajor = Bits<31, 24>;
using DoorbellPageSize = Bits<15, 0>;
using MailboxSize = Bits<15, 0>;

inline constexpr u32 kAllOnes = 0xFFFFFFFF;  // a read from a function that is gone
}  // namespace reg

// Doorbell page: byte offsets; each register takes one aligned 64-bit write.
namespace doorbell {
inline constexpr u32 kSq = 0x000;
inline constexpr u32 kRq = 0x400;
inline constexpr u32 kRqClientData = 0x408;  // RDMA only
inline constexpr u32 kCq = 0x800;
inline constexpr u32 kCqModeration = 0x820;
inline constexpr u32 kEq = 0xFF8;
inline constexpr u32 kMinPageSize = 4096;

// All: the queue id. EQ ids are 16 bits wide.
using QueueId = Bits<23, 0, u64>;
using EqId = Bits<15, 0, u64>;

// SQ and RQ: producer position in bytes, modulo 2^32, not reduced by the ring size.
using WqTail = Bits<63, 32, u64>;
using RqWqeCount = Bits<31, 24, u64>;  // drivers write 0

// CQ and EQ: consumer index in entries, modulo 8 laps; bit 63 arms.
using Index = Bits<62, 32, u64>;
using Arm = Bit<63, u64>;

// CQ moderation.
using ModerationPeriod = Bits<41, 32, u64>;  // microseconds
using ModerationPeriodValid = Bit<47, u64>;
using ModerationCount = Bits<55, 48, u64>;  // completions
using ModerationCountValid = Bit<63, u64>;

constexpr u64 work_queue(u32 id, u32 tail_bytes) {
  return QueueId::put(id) | WqTail::put(tail_bytes);
}
constexpr u64 completion_queue(u32 id, u32 index, bool arm) {
  return QueueId::put(id) | Index::put(index) | Arm::put(arm);
}
constexpr u64 moderation(u32 id, u32 period_us, u32 count) {
  return QueueId::put(id) | ModerationPeriod::put(period_us) | ModerationPeriodValid::put(1) |
         ModerationCount::put(count) | ModerationCountValid::put(1);
}
constexpr u64 event_queue(u32 id, u32 index, bool arm) {
  return EqId::put(id) | Index::put(index) | Arm::put(arm);
}
}  // namespace doorbell

}  // namespace mana::wire
