// SPDX-License-Identifier: GPL-2.0
// BNIC commands: vPorts, their queues and their steering (data sheet 7).
#include "model/commands.h"

#include "wire/tx.h"

namespace mana::model {
namespace {

using wire::status::kFailure;
using wire::status::kSuccess;

constexpr bool is_tri_state(wire::TriState value) {
  return value == wire::TriState::kOff || value == wire::TriState::kOn ||
         value == wire::TriState::kUnchanged;
}

void apply(bool& state, wire::TriState value) {
  if (value != wire::TriState::kUnchanged)
    state = value == wire::TriState::kOn;
}

}  // namespace

u32 Commands::query_dev_config(const Request& request, Reply& reply) {
  constexpr u32 kVersion = 4;
  if (!request.as<wire::QueryDevConfigRequest>())
    return kFailure;
  const u32 version = clamp<u32>(request.header().response.version, 1, kVersion);
  auto& answer = reply.become<wire::QueryDevConfigResponse>();
  // M-40: fields of later versions stay zero.
  answer.vport_count = static_cast<u16>(context_.config.ports);
  answer.max_eq = kMaxDataEqs;
  if (version >= 2)
    answer.adapter_mtu = static_cast<u16>(context_.config.adapter_mtu());
  if (version >= 4)
    answer.link_speed = kLinkSpeed;
  reply.set_version(version);
  return kSuccess;
}

u32 Commands::query_gf_stat(const Request& request, Reply& reply) {
  constexpr u32 kCountersV1 = wire::kGfCounterBits - 1;
  const auto* message = request.as<wire::QueryGfStatRequest>();
  if (!message)
    return kFailure;
  const u32 version = request.header().response.version >= 2 ? 2 : 1;
  const u32 counters = version == 2 ? wire::kGfCounterBits : kCountersV1;
  auto& answer = reply.become<wire::QueryGfStatResponse>(static_cast<u32>(
      sizeof(wire::QueryGfStatResponse) - (wire::kGfCounterBits - counters) * sizeof(u64)));
  reply.set_version(version);
  // M-47: bit n is counter n of the message, except that the message has broadcast before
  // multicast (C5, Linux order).
  answer.reported = message->requested & ((1ull << counters) - 1);
  constexpr u32 kMulticast[] = {5, 22};  // first of two bits, broadcast's two follow
  const auto* from = reinterpret_cast<const u64*>(&context_.statistics.gf);
  auto* to = reinterpret_cast<u64*>(&answer.counters);
  for (u32 bit = 0; bit < counters; bit++) {
    if ((answer.reported >> bit & 1) == 0)
      continue;
    u32 slot = bit;
    for (const u32 first : kMulticast) {
      if (bit >= first && bit < first + 4)
        slot = bit < first + 2 ? bit + 2 : bit - 2;
    }
    to[slot] = from[slot];
  }
  return kSuccess;
}

u32 Commands::config_vport_tx(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::ConfigVportTxRequest>();
  Vport* vport = message ? fabric_.find_handle(message->vport) : nullptr;
  // M-42: queues of this vPort belong to this domain and answer to this page.
  if (!vport || message->pdid != kBnicPdid || message->doorbell_id != kBnicDoorbell)
    return kFailure;
  vport->configured = true;
  auto& answer = reply.become<wire::ConfigVportTxResponse>();
  answer.vport_offset = vport->offset;
  answer.short_form_allowed = vport->offset <= wire::TxOob::kMaxShortVportOffset;
  return kSuccess;
}

// Version 3. What cannot be granted is not done, and the answer says so.
Moderation Commands::moderation_of(const Request& request) const {
  constexpr u32 kModerationVersion = 3;
  const auto* message = request.as<wire::CreateWqObjectRequestV3>();
  if (request.version() < kModerationVersion || !message || message->moderate == 0 ||
      !context_.moderates())
    return {};
  return {.count = min<u32>(message->moderation_count, wire::kMaxModerationCount),
          .period = min<u32>(message->moderation_period, wire::kMaxModerationPeriod)};
}

u32 Commands::create_wq_object(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::CreateWqObjectRequest>();
  Vport* vport = message ? fabric_.find_handle(message->vport) : nullptr;
  if (!vport || !vport->configured)
    return kFailure;  // M-42
  const bool is_sq = message->wq_type == wire::WqType::kSq;
  if (!is_sq && message->wq_type != wire::WqType::kRq)
    return kFailure;
  if ((is_sq ? vport->sq_count : vport->rq_count) >= context_.config.queues)
    return kFailure;  // M-43
  EventQueue* parent = nullptr;
  if (message->parent_eq != wire::kNoParentEq) {
    parent = resources_.eqs.find(message->parent_eq);
    if (!parent || parent->doorbell_id() != kBnicDoorbell)
      return kFailure;  // V12
  }
  DmaRegion* wq_region = resources_.find_region(message->wq_region);
  DmaRegion* cq_region = resources_.find_region(message->cq_region);
  if (!wq_region || !cq_region || wq_region == cq_region ||
      !wq_region->fits_ring(message->wq_bytes) || !cq_region->fits_ring(message->cq_bytes))
    return kFailure;  // M-37

  // Only the WQ's creation can fail from here on with the CQ made: the CQ's region must survive.
  WorkQueue* wq = resources_.create_wq(message->wq_type, RingMemory::of(*wq_region), wq_region,
                                       nullptr, vport, kBnicDoorbell);
  if (!wq)
    return kFailure;
  CompletionQueue* cq =
      resources_.create_cq(RingMemory::of(*cq_region), cq_region, parent, kBnicDoorbell);
  if (!cq) {
    resources_.abandon_wq(wq);
    return kFailure;
  }
  wq->set_cq(cq);
  (is_sq ? vport->sq_count : vport->rq_count)++;

  auto& answer = reply.become<wire::CreateWqObjectResponse>();
  answer.wq_id = wq->id;
  answer.cq_id = cq->id;
  answer.object = wq->object;
  u64 wrong = 0;
  if (context_.faults.take(Fault::kWqCqId, &wrong))
    answer.cq_id = static_cast<u32>(wrong);
  cq->moderate(context_, moderation_of(request));
  if (request.header().response.version >= 2) {
    auto& granted = reply.become<wire::CreateWqObjectResponseV2>();
    granted.granted_count = static_cast<u16>(cq->moderation().count);
    granted.granted_period = static_cast<u16>(cq->moderation().period);
    granted.moderated = cq->moderation().active();
    reply.set_version(2);
  }
  return kSuccess;
}

u32 Commands::destroy_wq_object(const Request& request, Reply&) {
  const auto* message = request.as<wire::DestroyWqObjectRequest>();
  WorkQueue* wq = message ? resources_.find_object(message->wq_type, message->object) : nullptr;
  if (!wq)
    return kFailure;  // V10
  destroy_wq(wq);
  return kSuccess;
}

u32 Commands::fence_rq(const Request& request, Reply&) {
  const auto* message = request.as<wire::FenceRqRequest>();
  WorkQueue* rq = message ? resources_.find_object(wire::WqType::kRq, message->object) : nullptr;
  if (!rq)
    return kFailure;
  fabric_.rx().fence(*rq);
  return kSuccess;
}

bool Commands::read_table(const Request& request, const Vport& vport, u32 offset, u32 count,
                          WorkQueue** table) const {
  // V11: a supported size, inside the message and behind its fields, naming RQs of this vPort.
  if (count != context_.config.indirection_entries && count != kRawIndirectionEntries)
    return false;
  const u8* handles = request.array(offset, count, sizeof(u64));
  if (!handles || offset < wire::kConfigVportRxV1Bytes || count > kMaxIndirectionEntries)
    return false;
  for (u32 i = 0; i < count; i++) {
    u64 handle;
    copy_bytes(&handle, handles + i * sizeof(u64), sizeof(handle));
    table[i] = resources_.find_object(wire::WqType::kRq, handle);
    if (!table[i] || table[i]->vport() != &vport)
      return false;
  }
  return true;
}

// Packets in a completion; `eight`: the version has the field for them.
u32 Commands::coalescing_of(const Request& request, bool eight) const {
  using Message = wire::ConfigVportRxRequest;
  const u32 offered = context_.config.coalescing;
  if (eight && offered >= 8 && request.number<u8>(__builtin_offsetof(Message, coalesce_8)) != 0)
    return 8;
  return offered >= 4 && request.number<u8>(__builtin_offsetof(Message, coalesce_4)) != 0 ? 4 : 0;
}

u32 Commands::config_vport_rx(const Request& request, Reply& reply) {
  constexpr u32 kCoalescingVersion = 2;
  constexpr u32 kHashTypesVersion = 5;  // and of the second form of coalescing
  if (request.length() < wire::kConfigVportRxV1Bytes)
    return kFailure;
  // The version 1 fields are all inside; the others are read with number().
  const auto& message = *reinterpret_cast<const wire::ConfigVportRxRequest*>(&request.header());
  Vport* vport = fabric_.find_handle(message.vport);
  if (!vport || !is_tri_state(message.rx_enable) || !is_tri_state(message.rss_enable))
    return kFailure;

  // M-45: decide first, then change.
  WorkQueue* default_rq = nullptr;
  if (message.update_default_object != 0) {
    default_rq = resources_.find_object(wire::WqType::kRq, message.default_object);
    if (!default_rq || default_rq->vport() != vport)
      return kFailure;
  }
  WorkQueue* table[kMaxIndirectionEntries];
  if (message.update_table != 0 &&
      !read_table(request, *vport, message.table_offset, message.entry_count, table))
    return kFailure;

  Steering& steering = vport->steering;
  if (default_rq)
    steering.default_rq = default_rq;
  if (message.update_hash_key != 0)
    vport->toeplitz.set_key(message.hash_key);
  if (message.update_table != 0) {
    steering.entries = message.entry_count;
    copy_bytes(steering.table, table, message.entry_count * sizeof(table[0]));
  }
  // U4: the field exists for sure in the version that also has the last one.
  if (request.version() >= kHashTypesVersion) {
    const u32 types =
        request.number<u16>(__builtin_offsetof(wire::ConfigVportRxRequest, hash_types));
    steering.hash_types = types != 0 ? types : wire::hash::kDefault;
  }
  // M-58: there is no "unchanged"; every message says what shall be.
  if (request.version() >= kCoalescingVersion)
    steering.coalescing = coalescing_of(request, request.version() >= kHashTypesVersion);
  fabric_.rx().flush(*vport);
  apply(steering.rss_enabled, message.rss_enable);
  apply(steering.rx_enabled, message.rx_enable);
  if (message.rx_enable == wire::TriState::kOff)
    fabric_.flush(*vport);
  // A device that cannot coalesce knows nothing of version 2.
  if (request.header().response.version >= 2 && context_.config.coalescing > 0) {
    reply.become<wire::ConfigVportRxResponse>().coalescing_timeout_ns =
        context_.config.coalescing_ns;
    reply.set_version(2);
  }
  return kSuccess;
}

u32 Commands::query_vport_config(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::QueryVportConfigRequest>();
  if (!message || message->index >= fabric_.count())
    return kFailure;
  const Vport& vport = fabric_.vport(message->index);
  auto& answer = reply.become<wire::QueryVportConfigResponse>();
  answer.max_sq = context_.config.queues;
  answer.max_rq = context_.config.queues;
  answer.indirection_entries = context_.config.indirection_entries;
  copy_bytes(answer.mac, vport.mac, sizeof(answer.mac));
  answer.vport = vport.handle();
  return kSuccess;
}

u32 Commands::query_link_config(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::QueryLinkConfigRequest>();
  const Vport* vport = message ? fabric_.find_handle(message->vport) : nullptr;
  if (!vport)
    return kFailure;
  auto& answer = reply.become<wire::QueryLinkConfigResponse>();
  answer.qos_speed = vport->clamped ? vport->clamp_speed : 0;
  answer.qos_unconfigured = !vport->clamped;
  answer.link_speed = kLinkSpeed;
  if (request.header().response.version >= 2)
    reply.set_version(2);
  return kSuccess;
}

u32 Commands::set_bw_clamp(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::SetBwClampRequest>();
  Vport* vport = message ? fabric_.find_handle(message->vport) : nullptr;
  if (!vport || !is_tri_state(message->enable))
    return kFailure;
  apply(vport->clamped, message->enable);
  if (message->enable == wire::TriState::kOn)
    vport->clamp_speed = message->speed;
  reply.become<wire::SetBwClampResponse>().qos_unconfigured = !vport->clamped;
  return kSuccess;
}

u32 Commands::query_phy_stat(const Request& request, Reply& reply) {
  if (!request.as<wire::QueryPhyStatRequest>())
    return kFailure;
  auto& answer = reply.become<wire::QueryPhyStatResponse>();
  const wire::GfCounters& gf = context_.statistics.gf;
  // All traffic is of class 0. Bits: drops, then packets and bytes of that class.
  answer.reported = 0xFF;
  answer.rx_drops = gf.rx_discards_no_wqe;
  answer.packets[0] = {gf.rx_unicast_packets + gf.rx_multicast_packets + gf.rx_broadcast_packets,
                       gf.tx_unicast_packets + gf.tx_multicast_packets + gf.tx_broadcast_packets};
  answer.bytes[0] = {gf.rx_bytes, gf.tx_bytes};
  return kSuccess;
}

}  // namespace mana::model
