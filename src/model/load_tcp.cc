// SPDX-License-Identifier: GPL-2.0
#include "model/load_tcp.h"

#include "model/checksum.h"

namespace mana::model {
namespace {

constexpr u32 kFirstSequence = 1'000'000;
constexpr u32 kMinHeader = 20;

}  // namespace

void LoadTcpPeer::receive(const Frame& frame, bool want_timestamps) {
  const u8* tcp = frame.bytes + frame.layout.l4_offset;
  const u8 flags = tcp[13];
  const u32 header_bytes = (tcp[12] >> 4) * 4u;
  if (header_bytes < kMinHeader || header_bytes > frame.layout.l4_length)
    return;
  if ((flags & LoadTcp::kRst) != 0) {
    connected_ = false;
    reply_ = 0;
    return;
  }
  if ((flags & LoadTcp::kSyn) != 0) {
    accept(frame, want_timestamps);
    return;
  }
  if (!connected_ || load16(tcp) != guest_port_)
    return;
  if ((flags & LoadTcp::kAck) != 0)
    limit_ = load32(tcp + 8) + (static_cast<u32>(load16(tcp + 14)) << scale_);
  const u32 payload = frame.layout.l4_length - header_bytes;
  const u32 end = load32(tcp + 4) + payload;
  if (payload > 0) {
    if (static_cast<int>(end - expected_) > 0)
      expected_ = end;
    reply_ |= LoadTcp::kAck;
  }
  if ((flags & LoadTcp::kFin) != 0 && end == expected_) {
    expected_++;
    reply_ |= LoadTcp::kAck | LoadTcp::kFin;
  }
}

void LoadTcpPeer::accept(const Frame& frame, bool want_timestamps) {
  const u8* ip = frame.bytes + frame.layout.l3_offset;
  const u8* tcp = frame.bytes + frame.layout.l4_offset;
  copy_bytes(guest_mac_, frame.bytes + 6, sizeof(guest_mac_));
  guest_ = load32(ip + 12);
  peer_ = load32(ip + 16);
  guest_port_ = load16(tcp);
  peer_port_ = load16(tcp + 2);
  expected_ = load32(tcp + 4) + 1;
  next_ = kFirstSequence;
  limit_ = next_;
  read_options(tcp + kMinHeader, (tcp[12] >> 4) * 4u - kMinHeader, want_timestamps);
  connected_ = true;
  reply_ = LoadTcp::kSyn | LoadTcp::kAck;
}

void LoadTcpPeer::read_options(const u8* options, u32 length, bool want_timestamps) {
  scale_ = 0;
  timestamps_ = false;
  for (u32 at = 0; at < length && options[at] != 0;) {
    if (options[at] == 1) {
      at++;
      continue;
    }
    if (at + 2 > length || options[at + 1] < 2 || at + options[at + 1] > length)
      return;
    if (options[at] == 3 && options[at + 1] == 3)
      scale_ = min<u8>(options[at + 2], 14);
    if (options[at] == 8)
      timestamps_ = want_timestamps;
    at += options[at + 1];
  }
}

LoadTcp LoadTcpPeer::header(u8 flags) const {
  return {.source = peer_,
          .destination = guest_,
          .source_port = peer_port_,
          .destination_port = guest_port_,
          .sequence = next_,
          .acknowledgement = expected_,
          .flags = flags,
          .timestamps = timestamps_,
          .payload = 0};
}

u32 LoadTcpPeer::take_reply(u8* bytes) {
  const u8 flags = reply_;
  reply_ = 0;
  const u32 length = make_load_tcp(bytes, guest_mac_, header(flags));
  // Both take a sequence number.
  if ((flags & (LoadTcp::kSyn | LoadTcp::kFin)) != 0)
    next_++;
  if ((flags & LoadTcp::kFin) != 0)
    connected_ = false;
  return length;
}

u32 LoadTcpPeer::make_segment(u8* bytes, u32 payload) const {
  LoadTcp tcp = header(LoadTcp::kAck);
  tcp.payload = payload;
  return make_load_tcp(bytes, guest_mac_, tcp);
}

}  // namespace mana::model
