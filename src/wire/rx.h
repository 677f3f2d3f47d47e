// SPDX-License-Identifier: GPL-2.0
// Receive completions (data sheet 8.7).
#pragma once

#include "base/bits.h"
#include "wire/work_queue.h"

namespace mana::wire {

enum class RxCqeType : u8 {
  kInvalid = 0,
  kOk = 1,
  kCoalesced4 = 2,
  kFence = 3,
  kTruncated = 4,
  kCoalesced8 = 7,
};

struct RxPacketInfo {
  u16 length;  // bytes
  u16 reserved0;
  u32 reserved1;
  u32 hash;
};
static_assert(sizeof(RxPacketInfo) == 12);

// In a completion of type kCoalesced8: two packets, the even one first.
struct RxPacketPair {
  u32 hash_even;
  u16 length_even;
  u16 length_odd;
  u32 hash_odd;
};
static_assert(sizeof(RxPacketPair) == sizeof(RxPacketInfo));

// The RX view of a Cqe.
struct RxCqe {
  u32 dw0;
  u32 flags;
  union {
    RxPacketInfo packets[4];
    RxPacketPair pairs[4];  // of type kCoalesced8
  };
  u32 wqe_offset;  // byte position of the consumed WQE, unmasked; of several the first
  u32 trailer;

  // dw0
  using Type = Bits<5, 0>;
  using ClientType = Bits<7, 6>;
  using VendorError = Bits<31, 8>;

  // flags
  using VlanId = Bits<11, 0>;
  using VlanPresent = Bit<12>;
  using OuterIpGood = Bit<13>;
  using OuterIpBad = Bit<14>;
  using HashType = Bits<24, 16>;
  using IpGood = Bit<25>;
  using IpBad = Bit<26>;
  using TcpGood = Bit<27>;
  using TcpBad = Bit<28>;
  using UdpGood = Bit<29>;
  using UdpBad = Bit<30>;

  constexpr RxCqeType type() const { return static_cast<RxCqeType>(Type::get(dw0)); }
};
static_assert(sizeof(RxCqe) == Cqe::kSize);
static_assert(__builtin_offsetof(RxCqe, packets) == 8);
static_assert(__builtin_offsetof(RxCqe, wqe_offset) == 56);
static_assert(__builtin_offsetof(RxCqe, trailer) == 60);

// Hash types: bits of RxCqe::HashType, and of the types a vPort computes.
namespace hash {
inline constexpr u32 kIpv4 = 1u << 0;
inline constexpr u32 kTcpIpv4 = 1u << 1;
inline constexpr u32 kUdpIpv4 = 1u << 2;
inline constexpr u32 kIpv6 = 1u << 3;
inline constexpr u32 kTcpIpv6 = 1u << 4;
inline constexpr u32 kUdpIpv6 = 1u << 5;
inline constexpr u32 kIpv6Ex = 1u << 6;
inline constexpr u32 kTcpIpv6Ex = 1u << 7;
inline constexpr u32 kUdpIpv6Ex = 1u << 8;
inline constexpr u32 kL4Mask = kTcpIpv4 | kUdpIpv4 | kTcpIpv6 | kUdpIpv6 | kTcpIpv6Ex | kUdpIpv6Ex;
inline constexpr u32 kDefault = kIpv4 | kTcpIpv4 | kUdpIpv4 | kIpv6 | kTcpIpv6 | kUdpIpv6;
inline constexpr u32 kKeyBytes = 40;
}  // namespace hash

}  // namespace mana::wire
