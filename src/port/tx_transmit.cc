// SPDX-License-Identifier: GPL-2.0
// How packets get into a transmit queue.
#include "port/tx_queue.h"
#include "shim/dma.h"

namespace mana::port {

namespace {

using wire::TxOob;
using wire::WqeHeader;

// The WQE of an ordinary packet: one BU.
struct SmallWqe {
  WqeHeader header;
  u64 oob;
  wire::Sge sge;
};
static_assert(sizeof(SmallWqe) == wire::kBasicUnit);
static_assert(wire::wqe_bytes(wire::OobSize::k8, 1) == wire::kBasicUnit);
static_assert(__builtin_offsetof(SmallWqe, sge) == wire::sgl_offset(wire::OobSize::k8));

constexpr u32 size_code(wire::OobSize size) {
  return WqeHeader::OobSizeCode::put(static_cast<u32>(size));
}

// Copies a packet of [Half, 2 * Half] bytes as two blocks that may overlap: whole words, and not a
// byte from beyond its end, where other people's data may lie.
template <u32 Half>
inline void copy_overlapping(u8* to, const u8* from, u32 bytes) {
  const u32 second = bytes - Half;
  copy_bytes(to, from, Half);
  copy_bytes(to + second, from + second, Half);
}

// `bytes` is in [16, 128].
inline void copy_packet(u8* to, const void* data, u32 bytes) {
  const u8* from = static_cast<const u8*>(data);
  if (bytes > 64)
    copy_overlapping<64>(to, from, bytes);
  else if (bytes >= 32)
    copy_overlapping<32>(to, from, bytes);
  else
    copy_overlapping<16>(to, from, bytes);
}

}  // namespace

// What segmentation wants of a packet (data sheet 8.4); headers is 0 without it.
struct TxQueue::Lso {
  u32 headers = 0;  // bytes of SGE 0
  u32 mss = 0;
  u32 segments = 1;
};

// --- packets of the stack ---------------------------------------------------------------------

// The WQE is written at the producer position: hands it over, and the skb with it.
[[gnu::always_inline]] inline void TxQueue::post_skb(sk_buff* skb, const TxRecord& record,
                                                     bool more) {
  records_[sq_.index_of(sq_.producer())] = record;
  shim_skb_tx_timestamp(skb);
  sq_.advance(record.units);
  if (!has_room()) [[unlikely]]
    stop_if_full();
  // Nothing reads the skb any more: after the doorbell it may be gone.
  if (shim_txq_sent(txq_, record.bytes, more))
    flush();
}

bool TxQueue::transmit(sk_buff* skb) {
  if (!has_room()) [[unlikely]]  // D-34
    if (!find_room()) {
      flush();
      return false;
    }
  const bool more = shim_xmit_more();
  if (!short_form_ || !shim_skb_is_plain(skb)) [[unlikely]]
    return transmit_pieces(skb, more);

  u64 oob = oob_;
  if (shim_skb_wants_checksum(skb)) {
    oob |= checksum_bits(skb);
    statistics_->checksum_partial.increment();
  }

  const u32 position = sq_.producer();
  const u32 index = sq_.index_of(position);
  const u32 bytes = shim_skb_length(skb);
  u64 address = 0;
  u8 mappings = 0;
  if (bytes - kMinCopyBytes <= kCopyBytes - kMinCopyBytes) {
    copy_packet(copy_memory(index), shim_skb_data(skb), bytes);
    address = copy_address(index);
  } else {
    address = shim_dma_map(dev_, shim_skb_data(skb), bytes);
    if (address == SHIM_DMA_ERROR) [[unlikely]] {
      statistics_->map_errors.increment();
      return refuse(skb, more);
    }
    remember_mapping(position, 0, address, bytes);
    mappings = 1;
  }

  *reinterpret_cast<SmallWqe*>(sq_.at(position)) = {
      .header = {.dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k8)},
      .oob = oob,
      .sge = {.address = address, .memory_key = mkey_, .size = bytes}};
  statistics_->short_format.increment();
  statistics_->packets.increment();
  statistics_->bytes.add(bytes);
  post_skb(skb,
           {.object = skb,
            .bytes = bytes,
            .units = 1,
            .mappings = mappings,
            .kind = TxRecord::Kind::kSkb},
           more);
  return true;
}

// D-53: the stack left the pseudo-header sum in the field, and its position tells TCP from UDP.
u64 TxQueue::checksum_bits(const sk_buff* skb) {
  constexpr u32 kTcpField = 16;
  const u32 dw0 = (shim_skb_checksum_offset(skb) == kTcpField ? TxOob::ComputeTcpChecksum::put(1)
                                                              : TxOob::ComputeUdpChecksum::put(1)) |
                  (shim_skb_is_ipv6(skb) ? TxOob::IsIpv6::put(1) : TxOob::IsIpv4::put(1));
  return dw0 | u64{TxOob::TransportOffset::put(shim_skb_checksum_start(skb))} << 32;
}

