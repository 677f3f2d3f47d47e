// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kern/atomic.h"
#include "shim/xdp.h"
#include "wire/rx.h"

namespace mana::port {

// What a receive completion says about its packet. Each word is read exactly once, because the
// device can rewrite it at any moment (D-28); the trailer is the CompletionCursor's.
struct RxCompletion {
  wire::RxCqeType type;
  u32 flags;
  u32 length;  // bytes, as the device says; unchecked
  u32 hash;

  static RxCompletion copy(const wire::Cqe& cqe) {
    const auto& entry = reinterpret_cast<const wire::RxCqe&>(cqe);
    const u32 dw0 = kern::read_once(entry.dw0);
    return {.type = static_cast<wire::RxCqeType>(wire::RxCqe::Type::get(dw0)),
            .flags = kern::read_once(entry.flags),
            .length = kern::read_once(entry.packets[0].length),
            .hash = kern::read_once(entry.packets[0].hash)};
  }

  // D-61: an L4 checksum counts only on top of a good IP header.
  bool checksum_good() const {
    return wire::RxCqe::IpGood::get(flags) &&
           (wire::RxCqe::TcpGood::get(flags) || wire::RxCqe::UdpGood::get(flags));
  }

  static constexpr u32 kChecksumBad =
      wire::RxCqe::IpBad::kMask | wire::RxCqe::TcpBad::kMask | wire::RxCqe::UdpBad::kMask;
  bool checksum_bad() const { return flags & kChecksumBad; }

  u32 hash_type() const { return wire::RxCqe::HashType::get(flags); }
  bool hash_is_l4() const { return hash_type() & wire::hash::kL4Mask; }
  bool has_vlan() const { return wire::RxCqe::VlanPresent::get(flags); }
  u16 vlan_id() const { return static_cast<u16>(wire::RxCqe::VlanId::get(flags)); }

  // What XDP programs ask for; false: the device did not say.
  bool hint_hash(u32& value, u32& kinds) const {
    value = hash;
    kinds = hash_kinds();
    return kinds != 0;
  }
  bool hint_vlan(u16& tci) const {
    tci = vlan_id();
    return has_vlan();
  }

  // The hash type in the kernel's terms: bits of enum shim_hash_kind.
  u32 hash_kinds() const {
    using namespace wire::hash;
    const u32 is = hash_type();
    u32 kinds = 0;
    if (is & (kIpv4 | kTcpIpv4 | kUdpIpv4))
      kinds |= SHIM_HASH_IPV4;
    if (is & (kIpv6 | kTcpIpv6 | kUdpIpv6 | kIpv6Ex | kTcpIpv6Ex | kUdpIpv6Ex))
      kinds |= SHIM_HASH_IPV6;
    if (is & (kIpv6Ex | kTcpIpv6Ex | kUdpIpv6Ex))
      kinds |= SHIM_HASH_EXTENSIONS;
    if (is & (kTcpIpv4 | kTcpIpv6 | kTcpIpv6Ex))
      kinds |= SHIM_HASH_L4 | SHIM_HASH_TCP;
    if (is & (kUdpIpv4 | kUdpIpv6 | kUdpIpv6Ex))
      kinds |= SHIM_HASH_L4 | SHIM_HASH_UDP;
    return kinds;
  }
};

}  // namespace mana::port
