// SPDX-License-Identifier: GPL-2.0
#include "hwc/diagnosis.h"

#include "shim/log.h"

namespace mana::hwc {

const char* command_name(wire::Command command) {
  using enum wire::Command;
  switch (command) {
    case kVerifyVfDriverVersion: return "VERIFY_VF_DRIVER_VERSION";
    case kQueryMaxResources: return "QUERY_MAX_RESOURCES";
    case kListDevices: return "LIST_DEVICES";
    case kRegisterDevice: return "REGISTER_DEVICE";
    case kDeregisterDevice: return "DEREGISTER_DEVICE";
    case kGenerateTestEqe: return "GENERATE_TEST_EQE";
    case kGenerateResetRequestEqe: return "GENERATE_RESET_REQUEST_EQE";
    case kCreateQueue: return "CREATE_QUEUE";
    case kDisableQueue: return "DISABLE_QUEUE";
    case kAllocateResourceRange: return "ALLOCATE_RESOURCE_RANGE";
    case kDestroyResourceRange: return "DESTROY_RESOURCE_RANGE";
    case kCreateDmaRegion: return "CREATE_DMA_REGION";
    case kDmaRegionAddPages: return "DMA_REGION_ADD_PAGES";
    case kDestroyDmaRegion: return "DESTROY_DMA_REGION";
    case kChangeMsixForEq: return "CHANGE_MSIX_FOR_EQ";
    case kQueryHwcTimeout: return "QUERY_HWC_TIMEOUT";
    case kQueryDevConfig: return "QUERY_DEV_CONFIG";
    case kQueryGfStat: return "QUERY_GF_STAT";
    case kConfigVportTx: return "CONFIG_VPORT_TX";
    case kCreateWqObject: return "CREATE_WQ_OBJ";
    case kDestroyWqObject: return "DESTROY_WQ_OBJ";
    case kFenceRq: return "FENCE_RQ";
    case kConfigVportRx: return "CONFIG_VPORT_RX";
    case kQueryVportConfig: return "QUERY_VPORT_CONFIG";
    case kQueryLinkConfig: return "QUERY_LINK_CONFIG";
    case kSetBwClamp: return "SET_BW_CLAMP";
    case kQueryPhyStat: return "QUERY_PHY_STAT";
  }
  return "unknown command";
}

Diagnosis::Text Diagnosis::text() const {
  Text text{};
  if (!reason_)
    shim_format(text.bytes, sizeof(text.bytes), "no reason recorded");
  else if (has_command_ && has_value_)
    shim_format(text.bytes, sizeof(text.bytes), "%s (0x%x): %s 0x%x", command_name(command_),
                static_cast<u32>(command_), reason_, value_);
  else if (has_command_)
    shim_format(text.bytes, sizeof(text.bytes), "%s (0x%x): %s", command_name(command_),
                static_cast<u32>(command_), reason_);
  else if (has_value_)
    shim_format(text.bytes, sizeof(text.bytes), "%s 0x%x", reason_, value_);
  else
    shim_format(text.bytes, sizeof(text.bytes), "%s", reason_);
  return text;
}

}  // namespace mana::hwc
