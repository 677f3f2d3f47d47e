// SPDX-License-Identifier: GPL-2.0
#include "model/tx_offload.h"

#include "model/checksum.h"

namespace mana::model {
namespace {

constexpr u32 kTcpFlags = 13;
constexpr u8 kTcpFin = 0x01;
constexpr u8 kTcpPush = 0x08;
constexpr u8 kTcpCwr = 0x80;

void fill_ipv4_checksum(u8* ip, u32 header) {
  store16(ip + 10, 0);
  store_checksum(ip + 10, static_cast<u16>(~checksum_fold(checksum_add(0, ip, header))));
}

}  // namespace

wire::TxCqeType fill_checksums(Frame& frame, const ChecksumRequest& request) {
  const FrameLayout& layout = frame.layout;
  if (request.l4 != L4::kOther) {
    if (layout.l4 != request.l4)
      return wire::TxCqeType::kInvalidOob;
    if (request.transport_offset != 0 && request.transport_offset != layout.l4_offset)
      return wire::TxCqeType::kInvalidOob;  // V14
  }
  if (request.ip && layout.l3 == L3::kOther)
    return wire::TxCqeType::kInvalidOob;

  if (request.ip && layout.l3 == L3::kIpv4)
    fill_ipv4_checksum(frame.bytes + layout.l3_offset, layout.l4_offset - layout.l3_offset);
  if (request.l4 != L4::kOther) {
    // The field holds the pseudo header's sum, so the sum over the segment is complete.
    u8* l4 = frame.bytes + layout.l4_offset;
    u16 sum = static_cast<u16>(~checksum_fold(checksum_add(0, l4, layout.l4_length)));
    if (request.l4 == L4::kUdp && sum == 0)
      sum = 0xFFFF;  // 0 would say: no checksum
    store_checksum(l4 + checksum_offset(request.l4), sum);
  }
  return wire::TxCqeType::kOk;
}

bool Segmenter::begin(const Frame& frame, u32 header, u32 mss) {
  const FrameLayout& layout = frame.layout;
  if (layout.l4 != L4::kTcp || header > kMaxHeader || header >= frame.length || mss == 0)
    return false;
  // V13: the TCP header, options included, ends where the headers end.
  if (layout.l4_offset + 20 > header)
    return false;
  const u32 tcp_header = (frame.bytes[layout.l4_offset + 12] >> 4) * 4u;
  if (tcp_header < 20 || layout.l4_offset + tcp_header != header)
    return false;
  frame_ = &frame;
  header_ = header;
  mss_ = mss;
  payload_ = frame.length - header;
  done_ = 0;
  index_ = 0;
  copy_bytes(template_, frame.bytes, header);
  return true;
}

bool Segmenter::next(Frame& segment) {
  if (done_ == payload_)
    return false;
  const u32 payload = min(mss_, payload_ - done_);
  segment = *frame_;
  segment.bytes = frame_->bytes + done_;
  segment.length = header_ + payload;
  copy_bytes(segment.bytes, template_, header_);
  finish(segment, payload, done_ == 0, done_ + payload == payload_);
  done_ += payload;
  index_++;
  return true;
}

void Segmenter::finish(Frame& segment, u32 payload, bool first, bool last) const {
  FrameLayout& layout = segment.layout;
  layout.l4_length = header_ - layout.l4_offset + payload;
  u8* ip = segment.bytes + layout.l3_offset;
  u8* tcp = segment.bytes + layout.l4_offset;

  if (layout.l3 == L3::kIpv4) {
    const u32 ip_header = layout.l4_offset - layout.l3_offset;
    store16(ip + 2, ip_header + layout.l4_length);
    store16(ip + 4, load16(ip + 4) + index_);
    fill_ipv4_checksum(ip, ip_header);
  } else {
    constexpr u32 kIpv6Header = 40;
    store16(ip + 4, header_ + payload - layout.l3_offset - kIpv6Header);
  }

  store32(tcp + 4, load32(tcp + 4) + done_);
  if (!last)
    tcp[kTcpFlags] &= static_cast<u8>(~(kTcpFin | kTcpPush));
  if (!first)
    tcp[kTcpFlags] &= static_cast<u8>(~kTcpCwr);
  // 8.4: the field is seeded with the pseudo header of length 0; the length is added here.
  const u64 sum = checksum_number(layout.l4_length) + checksum_add(0, tcp, layout.l4_length);
  store_checksum(tcp + checksum_offset(L4::kTcp), static_cast<u16>(~checksum_fold(sum)));
}

}  // namespace mana::model
