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

// --- packets of the stack ---------------------------------------------------------------------

// The WQE is written at the producer position: hands it over, and the skb with it.
[[gnu::always_inline]] inline void TxQueue::post_skb(const TxRecord& record, u32 position,
                                                     bool more) {
  records_[sq_.index_of(position)] = record;
  shim_skb_tx_timestamp(static_cast<sk_buff*>(record.object));
  sq_.advance(TxRecord::Units::get(record.what));
  if (!has_room()) [[unlikely]]
    stop_if_full();
  // Nothing reads the skb any more: after the doorbell it may be gone.
  if (shim_txq_sent(txq_, record.bytes, more))
    ring();
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

  TxStatistics& statistics = *statistics_;
  u64 oob = oob_;
  if (shim_skb_wants_checksum(skb)) {
    oob |= checksum_bits(skb);
    statistics.checksum_partial.increment();
  }

  const u32 position = sq_.producer();
  const u32 index = sq_.index_of(position);
  const u32 bytes = shim_skb_length(skb);
  u64 address = copy_address(index);
  u32 mappings = 0;
  if (is_copied(bytes)) {
    copy_packet(copy_memory(index), shim_skb_data(skb), bytes);
  } else {
    address = map(position, shim_skb_data(skb), bytes);
    if (address == SHIM_DMA_ERROR) [[unlikely]]
      return refuse(skb, more);
    mappings = 1;
  }

  *reinterpret_cast<SmallWqe*>(sq_.at(position)) = {
      .header = {.dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k8)},
      .oob = oob,
      .sge = {.address = address, .memory_key = mkey_, .size = bytes}};
  statistics.short_format.increment();
  statistics.packets.increment();
  statistics.bytes.add(bytes);
  post_skb({.object = skb, .bytes = bytes, .what = TxRecord::describe(TxRecord::kSkb, 1, mappings)},
           position, more);
  return true;
}

// Maps what becomes the first piece of the packet at `position`. SHIM_DMA_ERROR if that fails.
u64 TxQueue::map(u32 position, const void* data, u32 bytes) {
  const u64 address = shim_dma_map(dev_, data, bytes);
  if (address == SHIM_DMA_ERROR) [[unlikely]]
    statistics_->map_errors.increment();
  else
    remember_mapping(position * 2, address, bytes);
  return address;
}

// D-53: the stack left the pseudo-header sum in the field, and its position tells TCP from UDP.
u64 TxQueue::checksum_bits(const sk_buff* skb) {
  constexpr u32 kTcpField = 16;
  const u32 dw0 = (shim_skb_checksum_offset(skb) == kTcpField ? TxOob::ComputeTcpChecksum::put(1)
                                                              : TxOob::ComputeUdpChecksum::put(1)) |
                  (shim_skb_is_ipv6(skb) ? TxOob::IsIpv6::put(1) : TxOob::IsIpv4::put(1));
  return dw0 | transport_bits(skb);
}

u64 TxQueue::transport_bits(const sk_buff* skb) {
  return u64{TxOob::TransportOffset::put(shim_skb_checksum_start(skb))} << 32;
}

// Drops a packet that cannot be sent.
bool TxQueue::refuse(sk_buff* skb, bool more, shim_drop reason) {
  statistics_->dropped.increment();
  shim_skb_drop(skb, reason);
  if (!more)
    flush();  // packets before this one may be waiting for its doorbell
  return true;
}

bool TxQueue::linearize(sk_buff* skb) { return shim_skb_linearize(skb) == 0; }

