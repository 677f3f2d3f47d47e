// SPDX-License-Identifier: GPL-2.0
#include "model/tx_engine.h"

namespace mana::model {
namespace {

using wire::TxCqeType;
using wire::TxOob;
using wire::WqeHeader;

// Data sheet 8.6; diagnostic only.
constexpr u32 kCorruptedWqe = 0x201;
constexpr u32 kPayloadAccess = 0x206;
constexpr u32 kPayloadRange = 0x207;

}  // namespace

u32 TxEngine::process(WorkQueue& sq, u32 budget) {
  u32 frames = 0;
  while (frames < budget && sq.has_work()) {
    const FetchResult fetched = sq.fetch(context_.host, wqe_);
    if (fetched == FetchResult::kEmpty)
      break;
    if (fetched == FetchResult::kMalformed) {
      disable(sq, kCorruptedWqe);
      break;
    }
    frames++;
    vendor_error_ = 0;
    TxCqeType type = TxCqeType::kGdmaError;
    if (!context_.faults.take(Fault::kTxDisable))
      type = execute(sq, frames);
    if (type == TxCqeType::kGdmaError) {
      disable(sq, vendor_error_);
      break;
    }
    sq.consume(wqe_);
    complete(sq, type);
  }
  return frames;
}

TxCqeType TxEngine::read_oob(const WorkQueue& sq, Oob& oob) const {
  const u32 dw0 = wqe_.oob[0];
  const u32 dw1 = wqe_.oob[1];
  const u32 format = TxOob::PacketFormat::get(dw0);
  const bool is_long = format == TxOob::kLongFormat;
  if (format > TxOob::kLongFormat || (is_long && wqe_.oob_bytes < sizeof(TxOob)))
    return TxCqeType::kInvalidOob;
  if (TxOob::CqId::get(dw0) != sq.cq()->id ||
      TxOob::SqFrame::get(dw1) != TxOob::SqFrame::get(sq.id))
    return TxCqeType::kInvalidOob;
  oob = {
      .is_ipv4 = TxOob::IsIpv4::get(dw0) != 0,
      .is_ipv6 = TxOob::IsIpv6::get(dw0) != 0,
      .ip_checksum = TxOob::ComputeIpChecksum::get(dw0) != 0,
      .tcp_checksum = TxOob::ComputeTcpChecksum::get(dw0) != 0,
      .udp_checksum = TxOob::ComputeUdpChecksum::get(dw0) != 0,
      .suppress_cqe = TxOob::SuppressCqe::get(dw0) != 0,
      .inject_vlan = false,
      .tci = 0,
      .transport_offset = TxOob::TransportOffset::get(dw1),
      .vport_offset = TxOob::ShortVportOffset::get(dw1),
  };
  if (is_long) {
    const u32 dw2 = wqe_.oob[2];
    const u32 dw3 = wqe_.oob[3];
    // M-51, Q9: the long field counts, unless it is 0.
    if (TxOob::LongVportOffset::get(dw3) != 0)
      oob.vport_offset = TxOob::LongVportOffset::get(dw3);
    // M-52; all other bits of the long form are ignored (Q24).
    oob.inject_vlan = TxOob::InjectVlan::get(dw2) != 0;
    oob.tci = static_cast<u16>(TxOob::Pcp::get(dw2) << 13 | TxOob::Dei::get(dw2) << 12 |
                               TxOob::VlanId::get(dw2));
  }
  return TxCqeType::kOk;
}

// M-51, M-53: the offset must be the one of the vPort that owns the SQ.
TxCqeType TxEngine::check_vport(const WorkQueue& sq, u32 offset) {
  const Vport* vport = fabric_.find_offset(offset);
  if (!vport)
    return TxCqeType::kVportOutOfRange;
  if (!vport->configured)
    return TxCqeType::kVportDisabled;
  return vport == sq.vport() ? TxCqeType::kOk : TxCqeType::kInvalidOob;
}

bool TxEngine::lso_is_well_formed() const {
  // V13, 8.4
  return wqe_.sge_count >= wire::kMinLsoSges && wqe_.sges[0].size <= wire::kMaxLsoHeader &&
         wqe_.sges[0].size == WqeHeader::LastVbytes::get(wqe_.header.dw0) &&
         WqeHeader::ClientDataUnit::get(wqe_.header.dw1) != 0;
}

bool TxEngine::gather(Frame& frame) {
  frame = Frame{};
  frame.bytes = buffer_ + Frame::kHeadroom;
  for (u32 i = 0; i < wqe_.sge_count; i++) {
    const wire::Sge& sge = wqe_.sges[i];
    if (!context_.host.read(sge.address, frame.bytes + frame.length, sge.size))
      return false;
    frame.length += sge.size;
  }
  return true;
}

TxCqeType TxEngine::execute(WorkQueue& sq, u32& frames) {
  // V5: what the DMA engine itself cannot do disables the queue.
  for (u32 i = 0; i < wqe_.sge_count; i++) {
    if (wqe_.sges[i].size == 0 || wqe_.sges[i].memory_key != kBnicMkey) {
      vendor_error_ = kPayloadAccess;
      return TxCqeType::kGdmaError;
    }
  }
  const bool lso = is_lso();
  if (lso && !lso_is_well_formed()) {
    vendor_error_ = kCorruptedWqe;
    return TxCqeType::kGdmaError;
  }

  Oob oob = {};
  TxCqeType type = read_oob(sq, oob);
  if (type == TxCqeType::kOk)
    type = check_vport(sq, oob.vport_offset);
  const u32 limit = context_.config.adapter_mtu();
  if (type == TxCqeType::kOk && wqe_.total > (lso ? kMaxPacket : limit + kVlanTag))
    type = TxCqeType::kMtuDrop;
  if (type == TxCqeType::kOk && wqe_.total < kEthernetHeader)
    type = TxCqeType::kHeaderError;

  Frame frame;
  if (type == TxCqeType::kOk) {
    if (!gather(frame)) {
      vendor_error_ = kPayloadRange;
      return TxCqeType::kGdmaError;
    }
    type = lso ? send_lso(sq, oob, frame, frames) : send_packet(sq, oob, frame, frames);
  }
  u64 argument = 0;
  if (context_.faults.take(Fault::kTxType, &argument))
    type = static_cast<TxCqeType>(argument & wire::tx_cqe::Type::kMax);
  if (type != TxCqeType::kOk)
    count_error(*sq.vport(), type);
  suppress_cqe_ = oob.suppress_cqe && context_.config.heeds_suppression && type == TxCqeType::kOk;
  return type;
}

bool TxEngine::place_tag(const Oob& oob, Frame& frame, u32& transport_offset) {
  transport_offset = oob.transport_offset;
  if (oob.inject_vlan) {
    // A tag that is in the frame already becomes the inner one.
    frame.tagged = true;
    frame.tci = oob.tci;
    return false;
  }
  if (!frame.take_tag())
    return false;
  // The offset counts bytes of the frame as it was supplied.
  if (transport_offset >= kVlanTag)
    transport_offset -= kVlanTag;
  return true;
}

bool TxEngine::matches(const Oob& oob, const FrameLayout& layout) {
  return (!oob.is_ipv4 || layout.l3 == L3::kIpv4) && (!oob.is_ipv6 || layout.l3 == L3::kIpv6);
}

TxCqeType TxEngine::send_packet(WorkQueue& sq, const Oob& oob, Frame& frame, u32& frames) {
  Vport& vport = *sq.vport();
  ChecksumRequest request;
  place_tag(oob, frame, request.transport_offset);
  if (frame.length > context_.config.adapter_mtu())
    return TxCqeType::kMtuDrop;  // M-53; a tag is not counted
  frame.layout = parse_frame(frame.bytes, frame.length);
  if (oob.tcp_checksum && oob.udp_checksum)
    return TxCqeType::kInvalidOob;
  request.ip = oob.ip_checksum;
  request.l4 = oob.tcp_checksum ? L4::kTcp : oob.udp_checksum ? L4::kUdp : L4::kOther;
  if (request.ip || request.l4 != L4::kOther) {
    if (!matches(oob, frame.layout))
      return TxCqeType::kInvalidOob;
    const TxCqeType type = fill_checksums(frame, request);
    if (type != TxCqeType::kOk)
      return type;
    vport.statistics.tx_checksums++;
  }
  if (oob.inject_vlan)
    vport.statistics.tx_vlan_inserted++;
  vport.statistics.tx_packets++;
  count(vport, frame);
  frames++;
  fabric_.send(vport, frame);
  return TxCqeType::kOk;
}

TxCqeType TxEngine::send_lso(WorkQueue& sq, const Oob& oob, Frame& frame, u32& frames) {
  Vport& vport = *sq.vport();
  u32 header = wqe_.sges[0].size;
  u32 transport_offset = 0;
  if (place_tag(oob, frame, transport_offset))
    header -= min(header, kVlanTag);
  frame.layout = parse_frame(frame.bytes, frame.length, LengthSource::kFrame);
  if (!oob.tcp_checksum || oob.udp_checksum || !(oob.is_ipv4 || oob.is_ipv6) ||
      !matches(oob, frame.layout) || transport_offset != frame.layout.l4_offset)
    return TxCqeType::kInvalidOob;
  if (!segmenter_.begin(frame, header, WqeHeader::ClientDataUnit::get(wqe_.header.dw1)))
    return TxCqeType::kInvalidOob;
  if (segmenter_.largest_frame() > context_.config.adapter_mtu())
    return TxCqeType::kMtuDrop;
  if (oob.inject_vlan)
    vport.statistics.tx_vlan_inserted++;
  vport.statistics.tx_packets++;
  vport.statistics.tx_lso_packets++;
  Frame segment;
  while (segmenter_.next(segment)) {
    vport.statistics.tx_lso_segments++;
    count(vport, segment);
    frames++;
    fabric_.send(vport, segment);
  }
  return TxCqeType::kOk;
}

void TxEngine::count(Vport& vport, const Frame& frame) {
  const u32 length = frame.wire_length();
  vport.statistics.tx_bytes += length;
  wire::GfCounters& gf = context_.statistics.gf;
  gf.tx_bytes += length;
  switch (frame.cast()) {
    case Cast::kUnicast:
      gf.tx_unicast_packets++;
      gf.tx_unicast_bytes += length;
      break;
    case Cast::kMulticast:
      gf.tx_multicast_packets++;
      gf.tx_multicast_bytes += length;
      break;
    case Cast::kBroadcast:
      gf.tx_broadcast_packets++;
      gf.tx_broadcast_bytes += length;
      break;
  }
}

void TxEngine::count_error(Vport& vport, TxCqeType type) {
  vport.statistics.tx_errors++;
  wire::GfCounters& gf = context_.statistics.gf;
  switch (type) {
    case TxCqeType::kSourceAddressDrop: gf.tx_errors_source_address_enforcement++; break;
    case TxCqeType::kMtuDrop: gf.tx_errors_mtu_violation++; break;
    case TxCqeType::kInvalidEthertype: gf.tx_errors_ethertype_enforcement++; break;
    case TxCqeType::kVfDisabled: gf.tx_errors_gf_disabled++; break;
    case TxCqeType::kVportOutOfRange: gf.tx_errors_invalid_vport_offset++; break;
    case TxCqeType::kVportDisabled: gf.tx_errors_vport_disabled++; break;
    case TxCqeType::kVlanViolation: gf.tx_errors_vlan_enforcement++; break;
    case TxCqeType::kGdmaError: gf.tx_errors_gdma++; break;
    default: gf.tx_errors_invalid_oob++; break;
  }
}

void TxEngine::post(WorkQueue& sq, TxCqeType type, u32 vendor_error, u32 position) {
  wire::Cqe cqe = {};
  cqe.data[0] = wire::tx_cqe::Type::put(static_cast<u32>(type)) |
                wire::tx_cqe::ClientType::put(wire::kClientTypeBnic) |
                wire::tx_cqe::VendorError::put(vendor_error);
  cqe.data[2] = position & wire::tx_cqe::WqeByteOffset::kMask;
  cqe.trailer = wire::Cqe::WqId::put(sq.id) | wire::Cqe::IsSq::put(1);
  sq.cq()->post(context_, cqe);
}

void TxEngine::complete(WorkQueue& sq, TxCqeType type) {
  // M-48, 8.5: one completion for each WQE, unless it is suppressed and there is nothing to tell.
  if (!suppress_cqe_)
    post(sq, type, 0, wqe_.position);
  if (context_.faults.take(Fault::kTxExtra))
    post(sq, type, 0, wqe_.position);
}

void TxEngine::disable(WorkQueue& sq, u32 vendor_error) {
  // M-29: told once; nothing of this SQ is touched again until it is destroyed.
  sq.disabled = true;
  context_.statistics.queues_disabled++;
  count_error(*sq.vport(), TxCqeType::kGdmaError);
  context_.blame().text("SQ ").number(sq.id).text(" disabled: vendor error ").hex(vendor_error);
  post(sq, TxCqeType::kGdmaError, vendor_error, sq.consumer());
}

}  // namespace mana::model