// Drops a packet that cannot be sent.
bool TxQueue::refuse(sk_buff* skb, bool more) {
  statistics_->dropped.increment();
  shim_skb_drop(skb);
  if (!more)
    flush();  // packets before this one may be waiting for its doorbell
  return true;
}

bool TxQueue::linearize(sk_buff* skb) { return shim_skb_linearize(skb) == 0; }

// D-54: SGE 0 is the headers and nothing else, SGE 1 the first payload.
bool TxQueue::prepare_lso(sk_buff* skb, Lso& lso) {
  lso.headers = shim_skb_tcp_headers(skb);
  lso.mss = shim_skb_gso_size(skb);
  lso.segments = shim_skb_gso_segments(skb);
  if (shim_skb_length(skb) <= lso.headers)
    return false;
  if (shim_skb_head_length(skb) < lso.headers && !linearize(skb)) [[unlikely]]
    return false;
  return shim_skb_prepare_lso(skb) == 0;
}

// Writes the OOB of the WQE at `position`; where its SGL starts. Short unless there is a VLAN tag
// or a vPort offset that only the long form holds (D-51).
u32 TxQueue::write_oob(u32 position, u64 oob, const sk_buff* skb) const {
  const bool vlan = skb && shim_skb_has_vlan(skb);
  u32* dw = reinterpret_cast<u32*>(sq_.at(position)) + 2;
  if (short_form_ && !vlan) [[likely]] {
    *reinterpret_cast<u64*>(dw) = oob;
    return wire::sgl_offset(wire::OobSize::k8);
  }
  *reinterpret_cast<u64*>(dw) = oob | TxOob::PacketFormat::put(TxOob::kLongFormat);
  dw[2] = 0;
  if (vlan) {
    const u32 tci = shim_skb_vlan_tci(skb);
    dw[2] = TxOob::InjectVlan::put(1) | TxOob::Pcp::put(tci >> 13) | TxOob::Dei::put(tci >> 12) |
            TxOob::VlanId::put(tci);
  }
  dw[3] = long_dw3_;
  dw[4] = 0;
  dw[5] = 0;
  return wire::sgl_offset(wire::OobSize::k24);
}

// Packets in pieces, segmented ones, and all that need the long form.
//
// What the adapter cannot do was taken off by ndo_features_check; what is left to reduce is the
// number of SGEs. On failure nothing stays mapped, and the ring has not moved.
bool TxQueue::transmit_pieces(sk_buff* skb, bool more) {
  u64 oob = oob_;
  Lso lso;
  if (shim_skb_is_gso(skb)) {
    if (!prepare_lso(skb, lso)) [[unlikely]]
      return refuse(skb, more);
    oob |=
        checksum_bits(skb) | TxOob::ComputeIpChecksum::put(1) | TxOob::ComputeTcpChecksum::put(1);
  } else if (shim_skb_wants_checksum(skb)) {
    oob |= checksum_bits(skb);
    statistics_->checksum_partial.increment();
  }

  // D-55. One SGE for the linear part, one more where LSO splits it, one for each fragment.
  const bool split = lso.headers && shim_skb_head_length(skb) > lso.headers;
  if (1 + split + shim_skb_frags(skb) > wire::kMaxTxSges || shim_skb_has_frag_list(skb))
      [[unlikely]] {
    if (!linearize(skb))
      return refuse(skb, more);
    statistics_->linearized.increment();
  }

  const u32 position = sq_.producer();
  const u32 sgl = write_oob(position, oob, skb);
  const u32 head = shim_skb_head_length(skb);
  const u32 first = lso.headers ? lso.headers : head;
  u32 sge = 0;
  u32 mapped = 0;
  const u64 address = shim_dma_map(dev_, shim_skb_data(skb), head);
  if (address == SHIM_DMA_ERROR) [[unlikely]] {
    statistics_->map_errors.increment();
    return refuse(skb, more);
  }
  remember_mapping(position, mapped++, address, head);
  sq_.write_sge(position, sgl, sge++, address, mkey_, first);
  if (head > first)
    sq_.write_sge(position, sgl, sge++, address + first, mkey_, head - first);

  const u32 fragments = shim_skb_frags(skb);
  for (u32 i = 0; i < fragments; i++) {
    const u32 bytes = shim_skb_frag_length(skb, i);
    if (bytes == 0) [[unlikely]]
      continue;
    const u64 fragment = shim_dma_map_frag(dev_, skb, i, 0, bytes);
    if (fragment == SHIM_DMA_ERROR) [[unlikely]] {
      unmap(position, mapped);
      statistics_->map_errors.increment();
      return refuse(skb, more);
    }
    remember_mapping(position, mapped++, fragment, bytes);
    sq_.write_sge(position, sgl, sge++, fragment, mkey_, bytes);
  }

  const bool long_form = sgl != wire::sgl_offset(wire::OobSize::k8);
  *reinterpret_cast<WqeHeader*>(sq_.at(position)) = {
      .dw0 = WqeHeader::LastVbytes::put(lso.headers),
      .dw1 = WqeHeader::SgeCount::put(sge) |
             size_code(long_form ? wire::OobSize::k24 : wire::OobSize::k8) |
             WqeHeader::ClientOobInSgl::put(lso.headers != 0) |
             WqeHeader::ClientDataUnit::put(lso.mss)};

  const u32 bytes = shim_skb_length(skb);
  if (lso.headers) {
    statistics_->tso_packets.increment();
    statistics_->tso_bytes.add(bytes - lso.headers);
    statistics_->tso_segments.add(lso.segments);
  }
  (long_form ? statistics_->long_format : statistics_->short_format).increment();
  statistics_->packets.add(lso.segments);
  statistics_->bytes.add(bytes + (lso.segments - 1) * lso.headers);
  const u32 wqe = sgl + sge * sizeof(wire::Sge);
  post_skb(skb,
           {.object = skb,
            .bytes = bytes,
            .units = static_cast<u8>(divide_round_up(wqe, wire::kBasicUnit)),
            .mappings = static_cast<u8>(mapped),
            .kind = TxRecord::Kind::kSkb},
           more);
  return true;
}

