// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kern/atomic.h"
#include "wire/rx.h"

namespace mana::port {

// A receive completion, copied out of the ring: each word is read exactly once, because the device
// can rewrite it at any moment (D-28).
struct RxCompletion {
  wire::RxCqeType type;
  u32 flags;
  u32 length;  // bytes, as the device says; unchecked
  u32 hash;
  u32 trailer;

  static RxCompletion copy(const wire::Cqe& cqe) {
    const auto& entry = reinterpret_cast<const wire::RxCqe&>(cqe);
    const u32 dw0 = kern::read_once(entry.dw0);
    return {.type = static_cast<wire::RxCqeType>(wire::RxCqe::Type::get(dw0)),
            .flags = kern::read_once(entry.flags),
            .length = kern::read_once(entry.packets[0].length),
            .hash = kern::read_once(entry.packets[0].hash),
            .trailer = kern::read_once(entry.trailer)};
  }

  bool belongs_to(u32 rq_id) const {
    return !wire::Cqe::IsSq::get(trailer) && wire::Cqe::WqId::get(trailer) == rq_id;
  }

  // D-61: an L4 checksum counts only on top of a good IP header.
  bool checksum_good() const {
    return wire::RxCqe::IpGood::get(flags) &&
           (wire::RxCqe::TcpGood::get(flags) || wire::RxCqe::UdpGood::get(flags));
  }

  bool checksum_bad() const {
    return wire::RxCqe::IpBad::get(flags) || wire::RxCqe::TcpBad::get(flags) ||
           wire::RxCqe::UdpBad::get(flags);
  }

  u32 hash_type() const { return wire::RxCqe::HashType::get(flags); }
  bool hash_is_l4() const { return hash_type() & wire::hash::kL4Mask; }
  bool has_vlan() const { return wire::RxCqe::VlanPresent::get(flags); }
  u16 vlan_id() const { return static_cast<u16>(wire::RxCqe::VlanId::get(flags)); }
};

}  // namespace mana::port
