// SPDX-License-Identifier: GPL-2.0
#include "model/frame.h"

#include "model/checksum.h"
#include "model/config.h"
#include "wire/rx.h"

namespace mana::model {
namespace {

constexpr u32 kTypeIpv4 = 0x0800;
constexpr u32 kTypeIpv6 = 0x86DD;
constexpr u32 kTypeVlan = 0x8100;
constexpr u32 kTypeServiceVlan = 0x88A8;
constexpr u32 kMacs = 12;

constexpr u8 kProtocolTcp = 6;
constexpr u8 kProtocolUdp = 17;
constexpr u32 kTcpHeader = 20;
constexpr u32 kUdpHeader = 8;

void parse_l4(FrameLayout& layout, u8 protocol) {
  if (layout.fragment)
    return;
  if (protocol == kProtocolTcp && layout.l4_length >= kTcpHeader)
    layout.l4 = L4::kTcp;
  else if (protocol == kProtocolUdp && layout.l4_length >= kUdpHeader)
    layout.l4 = L4::kUdp;
}

void parse_ipv4(FrameLayout& layout, const u8* bytes, u32 length, LengthSource source) {
  constexpr u32 kMinHeader = 20;
  const u8* ip = bytes + layout.l3_offset;
  const u32 available = length - layout.l3_offset;
  if (available < kMinHeader || ip[0] >> 4 != 4)
    return;
  const u32 header = (ip[0] & 0xFu) * 4;
  const u32 total = source == LengthSource::kFrame ? available : load16(ip + 2);
  if (header < kMinHeader || total < header || total > available)
    return;
  layout.l3 = L3::kIpv4;
  layout.fragment = (load16(ip + 6) & 0x3FFF) != 0;  // more fragments, or an offset
  layout.l4_offset = layout.l3_offset + header;
  layout.l4_length = total - header;
  parse_l4(layout, ip[9]);
}

void parse_ipv6(FrameLayout& layout, const u8* bytes, u32 length, LengthSource source) {
  constexpr u32 kHeader = 40;
  constexpr u32 kMaxExtensions = 8;
  const u8* ip = bytes + layout.l3_offset;
  const u32 available = length - layout.l3_offset;
  if (available < kHeader || ip[0] >> 4 != 6)
    return;
  u32 left = source == LengthSource::kFrame ? available - kHeader : load16(ip + 4);
  if (left > available - kHeader)
    return;
  layout.l3 = L3::kIpv6;
  u8 next = ip[6];
  u32 offset = layout.l3_offset + kHeader;
  for (u32 i = 0; i < kMaxExtensions; i++) {
    // Hop-by-hop, routing, destination options; then fragment.
    if ((next != 0 && next != 43 && next != 60 && next != 44) || left < 8)
      break;
    const u32 size = next == 44 ? 8 : (bytes[offset + 1] + 1u) * 8;
    if (size > left)
      break;
    if (next == 44)
      layout.fragment = true;
    next = bytes[offset];
    offset += size;
    left -= size;
  }
  layout.l4_offset = offset;
  layout.l4_length = left;
  parse_l4(layout, next);
}

}  // namespace

FrameLayout parse_frame(const u8* bytes, u32 length, LengthSource source) {
  FrameLayout layout;
  if (length < kEthernetHeader)
    return layout;
  // A tag that stays in the frame (the inner one of two) is stepped over.
  u32 type_offset = kMacs;
  u32 type = load16(bytes + type_offset);
  if ((type == kTypeVlan || type == kTypeServiceVlan) && length >= kEthernetHeader + kVlanTag) {
    type_offset += kVlanTag;
    type = load16(bytes + type_offset);
  }
  layout.l3_offset = type_offset + 2;
  if (type == kTypeIpv4)
    parse_ipv4(layout, bytes, length, source);
  else if (type == kTypeIpv6)
    parse_ipv6(layout, bytes, length, source);
  return layout;
}

bool Frame::take_tag() {
  if (length < kEthernetHeader + kVlanTag || load16(bytes + kMacs) != kTypeVlan)
    return false;
  tci = load16(bytes + kEthernetHeader);
  tagged = true;
  u8 macs[kMacs];
  copy_bytes(macs, bytes, kMacs);
  copy_bytes(bytes + kVlanTag, macs, kMacs);
  bytes += kVlanTag;
  length -= kVlanTag;
  return true;
}

void Frame::put_tag() {
  u8 macs[kMacs];
  copy_bytes(macs, bytes, kMacs);
  bytes -= kVlanTag;
  length += kVlanTag;
  copy_bytes(bytes, macs, kMacs);
  store16(bytes + kMacs, kTypeVlan);
  store16(bytes + kEthernetHeader, tci);
  tagged = false;
}

u64 pseudo_header_sum(const u8* bytes, const FrameLayout& layout, u32 l4_length) {
  const u8* ip = bytes + layout.l3_offset;
  const u32 protocol = layout.l4 == L4::kTcp ? kProtocolTcp : kProtocolUdp;
  const u64 sum =
      layout.l3 == L3::kIpv4 ? checksum_add(0, ip + 12, 8) : checksum_add(0, ip + 8, 32);
  return sum + checksum_number(protocol) + checksum_number(l4_length & 0xFFFF) +
         checksum_number(l4_length >> 16);
}

u32 verify_checksums(const Frame& frame) {
  const FrameLayout& layout = frame.layout;
  u32 flags = 0;
  if (layout.l3 == L3::kIpv4) {
    const u8* ip = frame.bytes + layout.l3_offset;
    if (checksum_fold(checksum_add(0, ip, layout.l4_offset - layout.l3_offset)) != 0xFFFF)
      return wire::RxCqe::IpBad::kMask;
    flags = wire::RxCqe::IpGood::kMask;
  } else if (layout.l3 == L3::kIpv6) {
    // M-55: there is no header checksum, but drivers look at L4 only behind a good header.
    flags = wire::RxCqe::IpGood::kMask;
  }
  if (layout.l4 == L4::kOther)
    return flags;
  const u8* l4 = frame.bytes + layout.l4_offset;
  if (layout.l4 == L4::kUdp) {
    // A UDP checksum of 0 is none: neither good nor bad. A UDP length that differs from the
    // packet's covers something else than what was sent.
    if (load16(l4 + 6) == 0)
      return flags;
    if (load16(l4 + 4) != layout.l4_length)
      return flags | wire::RxCqe::UdpBad::kMask;
  }
  const u64 sum = pseudo_header_sum(frame.bytes, layout, layout.l4_length);
  const bool good = checksum_fold(checksum_add(sum, l4, layout.l4_length)) == 0xFFFF;
  if (layout.l4 == L4::kTcp)
    return flags | (good ? wire::RxCqe::TcpGood::kMask : wire::RxCqe::TcpBad::kMask);
  return flags | (good ? wire::RxCqe::UdpGood::kMask : wire::RxCqe::UdpBad::kMask);
}

}  // namespace mana::model