// --- frames of XDP ----------------------------------------------------------------------------

u32 TxQueue::transmit_frames(Span<xdp_frame* const> frames) {
  u32 sent = 0;
  shim_xdp_bulk_begin(&copied_);
  while (sent < frames.size() && transmit_frame(frames[sent]))
    sent++;
  shim_xdp_bulk_end(&copied_);
  return sent;
}

bool TxQueue::transmit_frame(xdp_frame* frame) {
  const u32 bytes = shim_xdp_frame_length(frame);
  if (bytes == 0 || shim_xdp_frame_has_frags(frame) || (!has_room() && !find_room())) [[unlikely]]
    return false;

  const u32 position = sq_.producer();
  if (bytes - kMinCopyBytes <= kCopyBytes - kMinCopyBytes) {
    const u32 index = sq_.index_of(position);
    copy_packet(copy_memory(index), shim_xdp_frame_data(frame), bytes);
    post_single({.object = nullptr,
                 .bytes = bytes,
                 .units = 0,
                 .mappings = 0,
                 .kind = TxRecord::Kind::kNothing},
                copy_address(index));
    shim_xdp_bulk_return(&copied_, frame);
    return true;
  }

  const u64 address = shim_dma_map(dev_, shim_xdp_frame_data(frame), bytes);
  if (address == SHIM_DMA_ERROR) [[unlikely]] {
    statistics_->map_errors.increment();
    return false;
  }
  remember_mapping(position, 0, address, bytes);
  post_single({.object = frame,
               .bytes = bytes,
               .units = 0,
               .mappings = 1,
               .kind = TxRecord::Kind::kXdpFrame},
              address);
  return true;
}

u32 TxQueue::transmit_pages(Span<const XdpTxBuffer> buffers) {
  u32 sent = 0;
  shim_txq_lock(txq_);
  if (!shim_txq_stopped(txq_)) {
    shim_txq_touch(txq_);
    for (; sent < buffers.size() && (has_room() || find_room()); sent++) {
      const XdpTxBuffer& buffer = buffers[sent];
      shim_dma_sync_for_device(dev_, buffer.address, buffer.bytes, true);
      post_single({.object = buffer.page,
                   .bytes = buffer.bytes,
                   .units = 0,
                   .mappings = 0,
                   .kind = TxRecord::Kind::kXdpPage},
                  buffer.address);
    }
    flush();
  }
  shim_txq_unlock(txq_);
  return sent;
}

// A frame in one piece, without offloads. Fills in the record's units.
void TxQueue::post_single(const TxRecord& record, u64 address) {
  const u32 position = sq_.producer();
  TxRecord& slot = records_[sq_.index_of(position)];
  slot = record;
  slot.units = 1;
  if (short_form_) [[likely]] {
    *reinterpret_cast<SmallWqe*>(sq_.at(position)) = {
        .header = {.dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k8)},
        .oob = oob_,
        .sge = {.address = address, .memory_key = mkey_, .size = record.bytes}};
  } else {
    slot.units = wire::wqe_bytes(wire::OobSize::k24, 1) / wire::kBasicUnit;
    *reinterpret_cast<WqeHeader*>(sq_.at(position)) = {
        .dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k24)};
    const u32 sgl = write_oob(position, oob_, nullptr);
    sq_.write_sge(position, sgl, 0, address, mkey_, record.bytes);
  }
  statistics_->packets.increment();
  statistics_->bytes.add(record.bytes);
  sq_.advance(slot.units);
  if (!has_room()) [[unlikely]]
    stop_if_full();
}

}  // namespace mana::port
