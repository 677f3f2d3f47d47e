// SPDX-License-Identifier: GPL-2.0
// Frames that the load generator makes: Ethernet, IPv4 and UDP or TCP around a payload of zeros.
#pragma once

#include "model/config.h"
#include "model/frame.h"

namespace mana::model {

// The generator lives behind every port, in the networks that are reserved for benchmarks
// (198.18.0.0/15): port n is the network 198.18.n.0/24, the guest is .1 there, the generator .2.
inline constexpr u32 kLoadNetwork = 198u << 24 | 18u << 16;
constexpr u32 load_address(u32 port, u32 host) { return kLoadNetwork | port << 8 | host; }
inline constexpr u32 kLoadGuest = 1;
inline constexpr u32 kLoadPeer = 2;
inline constexpr u8 kLoadMac[6] = {0x02, 0, 0x5E, 0x12, 0, 0};
inline constexpr u32 kLoadUdpPort = 9000;    // the guest's
inline constexpr u32 kLoadUdpSource = 20000;  // of flow 0, flow n adds n

struct LoadUdp {
  u32 port;  // of the device: whose network the frame comes from
  u32 to;    // port whose network it goes to: another one if the guest is to forward it
  u32 flow;
  u32 length;  // of the frame, at least kLoadMinUdp
};
inline constexpr u32 kLoadMinUdp = 42;

struct LoadTcp {
  static constexpr u8 kFin = 0x01;
  static constexpr u8 kSyn = 0x02;
  static constexpr u8 kRst = 0x04;
  static constexpr u8 kAck = 0x10;

  u32 source;  // addresses
  u32 destination;
  u32 source_port;
  u32 destination_port;
  u32 sequence;
  u32 acknowledgement;
  u8 flags;
  bool timestamps;
  u32 payload;  // bytes
};
inline constexpr u32 kLoadTcpScale = 14;  // of the window that the generator offers

// Both write at `bytes`, where all bytes behind the headers must be zero, and return the length.
u32 make_load_udp(u8* bytes, const u8 (&to_mac)[6], const LoadUdp& udp);
u32 make_load_tcp(u8* bytes, const u8 (&to_mac)[6], const LoadTcp& tcp);

// The frame on its way back: addresses and ports change places, which no checksum notices.
void turn_around(u8* bytes, const FrameLayout& layout);

}  // namespace mana::model
