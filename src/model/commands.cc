// SPDX-License-Identifier: GPL-2.0
#include "model/commands.h"

namespace mana::model {

const Commands::Entry* Commands::find(wire::Command command) {
  using wire::Command;
  static constexpr Entry kEntries[] = {
      {Command::kVerifyVfDriverVersion, Scope::kGeneric, &Commands::verify_version},
      {Command::kQueryMaxResources, Scope::kGeneric, &Commands::query_max_resources},
      {Command::kListDevices, Scope::kGeneric, &Commands::list_devices},
      {Command::kRegisterDevice, Scope::kListed, &Commands::register_device},
      {Command::kDeregisterDevice, Scope::kListed, &Commands::deregister_device},
      {Command::kGenerateTestEqe, Scope::kGeneric, &Commands::generate_test_eqe},
      {Command::kGenerateResetRequestEqe, Scope::kGeneric, &Commands::generate_reset_request_eqe},
      {Command::kCreateQueue, Scope::kRegistered, &Commands::create_queue},
      {Command::kDisableQueue, Scope::kRegistered, &Commands::disable_queue},
      {Command::kCreateDmaRegion, Scope::kGeneric, &Commands::create_dma_region},
      {Command::kDmaRegionAddPages, Scope::kGeneric, &Commands::add_pages},
      {Command::kDestroyDmaRegion, Scope::kGeneric, &Commands::destroy_dma_region},
      {Command::kChangeMsixForEq, Scope::kRegistered, &Commands::change_msix},
      {Command::kQueryHwcTimeout, Scope::kGeneric, &Commands::query_hwc_timeout},
      {Command::kQueryDevConfig, Scope::kRegistered, &Commands::query_dev_config},
      {Command::kQueryGfStat, Scope::kRegistered, &Commands::query_gf_stat},
      {Command::kConfigVportTx, Scope::kRegistered, &Commands::config_vport_tx},
      {Command::kCreateWqObject, Scope::kRegistered, &Commands::create_wq_object},
      {Command::kDestroyWqObject, Scope::kRegistered, &Commands::destroy_wq_object},
      {Command::kFenceRq, Scope::kRegistered, &Commands::fence_rq},
      {Command::kConfigVportRx, Scope::kRegistered, &Commands::config_vport_rx},
      {Command::kQueryVportConfig, Scope::kRegistered, &Commands::query_vport_config},
      {Command::kQueryLinkConfig, Scope::kRegistered, &Commands::query_link_config},
      {Command::kSetBwClamp, Scope::kRegistered, &Commands::set_bw_clamp},
      {Command::kQueryPhyStat, Scope::kRegistered, &Commands::query_phy_stat},
  };
  for (const Entry& entry : kEntries) {
    if (entry.command == command)
      return &entry;
  }
  return nullptr;
}

bool Commands::in_scope(Scope scope, wire::DeviceId device) const {
  switch (scope) {
    case Scope::kGeneric:
      return device == kNoDevice || device == kHwcDevice || device == kBnicDevice;
    case Scope::kListed: return device == kBnicDevice;
    case Scope::kRegistered: return device == kBnicDevice && resources_.registered;
  }
  return false;
}

u32 Commands::execute(const Request& request, Reply& reply) {
  context_.statistics.commands++;
  const Entry* entry = find(request.command());
  // M-32; the RDMA space (6.16) is among the others.
  u32 status = wire::status::kUnsupported;
  if (entry) {
    status = in_scope(entry->scope, request.header().device)
                 ? (this->*entry->handler)(request, reply)
                 : wire::status::kFailure;
  }
  if (status != wire::status::kSuccess && status != wire::status::kMoreEntries) {
    context_.statistics.commands_failed++;
    clear_bytes(reply.bytes(), reply.size());
    reply.become<wire::HeaderOnlyResponse>();
  }
  context_.trace()
      .text("command ")
      .hex(request.header().request.message_type)
      .text(" status ")
      .hex(status);
  return status;
}

void Commands::destroy_wq(WorkQueue* wq) {
  // M-44: from here on nothing leads to this queue.
  Vport& vport = *wq->vport();
  if (wq->type() == wire::WqType::kSq) {
    schedule_.forget(wq);
    vport.sq_count--;
  } else {
    vport.forget(wq);
    vport.rq_count--;
  }
  CompletionQueue* cq = wq->cq();
  resources_.destroy_wq(wq);
  resources_.destroy_cq(cq);
}

u32 Commands::reclaim() {
  // The queues of the HWC are not the driver's to leave behind.
  u32 count = 0;
  const auto is_data = [](const auto& queue) { return queue.doorbell_id() != kHwcDoorbell; };
  for (; WorkQueue* sq = resources_.sqs.find_if(is_data); count++)
    destroy_wq(sq);
  for (; WorkQueue* rq = resources_.rqs.find_if(is_data); count++)
    destroy_wq(rq);
  for (; EventQueue* eq = resources_.eqs.find_if(is_data); count++)
    resources_.destroy_eq(eq);
  context_.statistics.reclaimed += count;
  return count;
}

}  // namespace mana::model