// Writes the OOB of the WQE at `position`; where its SGL starts. Short unless there is a VLAN tag
// or a vPort offset that only the long form holds (D-51).
u32 TxQueue::write_oob(u32 position, u64 oob, bool vlan, u32 tci) const {
  u32* dw = reinterpret_cast<u32*>(sq_.at(position)) + 2;
  if (short_form_ && !vlan) [[likely]] {
    *reinterpret_cast<u64*>(dw) = oob;
    return wire::sgl_offset(wire::OobSize::k8);
  }
  *reinterpret_cast<u64*>(dw) = oob | TxOob::PacketFormat::put(TxOob::kLongFormat);
  dw[2] = vlan ? TxOob::InjectVlan::put(1) | TxOob::Pcp::put(tci >> 13) |
                     TxOob::Dei::put(tci >> 12) | TxOob::VlanId::put(tci)
               : 0;
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
  TxStatistics& statistics = *statistics_;
  u64 oob = oob_;
  u32 flags = 0;    // of the header's second word
  u32 headers = 0;  // bytes of SGE 0 with LSO, else 0
  u32 segments = 1;
  if (shim_skb_is_gso(skb)) {
    // D-54: SGE 0 is the headers and nothing else, SGE 1 the first payload.
    headers = shim_skb_tcp_headers(skb);
    segments = shim_skb_gso_segments(skb);
    if (shim_skb_length(skb) <= headers) [[unlikely]]
      return refuse(skb, more, SHIM_DROP_BAD_GSO);
    if (shim_skb_head_length(skb) < headers && !linearize(skb)) [[unlikely]]
      return refuse(skb, more);
    flags =
        WqeHeader::ClientOobInSgl::put(1) | WqeHeader::ClientDataUnit::put(shim_skb_gso_size(skb));
    oob |= TxOob::ComputeIpChecksum::put(1) | TxOob::ComputeTcpChecksum::put(1) |
           (shim_skb_is_gso_ipv6(skb) ? TxOob::IsIpv6::put(1) : TxOob::IsIpv4::put(1));
    if (shim_skb_prepare_lso(skb) != 0) [[unlikely]]
      return refuse(skb, more);
    oob |= transport_bits(skb);
  } else if (shim_skb_wants_checksum(skb)) {
    oob |= checksum_bits(skb);
    statistics.checksum_partial.increment();
  }

  // D-55. One SGE for the linear part, one more where LSO splits it, one for each fragment.
  u32 head = shim_skb_head_length(skb);
  u32 first = headers ? headers : head;
  u32 fragments = shim_skb_frags(skb);
  if (1 + (head > first) + fragments > wire::kMaxTxSges || shim_skb_has_frag_list(skb))
      [[unlikely]] {
    if (!linearize(skb))
      return refuse(skb, more);
    statistics.linearized.increment();
    fragments = 0;
    head = shim_skb_head_length(skb);
    first = headers ? headers : head;
  }

  const u32 position = sq_.producer();
  const bool vlan = shim_skb_has_vlan(skb);
  const u32 sgl = write_oob(position, oob, vlan, shim_skb_vlan_tci(skb));
  const u64 address = map(position, shim_skb_data(skb), head);
  if (address == SHIM_DMA_ERROR) [[unlikely]]
    return refuse(skb, more);
  u32 mapped = 1;
  u32 at = position * wire::kBasicUnit + sgl;  // byte position of the next SGE
  write_sge(at, address, first);
  at += sizeof(wire::Sge);
  if (head > first) {
    write_sge(at, address + first, head - first);
    at += sizeof(wire::Sge);
  }
  for (u32 i = 0; i < fragments; i++) {
    const u32 bytes = shim_skb_frag_length(skb, i);
    if (bytes == 0) [[unlikely]]
      continue;
    const u64 fragment = shim_dma_map_frag(dev_, skb, i, 0, bytes);
    if (fragment == SHIM_DMA_ERROR) [[unlikely]] {
      statistics.map_errors.increment();
      unmap(position, mapped);
      return refuse(skb, more);
    }
    remember_mapping(position * 2 + mapped, fragment, bytes);
    mapped++;
    write_sge(at, fragment, bytes);
    at += sizeof(wire::Sge);
  }

  const u32 wqe = at - position * wire::kBasicUnit;  // bytes
  const bool long_form = sgl != wire::sgl_offset(wire::OobSize::k8);
  *reinterpret_cast<WqeHeader*>(sq_.at(position)) = {
      .dw0 = WqeHeader::LastVbytes::put(headers),
      .dw1 = flags | WqeHeader::SgeCount::put((wqe - sgl) / sizeof(wire::Sge)) |
             size_code(long_form ? wire::OobSize::k24 : wire::OobSize::k8)};

  const u32 bytes = shim_skb_length(skb);
  if (headers) {
    statistics.tso_packets.increment();
    statistics.tso_bytes.add(bytes - headers);
    statistics.tso_segments.add(segments);
  }
  (long_form ? statistics.long_format : statistics.short_format).increment();
  statistics.packets.add(segments);
  statistics.bytes.add(bytes + (segments - 1) * headers);
  post_skb(
      {.object = skb,
       .bytes = bytes,
       .what = TxRecord::describe(TxRecord::kSkb, divide_round_up(wqe, wire::kBasicUnit), mapped)},
      position, more);
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
  if (shim_xdp_frame_has_frags(frame)) [[unlikely]]
    return transmit_frame_pieces(frame, Mapping::kNone);
  if (bytes == 0 || (!has_room() && !find_room())) [[unlikely]]
    return false;

  const u32 position = sq_.producer();
  if (is_copied(bytes)) {
    const u32 index = sq_.index_of(position);
    copy_packet(copy_memory(index), shim_xdp_frame_data(frame), bytes);
    post_frame(nullptr, TxRecord::kNothing, copy_address(index), bytes);
    shim_xdp_bulk_return(&copied_, frame);
    return true;
  }
  const u64 address = map(position, shim_xdp_frame_data(frame), bytes);
  if (address == SHIM_DMA_ERROR) [[unlikely]]
    return false;
  post_frame(frame, TxRecord::kXdpFrame, address, bytes);
  return true;
}

