// SPDX-License-Identifier: GPL-2.0
#include "model/rx_engine.h"

namespace mana::model {

bool RxEngine::drop_no_wqe(Vport& vport) {
  // M-57
  vport.statistics.rx_dropped_no_wqe++;
  context_.statistics.gf.rx_discards_no_wqe++;
  return false;
}

bool RxEngine::deliver(Vport& vport, Frame& frame) {
  if (!vport.link_up) {
    vport.statistics.rx_dropped_link_down++;
    return false;
  }
  if (context_.faults.take_every(Fault::kFrameDrop)) {
    context_.statistics.frames_dropped++;
    return false;
  }
  if (!vport.steering.rx_enabled) {
    // M-57
    vport.statistics.rx_dropped_disabled++;
    context_.statistics.gf.rx_errors_vport_disabled++;
    return false;
  }
  const RxHash hash = vport.hash(frame);
  WorkQueue* rq = vport.choose_rq(hash);
  // M-31: without room for its completion a packet would take a buffer and never be seen.
  if (!rq || rq->cq()->full())
    return drop_no_wqe(vport);
  const FetchResult fetched = rq->fetch(context_.host, wqe_);
  if (fetched == FetchResult::kEmpty)
    return drop_no_wqe(vport);

  bool usable = fetched == FetchResult::kOk;
  for (u32 i = 0; usable && i < wqe_.sge_count; i++)
    usable = wqe_.sges[i].memory_key == kBnicMkey && wqe_.sges[i].size != 0;  // V5
  if (!usable || !scatter(wqe_, frame)) {
    // Like M-29: the queue is out of order until destroyed, the others do not notice.
    rq->disabled = true;
    context_.statistics.queues_disabled++;
    context_.blame().text("RQ ").number(rq->id).text(" disabled: unusable receive WQE");
    return drop_no_wqe(vport);
  }
  rq->consume(wqe_);
  const bool truncated = frame.length > wqe_.total;
  complete(vport, *rq, wqe_, frame, hash, truncated);
  if (truncated)
    vport.statistics.rx_truncated++;
  else
    count(vport, frame);
  return true;
}

bool RxEngine::scatter(const Wqe& wqe, const Frame& frame) {
  // M-54, M-56: never more than the SGEs hold.
  u32 done = 0;
  for (u32 i = 0; i < wqe.sge_count && done < frame.length; i++) {
    const u32 part = min(wqe.sges[i].size, frame.length - done);
    if (!context_.host.write(wqe.sges[i].address, frame.bytes + done, part))
      return false;
    done += part;
  }
  return true;
}

void RxEngine::complete(Vport& vport, WorkQueue& rq, const Wqe& wqe, Frame& frame,
                        const RxHash& hash, bool truncated) {
  using wire::RxCqe;
  if (!frame.checksum_known) {
    frame.checksum_flags = verify_checksums(frame);
    frame.checksum_known = true;
  }
  wire::RxCqeType type = truncated ? wire::RxCqeType::kTruncated : wire::RxCqeType::kOk;
  u64 length = frame.length;
  u32 wq_id = rq.id;
  u32 owner_skew = 0;

  u64 argument = 0;
  if (context_.faults.take(Fault::kRxLength, &argument))
    length = argument;
  if (context_.faults.take(Fault::kRxType, &argument))
    type = static_cast<wire::RxCqeType>(argument);
  if (context_.faults.take(Fault::kRxWq))
    wq_id ^= 0x155;
  if (context_.faults.take(Fault::kRxOwner))
    owner_skew = 2;

  RxCqe cqe = {};
  cqe.dw0 =
      RxCqe::Type::put(static_cast<u32>(type)) | RxCqe::ClientType::put(wire::kClientTypeBnic);
  cqe.flags = frame.checksum_flags | RxCqe::HashType::put(hash.type);
  if ((frame.checksum_flags &
       (RxCqe::IpBad::kMask | RxCqe::TcpBad::kMask | RxCqe::UdpBad::kMask)) != 0)
    vport.statistics.rx_checksum_bad++;
  if (frame.tagged) {
    cqe.flags |= RxCqe::VlanPresent::kMask | RxCqe::VlanId::put(frame.tci);
    vport.statistics.rx_vlan_stripped++;
  }
  cqe.packets[0].length = static_cast<u16>(length);
  cqe.packets[0].hash = hash.value;
  cqe.wqe_offset = wqe.position;  // C6: bytes, unmasked
  cqe.trailer = wire::Cqe::WqId::put(wq_id);

  wire::Cqe raw;
  copy_bytes(&raw, &cqe, sizeof(raw));
  rq.cq()->post(context_, raw, owner_skew);
}

void RxEngine::count(Vport& vport, const Frame& frame) {
  vport.statistics.rx_packets++;
  vport.statistics.rx_bytes += frame.length;
  wire::GfCounters& gf = context_.statistics.gf;
  gf.rx_bytes += frame.length;
  switch (frame.cast()) {
    case Cast::kUnicast:
      gf.rx_unicast_packets++;
      gf.rx_unicast_bytes += frame.length;
      break;
    case Cast::kMulticast:
      gf.rx_multicast_packets++;
      gf.rx_multicast_bytes += frame.length;
      break;
    case Cast::kBroadcast:
      gf.rx_broadcast_packets++;
      gf.rx_broadcast_bytes += frame.length;
      break;
  }
}

void RxEngine::fence(WorkQueue& rq) {
  // Packets are completed as they are delivered, so nothing of this RQ is under way.
  wire::Cqe cqe = {};
  cqe.data[0] = wire::RxCqe::Type::put(static_cast<u32>(wire::RxCqeType::kFence));
  cqe.trailer = wire::Cqe::WqId::put(rq.id);
  rq.cq()->post(context_, cqe);
}

}  // namespace mana::model
