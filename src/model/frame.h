// SPDX-License-Identifier: GPL-2.0
// An Ethernet frame on its way through the device, and what its headers say.
#pragma once

#include "base/utility.h"
#include "model/statistics.h"

namespace mana::model {

enum class L3 : u8 { kOther, kIpv4, kIpv6 };
enum class L4 : u8 { kOther, kTcp, kUdp };

// V14: every offset and length lies inside the frame it was parsed from.
struct FrameLayout {
  L3 l3 = L3::kOther;
  L4 l4 = L4::kOther;
  bool fragment = false;
  u32 l3_offset = 0;
  u32 l4_offset = 0;  // of the first byte behind the IP headers, whatever it is
  u32 l4_length = 0;  // without Ethernet padding
};

enum class LengthSource : u8 {
  kIpHeader,  // as the IP header says; the frame may be padded
  kFrame,     // LSO: the IP length fields are zero, the frame ends where the packet ends
};

FrameLayout parse_frame(const u8* bytes, u32 length, LengthSource source = LengthSource::kIpHeader);

// Outer 802.1Q tags are taken out on the way in and travel beside the frame: both a guest's
// completion and its OOB want them apart.
struct Frame {
  static constexpr u32 kHeadroom = 64;  // bytes before `bytes` that may be overwritten

  u8* bytes = nullptr;
  u32 length = 0;
  bool tagged = false;
  u16 tci = 0;
  FrameLayout layout;

  // RxCqe flags for the checksums; computed when the first receiver asks.
  u32 checksum_flags = 0;
  bool checksum_known = false;

  Cast cast() const { return cast_of(bytes); }
  u32 wire_length() const { return length + (tagged ? 4 : 0); }

  // Moves an in-band tag beside the frame. True if there was one.
  bool take_tag();
  // The frame with its tag in band again, in the headroom; undone by take_tag().
  void put_tag();
};

// True checksums, as RxCqe flags (M-55).
u32 verify_checksums(const Frame& frame);

// The sum of the pseudo header of `layout`, not folded, for `l4_length` bytes.
u64 pseudo_header_sum(const u8* bytes, const FrameLayout& layout, u32 l4_length);

// Where the L4 checksum lies, from the start of the L4 header.
constexpr u32 checksum_offset(L4 l4) { return l4 == L4::kTcp ? 16 : 6; }

}  // namespace mana::model
