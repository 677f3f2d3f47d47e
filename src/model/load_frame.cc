// SPDX-License-Identifier: GPL-2.0
#include "model/load_frame.h"

#include "model/checksum.h"

namespace mana::model {
namespace {

constexpr u32 kIpHeader = 20;
constexpr u32 kL3 = kEthernetHeader;
constexpr u32 kL4 = kEthernetHeader + kIpHeader;
constexpr u8 kProtocolTcp = 6;
constexpr u8 kProtocolUdp = 17;

void put_ethernet(u8* bytes, const u8 (&to_mac)[6]) {
  copy_bytes(bytes, to_mac, 6);
  copy_bytes(bytes + 6, kLoadMac, 6);
  store16(bytes + 12, 0x0800);
}

void put_ip(u8* bytes, u32 length, u8 protocol, u32 source, u32 destination) {
  u8* ip = bytes + kL3;
  ip[0] = 0x45;
  ip[1] = 0;
  store16(ip + 2, length - kL3);
  store16(ip + 4, 0);
  store16(ip + 6, 0x4000);  // not to be fragmented
  ip[8] = 64;
  ip[9] = protocol;
  store16(ip + 10, 0);
  store32(ip + 12, source);
  store32(ip + 16, destination);
  store_checksum(ip + 10, static_cast<u16>(~checksum_fold(checksum_add(0, ip, kIpHeader))));
}

// `headers`: bytes of the L4 header; what follows is zero and adds nothing.
void put_l4_checksum(u8* bytes, u32 length, L4 l4, u32 headers) {
  FrameLayout layout;
  layout.l3 = L3::kIpv4;
  layout.l4 = l4;
  layout.l3_offset = kL3;
  u8* field = bytes + kL4 + checksum_offset(l4);
  store16(field, 0);
  const u64 sum =
      checksum_add(pseudo_header_sum(bytes, layout, length - kL4), bytes + kL4, headers);
  const u16 folded = static_cast<u16>(~checksum_fold(sum));
  store_checksum(field, folded == 0 ? static_cast<u16>(0xFFFF) : folded);
}

// Options, padded to words. Returns their length.
u32 put_options(u8* at, const LoadTcp& tcp) {
  u32 length = 0;
  if ((tcp.flags & LoadTcp::kSyn) != 0) {
    at[length++] = 2;  // maximum segment size
    at[length++] = 4;
    store16(at + length, 8960);
    length += 2;
    at[length++] = 1;  // nothing
    at[length++] = 3;  // window scale
    at[length++] = 3;
    at[length++] = kLoadTcpScale;
  }
  if (tcp.timestamps) {
    // A clock that stands still: equal options are what lets a receiver merge segments.
    at[length++] = 1;
    at[length++] = 1;
    at[length++] = 8;
    at[length++] = 10;
    store32(at + length, 1);
    store32(at + length + 4, 0);
    length += 8;
  }
  return length;
}

}  // namespace

u32 make_load_udp(u8* bytes, const u8 (&to_mac)[6], const LoadUdp& udp) {
  constexpr u32 kHeader = 8;
  put_ethernet(bytes, to_mac);
  const u32 host = udp.to == udp.port ? kLoadGuest : kLoadPeer;
  put_ip(bytes, udp.length, kProtocolUdp, load_address(udp.port, kLoadPeer),
         load_address(udp.to, host));
  u8* header = bytes + kL4;
  store16(header, kLoadUdpSource + udp.flow);
  store16(header + 2, kLoadUdpPort);
  store16(header + 4, udp.length - kL4);
  put_l4_checksum(bytes, udp.length, L4::kUdp, kHeader);
  return udp.length;
}

u32 make_load_tcp(u8* bytes, const u8 (&to_mac)[6], const LoadTcp& tcp) {
  u8* header = bytes + kL4;
  const u32 header_bytes = 20 + put_options(header + 20, tcp);
  const u32 length = kL4 + header_bytes + tcp.payload;
  put_ethernet(bytes, to_mac);
  put_ip(bytes, length, kProtocolTcp, tcp.source, tcp.destination);
  store16(header, tcp.source_port);
  store16(header + 2, tcp.destination_port);
  store32(header + 4, tcp.sequence);
  store32(header + 8, tcp.acknowledgement);
  header[12] = static_cast<u8>(header_bytes / 4 << 4);
  header[13] = tcp.flags;
  store16(header + 14, 0xFFFF);
  store16(header + 18, 0);
  put_l4_checksum(bytes, length, L4::kTcp, header_bytes);
  return length;
}

void turn_around(u8* bytes, const FrameLayout& layout) {
  constexpr u32 kMac = 6;
  u8 mac[kMac];
  copy_bytes(mac, bytes, kMac);
  copy_bytes(bytes, bytes + kMac, kMac);
  copy_bytes(bytes + kMac, mac, kMac);
  u8* ip = bytes + layout.l3_offset;
  const u32 source = load32(ip + 12);
  store32(ip + 12, load32(ip + 16));
  store32(ip + 16, source);
  u8* l4 = bytes + layout.l4_offset;
  const u16 port = load16(l4);
  store16(l4, load16(l4 + 2));
  store16(l4 + 2, port);
}

}  // namespace mana::model
