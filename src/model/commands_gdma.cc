// SPDX-License-Identifier: GPL-2.0
// GDMA commands: resources, queues and memory (data sheet 6).
#include "model/commands.h"

namespace mana::model {
namespace {

using wire::status::kFailure;
using wire::status::kMoreEntries;
using wire::status::kSuccess;

}  // namespace

u32 Commands::verify_version(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::VerifyVersionRequest>();
  if (!message || message->protocol_min > wire::kGdmaProtocol ||
      message->protocol_max < wire::kGdmaProtocol)
    return kFailure;
  context_.driver_caps = message->driver_caps[0];
  auto& answer = reply.become<wire::VerifyVersionResponse>();
  // M-33: what is offered here works. Self-reset and moderation are offered to those who
  // understand them.
  answer.protocol = wire::kGdmaProtocol;
  answer.pf_caps[0] = wire::pf_cap::kQueryHwcTimeout;
  if ((context_.driver_caps & wire::driver_cap::kSelfReset) != 0)
    answer.pf_caps[0] |= wire::pf_cap::kSelfReset;
  if (context_.moderates())
    answer.pf_caps[0] |= wire::pf_cap::kCqModeration;
  return kSuccess;
}

u32 Commands::query_max_resources(const Request&, Reply& reply) {
  auto& answer = reply.become<wire::QueryMaxResourcesResponse>();
  answer.max_sq = kMaxSqs;
  answer.max_rq = kMaxRqs;
  answer.max_cq = kMaxDataCqs;
  answer.max_eq = kMaxDataEqs;
  answer.max_doorbells = kBnicDoorbell + 1;
  answer.max_mst = 1;
  answer.max_cq_moderation_contexts = context_.config.moderated_cqs;
  answer.max_moderated_cq = context_.config.moderated_cqs;
  answer.max_msix = kMsixVectors;
  return kSuccess;
}

u32 Commands::list_devices(const Request&, Reply& reply) {
  // M-34
  auto& answer = reply.become<wire::ListDevicesResponse>();
  answer.count = 2;
  answer.devices[0] = kHwcDevice;
  answer.devices[1] = kBnicDevice;
  return kSuccess;
}

u32 Commands::register_device(const Request&, Reply& reply) {
  if (resources_.registered)
    return kFailure;  // M-35
  resources_.registered = true;
  auto& answer = reply.become<wire::RegisterDeviceResponse>();
  answer.pdid = kBnicPdid;
  answer.gpa_mkey = kBnicMkey;
  answer.doorbell_id = kBnicDoorbell;
  return kSuccess;
}

u32 Commands::deregister_device(const Request&, Reply&) {
  if (!resources_.registered)
    return kFailure;  // M-35
  // U7: the protection domain, the key and the doorbell page end here, so nothing that uses them
  // can go on.
  const u32 left = reclaim();
  if (left > 0)
    context_.blame().text("device deregistered with ").number(left).text(" queues left");
  fabric_.reset();
  resources_.registered = false;
  return kSuccess;
}

u32 Commands::generate_test_eqe(const Request& request, Reply&) {
  const auto* message = request.as<wire::GenerateTestEqeRequest>();
  EventQueue* eq = message ? resources_.eqs.find(message->eq_id) : nullptr;
  if (!eq)
    return kFailure;  // M-38
  eq->post(context_, wire::EqeType::kTest);
  return kSuccess;
}

u32 Commands::generate_reset_request_eqe(const Request& request, Reply&) {
  const auto* message = request.as<wire::GenerateResetRequestEqeRequest>();
  EventQueue* eq = message ? resources_.eqs.find(message->eq_id) : nullptr;
  if (!eq || (context_.driver_caps & wire::driver_cap::kSelfReset) == 0)
    return kFailure;  // M-61
  eq->post(context_, wire::EqeType::kVfResetRequest, message->event_data);
  return kSuccess;
}

u32 Commands::create_queue(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::CreateQueueRequest>();
  // Ethernet drivers create only EQs this way; the other queues come from CREATE_WQ_OBJ.
  if (!message || message->type != wire::QueueType::kEq)
    return kFailure;
  if (message->pdid != kBnicPdid || message->doorbell_id != kBnicDoorbell ||
      message->msix_index >= kMsixVectors)
    return kFailure;
  DmaRegion* region = resources_.find_region(message->region);
  if (!region || !region->fits_ring(message->queue_bytes))
    return kFailure;  // M-37
  EventQueue* eq =
      resources_.create_eq(RingMemory::of(*region), region, kBnicDoorbell, message->msix_index);
  if (!eq)
    return kFailure;
  reply.become<wire::CreateQueueResponse>().queue_id = eq->id;
  return kSuccess;
}

u32 Commands::disable_queue(const Request& request, Reply&) {
  const auto* message = request.as<wire::DisableQueueRequest>();
  if (!message || message->type != wire::QueueType::kEq)
    return kFailure;
  EventQueue* eq = resources_.eqs.find(message->queue_id);
  // M-39, V12: not while a CQ leads here, and not the HWC's.
  if (!eq || eq->doorbell_id() != kBnicDoorbell || eq->attached_cqs > 0)
    return kFailure;
  resources_.destroy_eq(eq);
  return kSuccess;
}

u32 Commands::create_dma_region(const Request& request, Reply& reply) {
  const auto* message = request.as<wire::CreateDmaRegionRequest>();
  DmaRegion::Shape shape;
  if (!message || !DmaRegion::Shape::of(*message, shape) || message->addresses_here == 0)
    return kFailure;
  const u8* addresses = request.array(sizeof(*message), message->addresses_here, sizeof(u64));
  if (!addresses)
    return kFailure;
  DmaRegion* region = resources_.create_region(shape);
  if (!region)
    return kFailure;
  if (!region->add(context_.host, addresses, message->addresses_here)) {
    resources_.destroy_region(region);
    return kFailure;
  }
  reply.become<wire::CreateDmaRegionResponse>().region = region->handle();
  return region->complete() ? kSuccess : kMoreEntries;
}

u32 Commands::add_pages(const Request& request, Reply&) {
  const auto* message = request.as<wire::DmaRegionAddPagesRequest>();
  DmaRegion* region = message ? resources_.find_region(message->region) : nullptr;
  if (!region || region->complete() || message->addresses_here == 0)
    return kFailure;
  const u8* addresses = request.array(sizeof(*message), message->addresses_here, sizeof(u64));
  if (!addresses || !region->add(context_.host, addresses, message->addresses_here))
    return kFailure;
  return region->complete() ? kSuccess : kMoreEntries;
}

u32 Commands::destroy_dma_region(const Request& request, Reply&) {
  const auto* message = request.as<wire::DestroyDmaRegionRequest>();
  DmaRegion* region = message ? resources_.find_region(message->region) : nullptr;
  if (!region)
    return kFailure;
  resources_.destroy_region(region);
  return kSuccess;
}

u32 Commands::change_msix(const Request& request, Reply&) {
  const auto* message = request.as<wire::ChangeMsixForEqRequest>();
  EventQueue* eq = message ? resources_.eqs.find(message->eq_id) : nullptr;
  if (!eq || eq->doorbell_id() != kBnicDoorbell || message->msix_index >= kMsixVectors)
    return kFailure;
  eq->set_vector(message->msix_index);
  return kSuccess;
}

u32 Commands::query_hwc_timeout(const Request& request, Reply& reply) {
  constexpr u32 kDefaultMs = 30'000;
  constexpr u32 kMinMs = 1'000;
  constexpr u32 kMaxMs = 60'000;
  const auto* message = request.as<wire::QueryHwcTimeoutRequest>();
  if (!message)
    return kFailure;
  const u32 proposed = message->timeout_ms;
  reply.become<wire::QueryHwcTimeoutResponse>().timeout_ms =
      proposed == 0 ? kDefaultMs : clamp(proposed, kMinMs, kMaxMs);
  return kSuccess;
}

}  // namespace mana::model
