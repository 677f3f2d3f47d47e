// SPDX-License-Identifier: GPL-2.0
// Transmit: out-of-band data of an SQ WQE and its completion (data sheet 8.1, 8.4, 8.5).
#pragma once

#include "base/bits.h"
#include "wire/work_queue.h"

namespace mana::wire {

// Short form is the first two words; the long form has all six.
struct TxOob {
  u32 dw[6];

  // dw0
  using PacketFormat = Bits<1, 0>;
  using IsIpv4 = Bit<2>;
  using IsIpv6 = Bit<3>;
  using ComputeIpChecksum = Bit<4>;
  using ComputeTcpChecksum = Bit<5>;
  using ComputeUdpChecksum = Bit<6>;
  using SuppressCqe = Bit<7>;
  using CqId = Bits<31, 8>;

  // dw1: the SQ frame number sits where it sits in the SQ id.
  using TransportOffset = Bits<9, 0>;  // bytes from the frame's start
  using SqFrame = Bits<23, 10>;
  using ShortVportOffset = Bits<31, 24>;

  // dw2
  using Encapsulated = Bit<0>;
  using InjectVlan = Bit<3>;
  using Pcp = Bits<18, 16>;
  using Dei = Bit<19>;
  using VlanId = Bits<31, 20>;

  // dw3
  using LongVportOffset = Bits<27, 16>;

  static constexpr u32 kShortFormat = 0;
  static constexpr u32 kLongFormat = 1;
  static constexpr u32 kMaxShortVportOffset = ShortVportOffset::kMax;
  static constexpr u32 kMaxVportOffset = LongVportOffset::kMax;
  static constexpr u32 kMaxTransportOffset = TransportOffset::kMax;
};
static_assert(sizeof(TxOob) == oob_bytes(OobSize::k24));
static_assert(TxOob::kMaxVportOffset == 4095 && TxOob::kMaxTransportOffset == 1023);

inline constexpr u32 kMaxTxSges = 30;         // what the driver posts; the long form's limit
inline constexpr u32 kMaxLsoHeader = 255;     // bytes; width of WqeHeader::LastVbytes
inline constexpr u32 kMaxLsoSegment = 16383;  // bytes; width of WqeHeader::ClientDataUnit
inline constexpr u32 kMinLsoSges = 2;

enum class TxCqeType : u8 {
  kOk = 32,
  kSourceAddressDrop = 33,
  kMtuDrop = 34,
  kInvalidOob = 35,
  kInvalidEthertype = 36,
  kHeaderError = 37,
  kVfDisabled = 38,
  kVportOutOfRange = 39,
  kVportDisabled = 40,
  kVlanViolation = 41,
  kGdmaError = 42,  // the SQ is disabled until it is destroyed
};

inline constexpr u32 kClientTypeBnic = 1;

namespace tx_cqe {
using Type = Bits<5, 0>;         // data[0]
using ClientType = Bits<7, 6>;   // data[0]
using VendorError = Bits<31, 8>;  // data[0]
using WqeByteOffset = Bits<31, 5>;  // data[2], in BU
}  // namespace tx_cqe

}  // namespace mana::wire
