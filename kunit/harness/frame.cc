// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/frame.h"

#include "kunit/harness/test.h"
#include "shim/memory.h"

namespace mana::kunit {

namespace {

constexpr u32 kTcp = 6;

u32 l3_bytes(u32 family) { return family == 4 ? 20 : family == 6 ? 40 : 0; }

u32 l4_bytes(const FrameSpec& spec) {
  if (spec.family == 0)
    return 0;
  return spec.protocol == kTcp ? 20 + spec.tcp_options : 8;
}

u32 pseudo_sum(const u8* ip, u32 family, u32 protocol, u32 l4_length) {
  const u32 addresses = family == 4 ? internet_sum(ip + 12, 8) : internet_sum(ip + 8, 32);
  const u32 sum = addresses + protocol + l4_length;
  return (sum & 0xFFFF) + (sum >> 16);
}

}  // namespace

u32 internet_sum(const u8* bytes, u32 length, u32 start) {
  u32 sum = start;
  for (u32 i = 0; i + 1 < length; i += 2)
    sum += get16(bytes + i);
  if (length & 1)
    sum += u32{bytes[length - 1]} << 8;
  while (sum >> 16)
    sum = (sum & 0xFFFF) + (sum >> 16);
  return sum;
}

bool checksums_are_right(const u8* frame, u32 length) {
  const u32 type = get16(frame + 12);
  const u8* ip = frame + 14;
  u32 family, protocol, header, total;
  if (type == 0x0800) {
    family = 4, protocol = ip[9], header = (ip[0] & 15) * 4, total = get16(ip + 2);
    if (internet_sum(ip, header) != 0xFFFF)
      return false;
  } else if (type == 0x86DD) {
    family = 6, protocol = ip[6], header = 40, total = 40 + get16(ip + 4);
  } else {
    return false;
  }
  if (14 + total > length || header > total)
    return false;
  const u32 l4 = total - header;
  return internet_sum(ip + header, l4, pseudo_sum(ip, family, protocol, l4)) == 0xFFFF;
}

Frame::Frame(u32 length) : bytes_{static_cast<u8*>(shim_alloc(length, -1))}, length_{length} {
  if (!bytes_) {
    FAIL("no memory for a frame of %u bytes", length);
    length_ = 0;
  }
}

Frame::~Frame() { shim_free(bytes_); }

Frame Frame::raw(u32 length, u8 source, u8 destination, u8 fill) {
  Frame frame{length};
  if (!frame)
    return frame;
  u8* eth = frame.bytes_;
  for (u32 i = 14; i < length; i++)
    eth[i] = static_cast<u8>(fill + i - 14);
  for (u32 i = 0; i < 6; i++)
    eth[i] = destination == 0xFF ? 0xFF : 0;
  if (destination != 0xFF)
    eth[0] = 2, eth[5] = destination;
  eth[6] = 2, eth[11] = source;
  put16(eth + 12, 0x88B5);  // local experimental
  return frame;
}

Frame::Frame(const FrameSpec& spec)
    : Frame{14 + (spec.tagged ? 4 : 0) + l3_bytes(spec.family) + l4_bytes(spec) + spec.payload} {
  if (!bytes_)
    return;
  partial_ = spec.partial;
  tcp_ = spec.family != 0 && spec.protocol == kTcp;
  l3_ = 14 + (spec.tagged ? 4 : 0);
  l4_ = l3_ + l3_bytes(spec.family);
  payload_ = l4_ + l4_bytes(spec);

  u8* eth = bytes_;
  for (u32 i = 0; i < 6; i++)
    eth[i] = spec.destination == 0xFF ? 0xFF : 0;
  if (spec.destination != 0xFF)
    eth[0] = 2, eth[5] = spec.destination;
  eth[6] = 2, eth[11] = spec.source;
  if (spec.tagged)
    put16(eth + 12, 0x8100), put16(eth + 14, spec.tci);
  put16(eth + l3_ - 2, spec.family == 4 ? 0x0800 : spec.family == 6 ? 0x86DD : 0x88B5);

  u8* ip = eth + l3_;
  const u32 l4_length = length_ - l4_;
  if (spec.family == 4) {
    ip[0] = 0x45;
    put16(ip + 2, 20 + l4_length);
    put16(ip + 6, 0x4000);
    ip[8] = 64, ip[9] = static_cast<u8>(spec.protocol);
    ip[12] = 10, ip[15] = spec.source;
    ip[16] = 10, ip[19] = spec.destination;
    put16(ip + 10, ~internet_sum(ip, 20));
  } else if (spec.family == 6) {
    ip[0] = 0x60;
    put16(ip + 4, l4_length);
    ip[6] = static_cast<u8>(spec.protocol), ip[7] = 64;
    ip[8] = 0xFD, ip[23] = spec.source;
    ip[24] = 0xFD, ip[39] = spec.destination;
  }

  u8* l4 = eth + l4_;
  for (u32 i = 0; i < spec.payload; i++)
    eth[payload_ + i] = static_cast<u8>(spec.fill + i);
  if (spec.family == 0)
    return;
  put16(l4, spec.source_port), put16(l4 + 2, spec.destination_port);
  u8* checksum = l4 + 6;
  if (tcp_) {
    put32(l4 + 4, spec.sequence), put32(l4 + 8, 0x1234);
    l4[12] = static_cast<u8>((20 + spec.tcp_options) / 4 << 4), l4[13] = spec.flags;
    put16(l4 + 14, 0xFFFF);
    for (u32 i = 0; i < spec.tcp_options; i++)
      l4[20 + i] = 1;  // no operation
    checksum = l4 + 16;
  } else {
    put16(l4 + 4, l4_length);
  }
  const u32 pseudo = pseudo_sum(ip, spec.family, spec.protocol, l4_length);
  put16(checksum, spec.partial ? pseudo : ~internet_sum(l4, l4_length, pseudo));
}

kunit_packet Frame::packet() const {
  return {.bytes = bytes_,
          .length = length_,
          .linear = 0,
          .fragment = 0,
          .gso_size = 0,
          .checksum_start = partial_ ? l4_ : 0,
          .checksum_offset = tcp_ ? 16u : 6u,
          .vlan = false,
          .tci = 0,
          .headroom = 0};
}

}  // namespace mana::kunit
