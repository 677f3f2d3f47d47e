// SPDX-License-Identifier: GPL-2.0
#include "port/tx_queue.h"

#include "shim/dma.h"
#include "shim/trace.h"

namespace mana::port {

namespace {

constexpr u32 kMaxUnits = wire::kMaxSqWqeBytes / wire::kBasicUnit;

// The queue stops when the largest WQE might not fit, and starts again when a few do: without the
// distance it would flap with every completion.
constexpr u32 kStopUnits = kMaxUnits;
constexpr u32 kWakeUnits = 40;
static_assert(kWakeUnits > 2 * kStopUnits && kWakeUnits <= 128);

using wire::TxOob;

}  // namespace

// How a packet will look in the ring.
struct TxQueue::Plan {
  wire::OobSize oob_size;
  u32 oob[6];
  u32 sges;         // as counted; zero-length fragments are left out
  u32 lso_headers;  // bytes of SGE 0, or 0 without LSO
  u32 mss;
  u32 wire_packets;
  u32 wire_bytes;
};

Result<void> TxQueue::prepare(::device* dev, int node, netdev_queue* txq, TxStatistics& statistics,
                              const TxConfig& config) {
  dev_ = dev;
  txq_ = txq;
  statistics_ = &statistics;
  sq_ = TRY(gdma::WorkRing::create(dev, config.units));
  // A packet takes at least one BU, so there is a CQE for each, and the CQ cannot overrun (D-62).
  cq_ = TRY(gdma::CompletionRing::create(dev, sq_.units()));
  records_ = TRY(kern::Array<TxRecord>::create(sq_.units(), node));
  mappings_ = TRY(kern::Array<TxMapping>::create(sq_.units() * 2, node));
  mapping_mask_ = mappings_.size() - 1;
  return {};
}

TxQueue::~TxQueue() { drop_outstanding(); }

Result<void> TxQueue::attach(const hwc::Device& device, u64 vport, u32 vport_offset,
                             u32 parent_eq) {
  sq_.reset();
  cq_.reset();
  rung_ = 0;
  broken_.store(false);
  device_ = &device;
  doorbell_ = device.doorbell;
  mkey_ = device.mkey;
  vport_offset_ = vport_offset;
  shim_txq_reset(txq_);
  auto object = hwc::create_wq_object(device, vport, wire::WqType::kSq, sq_.memory(), cq_.memory(),
                                      parent_eq);
  if (!object) {
    in_doubt_ = hwc::leaves_doubt(object.error());
    return object.error();
  }
  object_ = *object;
  return {};
}

bool TxQueue::detach() {
  bool confirmed = !in_doubt_;
  if (object_.exists()) {
    confirmed = hwc::destroy_wq_object(*device_, wire::WqType::kSq, object_.handle).ok();
    object_ = {};
  }
  if (confirmed) {
    drop_outstanding();
    shim_txq_reset(txq_);
  }
  return confirmed;
}

// --- transmit ---------------------------------------------------------------------------------

void TxQueue::drop(sk_buff* skb) {
  statistics_->dropped.increment();
  shim_skb_drop(skb);
}

// Offloads and form (data sheet 8.1, 8.2, 8.4). What the adapter cannot do was taken off by
// ndo_features_check; what is left to reduce is the number of SGEs.
Result<TxQueue::Plan> TxQueue::plan(sk_buff* skb) {
  Plan plan{};
  u32& dw0 = plan.oob[0];
  const bool vlan = shim_skb_has_vlan(skb);
  const bool long_form = vlan || vport_offset_ > TxOob::kMaxShortVportOffset;

  plan.wire_packets = 1;
  plan.wire_bytes = shim_skb_length(skb);
  u32 transport_offset = 0;
  if (shim_skb_is_gso(skb)) {
    plan.lso_headers = shim_skb_tcp_headers(skb);
    plan.mss = shim_skb_gso_size(skb);
    plan.wire_packets = shim_skb_gso_segments(skb);
    // D-54: SGE 0 is the headers and nothing else, SGE 1 the first payload.
    if (shim_skb_length(skb) <= plan.lso_headers)
      return Errno::kInvalid;
    if (shim_skb_head_length(skb) < plan.lso_headers && shim_skb_linearize(skb) != 0)
      return Errno::kNoMemory;
    if (shim_skb_prepare_lso(skb) != 0)
      return Errno::kNoMemory;
    plan.wire_bytes += (plan.wire_packets - 1) * plan.lso_headers;
    transport_offset = shim_skb_checksum_start(skb);
    dw0 |= TxOob::ComputeIpChecksum::put(1) | TxOob::ComputeTcpChecksum::put(1);
  } else if (shim_skb_wants_checksum(skb)) {
    // D-53: the stack left the pseudo-header sum in the field, and its position tells TCP from UDP.
    constexpr u32 kTcpField = 16;
    transport_offset = shim_skb_checksum_start(skb);
    dw0 |= shim_skb_checksum_offset(skb) == kTcpField ? TxOob::ComputeTcpChecksum::put(1)
                                                      : TxOob::ComputeUdpChecksum::put(1);
    statistics_->checksum_partial.increment();
  }
  if (dw0)
    dw0 |= shim_skb_is_ipv6(skb) ? TxOob::IsIpv6::put(1) : TxOob::IsIpv4::put(1);

  // D-51, D-52.
  plan.oob_size = long_form ? wire::OobSize::k24 : wire::OobSize::k8;
  dw0 |= TxOob::PacketFormat::put(long_form ? TxOob::kLongFormat : TxOob::kShortFormat) |
         TxOob::CqId::put(object_.cq_id);
  plan.oob[1] =
      TxOob::TransportOffset::put(transport_offset) | (object_.wq_id & TxOob::SqFrame::kMask);
  if (vport_offset_ <= TxOob::kMaxShortVportOffset)
    plan.oob[1] |= TxOob::ShortVportOffset::put(vport_offset_);
  if (long_form) {
    if (vlan) {
      const u32 tci = shim_skb_vlan_tci(skb);
      plan.oob[2] = TxOob::InjectVlan::put(1) | TxOob::Pcp::put(tci >> 13) |
                    TxOob::Dei::put(tci >> 12) | TxOob::VlanId::put(tci);
    }
    // Devices read the offset from either field of the long form; both say the same.
    plan.oob[3] = TxOob::LongVportOffset::put(vport_offset_);
  }

  // D-55. One SGE for the linear part, one more where LSO splits it, one for each fragment.
  const auto count = [&] {
    return 1 + (plan.lso_headers && shim_skb_head_length(skb) > plan.lso_headers) +
           shim_skb_frags(skb);
  };
  plan.sges = count();
  if (plan.sges > wire::kMaxTxSges || shim_skb_has_frag_list(skb)) {
    if (shim_skb_linearize(skb) != 0)
      return Errno::kNoMemory;
    statistics_->linearized.increment();
    plan.sges = count();
  }
  return plan;
}

// Maps the packet and writes its SGL at the producer position; the header follows when all went
// well. On failure nothing stays mapped, and the ring has not moved.
bool TxQueue::map_and_write(sk_buff* skb, const Plan& plan) {
  const u32 position = sq_.producer();
  const u32 sgl = wire::sgl_offset(plan.oob_size);
  const u32 head = shim_skb_head_length(skb);
  TxRecord& record = records_[sq_.index_of(position)];
  u32 sge = 0;
  u32 mapped = 0;

  const u64 address = shim_dma_map(dev_, shim_skb_data(skb), head);
  if (address == SHIM_DMA_ERROR)
    return false;
  mapping(position, mapped++) = {.address = address, .bytes = head, .fragment = false};
  const u32 first = plan.lso_headers ? plan.lso_headers : head;
  sq_.write_sge(position, sgl, sge++, address, mkey_, first);
  if (head > first)
    sq_.write_sge(position, sgl, sge++, address + first, mkey_, head - first);

  for (u32 i = 0; i < shim_skb_frags(skb); i++) {
    const u32 bytes = shim_skb_frag_length(skb, i);
    if (bytes == 0)
      continue;
    const u64 fragment = shim_dma_map_frag(dev_, skb, i, 0, bytes);
    if (fragment == SHIM_DMA_ERROR) {
      unmap(position, mapped);
      return false;
    }
    mapping(position, mapped++) = {.address = fragment, .bytes = bytes, .fragment = true};
    sq_.write_sge(position, sgl, sge++, fragment, mkey_, bytes);
  }

  const u32 units = wire::wqe_bytes(plan.oob_size, sge) / wire::kBasicUnit;
  record = {.object = skb,
            .bytes = shim_skb_length(skb),
            .units = static_cast<u8>(units),
            .mappings = static_cast<u8>(mapped),
            .kind = TxRecord::Kind::kSkb};
  Plan final_plan = plan;
  final_plan.sges = sge;
  write_header(final_plan);
  return true;
}

void TxQueue::write_header(const Plan& plan) const {
  u32* dw = reinterpret_cast<u32*>(sq_.at(sq_.producer()));
  dw[0] = wire::WqeHeader::LastVbytes::put(plan.lso_headers);
  dw[1] = wire::WqeHeader::SgeCount::put(plan.sges) |
          wire::WqeHeader::OobSizeCode::put(static_cast<u32>(plan.oob_size)) |
          wire::WqeHeader::ClientOobInSgl::put(plan.lso_headers != 0) |
          wire::WqeHeader::ClientDataUnit::put(plan.mss);
  dw[2] = plan.oob[0];
  dw[3] = plan.oob[1];
  if (plan.oob_size == wire::OobSize::k24) {
    dw[4] = plan.oob[2];
    dw[5] = plan.oob[3];
    dw[6] = 0;
    dw[7] = 0;
  }
}

bool TxQueue::transmit(sk_buff* skb) {
  if (sq_.available() < kStopUnits) {  // D-34
    stop_if_full();
    if (sq_.available() < kStopUnits) {
      flush();
      return false;
    }
  }

  const bool more = shim_xmit_more();
  auto planned = plan(skb);
  if (!planned || !map_and_write(skb, *planned)) {
    if (planned)
      statistics_->map_errors.increment();
    drop(skb);
    if (!more)
      flush();  // packets before this one may be waiting for its doorbell
    return true;
  }

  // Everything about the skb is read before the doorbell: after it, the skb may be gone.
  const Plan& plan = *planned;
  const TxRecord& record = records_[sq_.index_of(sq_.producer())];
  const u32 bytes = record.bytes;
  if (plan.lso_headers) {
    statistics_->tso_packets.increment();
    statistics_->tso_bytes.add(bytes - plan.lso_headers);
    statistics_->tso_segments.add(plan.wire_packets);
  }
  (plan.oob_size == wire::OobSize::k8 ? statistics_->short_format : statistics_->long_format)
      .increment();
  statistics_->packets.add(plan.wire_packets);
  statistics_->bytes.add(plan.wire_bytes);
  shim_skb_tx_timestamp(skb);

  sq_.advance(record.units);
  stop_if_full();
  if (shim_txq_sent(txq_, bytes, more))
    flush();
  return true;
}

bool TxQueue::transmit_frame(xdp_frame* frame) {
  const u32 bytes = shim_xdp_frame_length(frame);
  if (sq_.available() < kStopUnits || shim_xdp_frame_has_frags(frame) || bytes == 0)
    return false;
  const u64 address = shim_dma_map(dev_, shim_xdp_frame_data(frame), bytes);
  if (address == SHIM_DMA_ERROR) {
    statistics_->map_errors.increment();
    return false;
  }
  mapping(sq_.producer(), 0) = {.address = address, .bytes = bytes, .fragment = false};
  post_single(frame, TxRecord::Kind::kXdpFrame, 1, address, bytes);
  return true;
}

u32 TxQueue::transmit_pages(Span<const XdpTxBuffer> buffers) {
  u32 sent = 0;
  shim_txq_lock(txq_);
  if (!shim_txq_stopped(txq_)) {
    shim_txq_touch(txq_);
    for (; sent < buffers.size() && sq_.available() >= kStopUnits; sent++) {
      const XdpTxBuffer& buffer = buffers[sent];
      shim_dma_sync_for_device(dev_, buffer.address, buffer.bytes, true);
      post_single(buffer.page, TxRecord::Kind::kXdpPage, 0, buffer.address, buffer.bytes);
    }
    flush();
  }
  shim_txq_unlock(txq_);
  return sent;
}

// A frame in one piece, without offloads.
void TxQueue::post_single(void* object, TxRecord::Kind kind, u8 mappings, u64 address, u32 bytes) {
  const u32 position = sq_.producer();
  Plan plan{};
  const bool long_form = vport_offset_ > TxOob::kMaxShortVportOffset;
  plan.oob_size = long_form ? wire::OobSize::k24 : wire::OobSize::k8;
  plan.oob[0] = TxOob::PacketFormat::put(long_form) | TxOob::CqId::put(object_.cq_id);
  plan.oob[1] = (object_.wq_id & TxOob::SqFrame::kMask) |
                TxOob::ShortVportOffset::put(long_form ? 0 : vport_offset_);
  plan.oob[3] = TxOob::LongVportOffset::put(vport_offset_);
  plan.sges = 1;
  write_header(plan);
  sq_.write_sge(position, wire::sgl_offset(plan.oob_size), 0, address, mkey_, bytes);

  const u32 units = wire::wqe_bytes(plan.oob_size, 1) / wire::kBasicUnit;
  records_[sq_.index_of(position)] = {.object = object,
                                      .bytes = bytes,
                                      .units = static_cast<u8>(units),
                                      .mappings = mappings,
                                      .kind = kind};
  statistics_->packets.increment();
  statistics_->bytes.add(bytes);
  sq_.advance(units);
  stop_if_full();
}

void TxQueue::flush() {
  if (rung_ == sq_.producer())
    return;
  rung_ = sq_.producer();
  doorbell_.ring_sq(object_.wq_id, sq_.doorbell_tail());
}

void TxQueue::stop_if_full() {
  if (sq_.available() >= kStopUnits)
    return;
  // shim_txq_stop() orders the stop before the second look, reap() orders its progress before it
  // looks for a stopped queue: one of the two sees the other.
  shim_txq_stop(txq_);
  if (sq_.available() >= kWakeUnits) {
    shim_txq_start(txq_);
    return;
  }
  statistics_->stop_queue.increment();
  shim_trace_tx_stop(txq_, sq_.available());
}

// --- completion -------------------------------------------------------------------------------

bool TxQueue::reap(int budget) {
  u32 packets = 0;
  u32 bytes = 0;
  u32 freed = 0;
  u32 bound = cq_.entries();  // D-40

  for (; bound > 0; bound--) {
    const gdma::SlotState slot = cq_.state();
    if (slot == gdma::SlotState::kEmpty)
      break;
    if (slot == gdma::SlotState::kOverrun) {  // D-39
      broken_.store(true);
      break;
    }
    const u32 position = sq_.consumer();
    // Without a budget this is netpoll, with interrupts off: frames can only be returned with
    // interrupts on, and wait for the poll that the device has asked for.
    if (budget == 0 && sq_.used() != 0 &&
        records_[sq_.index_of(position)].kind != TxRecord::Kind::kSkb)
      break;
    const u32 dw0 = kern::read_once(cq_.front().data[0]);
    const u32 trailer = kern::read_once(cq_.front().trailer);
    cq_.pop();

    // D-56: only a completion of this SQ, for a packet that was posted, frees anything.
    if (!wire::Cqe::IsSq::get(trailer) || wire::Cqe::WqId::get(trailer) != object_.wq_id ||
        wire::tx_cqe::ClientType::get(dw0) != wire::kClientTypeBnic || sq_.used() == 0) {
      statistics_->misdirected.increment();
      broken_.store(true);
      continue;
    }
    const auto type = static_cast<wire::TxCqeType>(wire::tx_cqe::Type::get(dw0));
    if (type != wire::TxCqeType::kOk) [[unlikely]] {
      if (type < wire::TxCqeType::kOk || type > wire::TxCqeType::kGdmaError)
        statistics_->unknown_type.increment();
      else
        statistics_->completion_errors.increment();
      if (type == wire::TxCqeType::kGdmaError)  // D-57: the SQ is dead until it is recreated
        broken_.store(true);
    }

    TxRecord& record = records_[sq_.index_of(position)];
    if (record.kind == TxRecord::Kind::kSkb) {
      packets++;
      bytes += record.bytes;
    }
    complete(record, position, budget);
    const u32 units = record.units;
    record.kind = TxRecord::Kind::kNone;
    // The slot belongs to the transmit side as soon as the consumer index moves.
    (void)sq_.retire(units);
    freed += units;
  }

  if (packets)
    shim_txq_completed(txq_, packets, bytes);
  if (freed && sq_.available() >= kWakeUnits && open_.load() && shim_txq_wake_if_stopped(txq_)) {
    statistics_->wake_queue.increment();
    shim_trace_tx_wake(txq_, sq_.available());
  }
  if (cq_.acknowledgement_due()) {  // D-31
    cq_.acknowledge();
    doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), false);
  }
  return bound > 0;
}