u32 TxQueue::transmit_pages(Span<const XdpTxBuffer> buffers) {
  u32 sent = 0;
  shim_txq_lock(txq_);
  if (!shim_txq_stopped(txq_)) {
    shim_txq_touch(txq_);
    if (shim_dma_needs_sync(dev_)) [[unlikely]]
      sync_pages(buffers);
    sent = short_form_ ? post_pages(buffers) : post_long_pages(buffers);
    flush();
  }
  shim_txq_unlock(txq_);
  return sent;
}

void TxQueue::sync_pages(Span<const XdpTxBuffer> buffers) const {
  for (const XdpTxBuffer& frame : buffers)
    shim_dma_sync_for_device(dev_, frame.data + frame.offset, frame.bytes, true);
}

// One BU each: how many there is room for is known beforehand, and nobody else moves the producer.
[[gnu::always_inline]] inline u32 TxQueue::post_pages(Span<const XdpTxBuffer> buffers) {
  const u32 position = sq_.producer();
  u32 count = static_cast<u32>(buffers.size());
  if (position + count - seen_consumer_ > max_used_) [[unlikely]] {
    if (!has_room() && !find_room())
      return 0;
    seen_consumer_ = sq_.consumer();
    count = min(count, max_used_ + 1 - (position - seen_consumer_));
  }
  u64 bytes = 0;
  for (u32 i = 0; i < count; i++) {
    const XdpTxBuffer& frame = buffers[i];
    *reinterpret_cast<SmallWqe*>(sq_.at(position + i)) = {
        .header = {.dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k8)},
        .oob = oob_,
        .sge = {.address = frame.data + frame.offset, .memory_key = mkey_, .size = frame.bytes}};
    remember_buffer(position + i, frame.data);
    records_.data()[sq_.index_of(position + i)] = {
        .object = frame.memory,
        .bytes = frame.bytes,
        .what = TxRecord::describe(TxRecord::kXdpPage, 1, 0)};
    bytes += frame.bytes;
  }
  statistics_->packets.add(count);
  statistics_->bytes.add(bytes);
  sq_.advance(count);
  if (!has_room()) [[unlikely]]
    stop_if_full();
  return count;
}

u32 TxQueue::post_long_pages(Span<const XdpTxBuffer> buffers) {
  u32 sent = 0;
  for (; sent < buffers.size() && (has_room() || find_room()); sent++) {
    const XdpTxBuffer& frame = buffers[sent];
    remember_buffer(sq_.producer(), frame.data);
    post_frame(frame.memory, TxRecord::kXdpPage, frame.data + frame.offset, frame.bytes);
  }
  return sent;
}

u32 TxQueue::transmit_own_frames(Span<xdp_frame* const> frames) {
  u32 sent = 0;
  shim_txq_lock(txq_);
  if (!shim_txq_stopped(txq_)) {
    shim_txq_touch(txq_);
    while (sent < frames.size() && transmit_frame_pieces(frames[sent], Mapping::kPool))
      sent++;
    flush();
  }
  shim_txq_unlock(txq_);
  return sent;
}

