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
  u64 length = frame.length;
  (void)context_.faults.take(Fault::kRxLength, &length);

  u32 flags = frame.checksum_flags | RxCqe::HashType::put(hash.type);
  if ((flags & (RxCqe::IpBad::kMask | RxCqe::TcpBad::kMask | RxCqe::UdpBad::kMask)) != 0)
    vport.statistics.rx_checksum_bad++;
  if (frame.tagged) {
    flags |= RxCqe::VlanPresent::kMask | RxCqe::VlanId::put(frame.tci);
    vport.statistics.rx_vlan_stripped++;
  }

  // M-58: what shares a completion shares its flags.
  RxBatch& batch = rq.batch;
  if (batch.count > 0 && (truncated || batch.flags != flags))
    flush(rq);
  if (batch.count == 0) {
    batch.of_eight = vport.steering.coalescing > 4;
    batch.truncated = truncated;
    batch.flags = flags;
    batch.wqe_offset = wqe.position;  // C6: bytes, unmasked
  }
  batch.lengths[batch.count] = static_cast<u16>(length);
  batch.hashes[batch.count] = hash.value;
  batch.count++;
  if (truncated || batch.count >= batch_limit(vport)) {
    flush(rq);
  } else if (!rq.alarm.set()) {
    context_.rx_alarms.set(rq, context_.host.now() + context_.config.coalescing_ns);
    context_.host.schedule();  // the device looks when it has to run
  }
}

u32 RxEngine::batch_limit(const Vport& vport) {
  const u32 limit = vport.steering.coalescing;
  u64 wanted = limit;
  if (limit > 1)
    (void)context_.faults.take(Fault::kRxCoalesce, &wanted);
  return static_cast<u32>(min<u64>(wanted, limit));
}

void RxEngine::flush(WorkQueue& rq) {
  context_.rx_alarms.cancel(rq);
  if (rq.batch.count == 0)
    return;
  if (rq.batch.count > 1)
    rq.vport()->statistics.rx_coalesced += rq.batch.count;
  post(rq, rq.batch);
  rq.batch = RxBatch{};
}

void RxEngine::flush(const Vport& vport) {
  const auto waits = [&](const WorkQueue& rq) { return rq.vport() == &vport; };
  while (WorkQueue* rq = context_.rx_alarms.find_if(waits))
    flush(*rq);
}

void RxEngine::post(WorkQueue& rq, const RxBatch& batch) {
  using wire::RxCqe;
  using wire::RxCqeType;
  RxCqe cqe = {};
  RxCqeType type = batch.truncated ? RxCqeType::kTruncated : RxCqeType::kOk;
  if (batch.count > 1)
    type = batch.of_eight ? RxCqeType::kCoalesced8 : RxCqeType::kCoalesced4;
  for (u32 i = 0; i < batch.count; i++) {
    if (type == RxCqeType::kCoalesced8) {
      wire::RxPacketPair& pair = cqe.pairs[i / 2];
      (i % 2 == 0 ? pair.length_even : pair.length_odd) = batch.lengths[i];
      (i % 2 == 0 ? pair.hash_even : pair.hash_odd) = batch.hashes[i];
    } else {
      cqe.packets[i].length = batch.lengths[i];
      cqe.packets[i].hash = batch.hashes[i];
    }
  }

  u32 wq_id = rq.id;
  u32 owner_skew = 0;
  u64 argument = 0;
  if (context_.faults.take(Fault::kRxType, &argument))
    type = static_cast<RxCqeType>(argument);
  if (context_.faults.take(Fault::kRxWq))
    wq_id ^= 0x155;
  if (context_.faults.take(Fault::kRxOwner))
    owner_skew = 2;
  cqe.dw0 =
      RxCqe::Type::put(static_cast<u32>(type)) | RxCqe::ClientType::put(wire::kClientTypeBnic);
  cqe.flags = batch.flags;
  cqe.wqe_offset = batch.wqe_offset;
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
  flush(rq);
  wire::Cqe cqe = {};
  cqe.data[0] = wire::RxCqe::Type::put(static_cast<u32>(wire::RxCqeType::kFence));
  cqe.trailer = wire::Cqe::WqId::put(rq.id);
  rq.cq()->post(context_, cqe);
}

}  // namespace mana::model