void TxQueue::arm() {
  // D-39: an overrun CQ would only be announced again at once, and again.
  if (cq_.state() == gdma::SlotState::kOverrun)
    return;
  cq_.arm();
  doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), true);
}

void TxQueue::unmap(u32 position, u32 count) {
  for (u32 i = 0; i < count; i++) {
    const TxMapping& entry = mapping(position, i);
    if (entry.fragment)
      shim_dma_unmap_frag(dev_, entry.address, entry.bytes);
    else
      shim_dma_unmap(dev_, entry.address, entry.bytes);
  }
}

void TxQueue::complete(const TxRecord& record, u32 position, int budget) {
  unmap(position, record.mappings);
  switch (record.kind) {
    case TxRecord::Kind::kSkb:
      shim_skb_consume(static_cast<sk_buff*>(record.object), budget);
      return;
    case TxRecord::Kind::kXdpFrame:
      shim_xdp_frame_return(static_cast<xdp_frame*>(record.object));
      return;
    case TxRecord::Kind::kXdpPage:
      // P4: with a budget this is the NAPI of the page's pool.
      shim_page_pool_return(static_cast<page*>(record.object), budget != 0);
      return;
    case TxRecord::Kind::kNone: return;
  }
}

// The device is known not to look at the ring any more. Process context.
void TxQueue::drop_outstanding() {
  while (sq_.memory() && sq_.used() != 0) {
    const u32 position = sq_.consumer();
    TxRecord& record = records_[sq_.index_of(position)];
    if (record.kind == TxRecord::Kind::kSkb) {
      unmap(position, record.mappings);
      shim_skb_drop(static_cast<sk_buff*>(record.object));
    } else {
      complete(record, position, 0);
    }
    record.kind = TxRecord::Kind::kNone;
    if (!sq_.retire(record.units))
      return;
  }
}

}  // namespace mana::port