// Where the device finds piece `number` of the packet, counted as remember_mapping() counts. What
// the receive side's pool has mapped is handed over as it is, and stays mapped.
u64 TxQueue::piece_address(u32 number, const void* data, u32 bytes, Mapping mapping) {
  if (mapping == Mapping::kPool) {
    page* const page = shim_page_of(data);
    const u8* const start = static_cast<const u8*>(shim_page_address(page));
    const u64 address =
        shim_page_pool_dma(page) + static_cast<u64>(static_cast<const u8*>(data) - start);
    shim_dma_sync_for_device(dev_, address, bytes, true);
    return address;
  }
  const u64 address = shim_dma_map(dev_, data, bytes);
  if (address == SHIM_DMA_ERROR) [[unlikely]]
    statistics_->map_errors.increment();
  else
    remember_mapping(number, address, bytes);
  return address;
}

// A frame in pieces, without offloads. On failure nothing stays mapped, and the ring has not moved.
bool TxQueue::transmit_frame_pieces(xdp_frame* frame, Mapping mapping) {
  const u32 pieces = 1 + shim_xdp_frame_frags(frame);
  if (pieces > wire::kMaxTxSges || (!has_room() && !find_room())) [[unlikely]]  // D-55
    return false;
  const u32 position = sq_.producer();
  const u32 sgl = write_oob(position, oob_, false, 0);
  const u32 begin = position * wire::kBasicUnit + sgl;  // byte position of the first SGE
  u32 total = 0;
  for (u32 i = 0; i < pieces; i++) {
    u32 bytes = shim_xdp_frame_length(frame);
    const void* const data =
        i == 0 ? shim_xdp_frame_data(frame) : shim_xdp_frame_frag(frame, i - 1, &bytes);
    const u64 address =
        bytes ? piece_address(position * 2 + i, data, bytes, mapping) : SHIM_DMA_ERROR;
    if (address == SHIM_DMA_ERROR) [[unlikely]] {
      if (mapping == Mapping::kNone)
        unmap(position, i);
      return false;
    }
    write_sge(begin + i * sizeof(wire::Sge), address, bytes);
    total += bytes;
  }
  const auto form = short_form_ ? wire::OobSize::k8 : wire::OobSize::k24;
  *reinterpret_cast<WqeHeader*>(sq_.at(position)) = {
      .dw0 = 0, .dw1 = WqeHeader::SgeCount::put(pieces) | size_code(form)};
  post_frame_record(frame, TxRecord::kXdpFrame, total,
                    wire::wqe_bytes(form, pieces) / wire::kBasicUnit,
                    mapping == Mapping::kNone ? pieces : 0);
  return true;
}

// A frame in one piece, without offloads.
[[gnu::always_inline]] inline void TxQueue::post_frame(void* object, TxRecord::Kind kind,
                                                       u64 address, u32 bytes) {
  const u32 position = sq_.producer();
  u32 units = 1;
  if (short_form_) [[likely]]
    *reinterpret_cast<SmallWqe*>(sq_.at(position)) = {
        .header = {.dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k8)},
        .oob = oob_,
        .sge = {.address = address, .memory_key = mkey_, .size = bytes}};
  else
    units = write_long(position, address, bytes);
  post_frame_record(object, kind, bytes, units, kind == TxRecord::kXdpFrame);
}

// The WQE is written at the producer position: hands it over, and the frame with it.
[[gnu::always_inline]] inline void TxQueue::post_frame_record(void* object, TxRecord::Kind kind,
                                                              u32 bytes, u32 units, u32 mappings) {
  records_[sq_.index_of(sq_.producer())] = {
      .object = object, .bytes = bytes, .what = TxRecord::describe(kind, units, mappings)};
  TxStatistics& statistics = *statistics_;
  statistics.packets.increment();
  statistics.bytes.add(bytes);
  sq_.advance(units);
  if (!has_room()) [[unlikely]]
    stop_if_full();
}

// The same WQE in the long form; its units.
u32 TxQueue::write_long(u32 position, u64 address, u32 bytes) const {
  *reinterpret_cast<WqeHeader*>(sq_.at(position)) = {
      .dw0 = 0, .dw1 = WqeHeader::SgeCount::put(1) | size_code(wire::OobSize::k24)};
  const u32 sgl = write_oob(position, oob_, false, 0);
  write_sge(position * wire::kBasicUnit + sgl, address, bytes);
  return wire::wqe_bytes(wire::OobSize::k24, 1) / wire::kBasicUnit;
}

}  // namespace mana::port
