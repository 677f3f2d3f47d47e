// SPDX-License-Identifier: GPL-2.0
#include "model/vport.h"

namespace mana::model {

RxHash Vport::hash(const Frame& frame) const {
  if (!steering.rss_enabled || frame.layout.l3 == L3::kOther)
    return {};
  const bool v4 = frame.layout.l3 == L3::kIpv4;
  u32 l4_type = 0;
  if (frame.layout.l4 == L4::kTcp)
    l4_type = v4 ? wire::hash::kTcpIpv4 : wire::hash::kTcpIpv6;
  else if (frame.layout.l4 == L4::kUdp)
    l4_type = v4 ? wire::hash::kUdpIpv4 : wire::hash::kUdpIpv6;
  const u32 l3_type = v4 ? wire::hash::kIpv4 : wire::hash::kIpv6;

  // Source and destination address, then source and destination port, as they lie in the packet.
  u8 input[Toeplitz::kMaxInput];
  const u8* addresses = frame.bytes + frame.layout.l3_offset + (v4 ? 12 : 8);
  u32 length = v4 ? 8 : 32;
  copy_bytes(input, addresses, length);
  RxHash result;
  if ((steering.hash_types & l4_type) != 0) {
    copy_bytes(input + length, frame.bytes + frame.layout.l4_offset, 4);
    length += 4;
    result.type = l4_type;
  } else if ((steering.hash_types & l3_type) != 0) {
    result.type = l3_type;
  } else {
    return {};
  }
  result.value = toeplitz.hash({input, length});
  return result;
}

WorkQueue* Vport::choose_rq(const RxHash& hash) const {
  if (hash.type != 0 && steering.entries != 0)
    return steering.table[hash.value & (steering.entries - 1)];
  return steering.default_rq;
}

void Vport::forget(const WorkQueue* rq) {
  if (steering.default_rq == rq)
    steering.default_rq = nullptr;
  for (WorkQueue*& entry : steering.table) {
    if (entry == rq)
      entry = nullptr;
  }
}

void Vport::reset() {
  configured = false;
  sq_count = 0;
  rq_count = 0;
  clamped = false;
  clamp_speed = 0;
  steering = Steering{};
  const u8 no_key[wire::hash::kKeyBytes] = {};
  toeplitz.set_key(no_key);
}

}  // namespace mana::model
