// SPDX-License-Identifier: GPL-2.0
#include "hwc/commands.h"

#include "shim/log.h"

namespace mana::hwc {

namespace {

using wire::Command;

constexpr u32 kMaxQueueId = wire::Cqe::WqId::kMax;
constexpr u32 kMaxEqId = 0xFFFF;

// log2 of the events the device may hold back; the value every Linux driver uses.
constexpr u32 kLog2ThrottleLimit = 3;

Errno reject(const Device& device, Command command, const char* reason, u32 value) {
  device.channel->diagnosis().set(reason, command, value);
  return Errno::kProtocol;
}

HardwareChannel::Call device_call(const Device& device, Command command) {
  return {.command = command, .device = device.id};
}

template <typename Response>
Result<Response> header_only(HardwareChannel& channel, const HardwareChannel::Call& call) {
  wire::HeaderOnlyRequest request{};
  return channel.call<Response>(call, request);
}

bool valid_unicast(const u8 (&mac)[6]) {
  u8 any = 0;
  for (u8 octet : mac)
    any |= octet;
  return any != 0 && (mac[0] & 1) == 0;
}

// --- tables of messages ---

void write_handles(u64* to, u32 count, const void* source) {
  copy_bytes(to, source, count * sizeof(u64));
}

void write_zeros(u64* to, u32 count, const void*) { clear_bytes(to, count * sizeof(u64)); }

// --- DMA regions ---

void write_page_addresses(u64* to, u32 count, const void* source) {
  const auto& ring = *static_cast<const kern::DmaCoherent*>(source);
  for (u32 i = 0; i < count; i++)
    to[i] = ring.page_address(i * wire::kPageSize);
}

// Rings are at most 504 pages long, so that one message describes a region.
Result<u64> create_region(const Device& device, const kern::DmaCoherent& ring) {
  const u32 count = ring.bytes() / wire::kPageSize;
  if (count > wire::kMaxRegionAddresses) {
    (void)reject(device, Command::kCreateDmaRegion, "the ring needs too many pages,", count);
    return Errno::kRange;
  }

  wire::CreateDmaRegionRequest request{};
  request.length = ring.bytes();
  request.page_count = count;
  request.addresses_here = count;
  const auto response = TRY(device.channel->call<wire::CreateDmaRegionResponse>(
      {.command = Command::kCreateDmaRegion}, request,
      {.count = count, .write = write_page_addresses, .source = &ring}));
  if (response.region == wire::kInvalidRegion)  // D-47
    return reject(device, Command::kCreateDmaRegion, "the device returned an invalid handle", 0);
  return response.region;
}

// For regions that no queue consumed (D-46). A failure leaves an entry in the device's tables and
// nothing else.
void destroy_region(const Device& device, u64 region) {
  const Diagnosis cause = device.channel->diagnosis();
  wire::DestroyDmaRegionRequest request{};
  request.region = region;
  (void)device.channel->call<wire::HeaderOnlyResponse>({.command = Command::kDestroyDmaRegion},
                                                       request);
  device.channel->diagnosis() = cause;  // what made us clean up is the better story
}

}  // namespace

// --- function ---------------------------------------------------------------------------------

Result<u64> verify_version(HardwareChannel& channel) {
  wire::VerifyVersionRequest request{};
  const u32 kernel = shim_kernel_version_code();
  request.protocol_min = wire::kGdmaProtocol;
  request.protocol_max = wire::kGdmaProtocol;
  // D-42: only what this driver really does.
  request.driver_caps[0] =
      wire::driver_cap::kSharedEq | wire::driver_cap::kHwcTimeoutReconfiguration |
      wire::driver_cap::kVariableIndirectionTable | wire::driver_cap::kVportLinkState |
      wire::driver_cap::kDeviceListHoles | wire::driver_cap::kCqModeration;
  request.os_type = wire::OsType::kLinux;
  request.os_major = kernel >> 16;
  request.os_minor = kernel >> 8 & 0xFF;
  request.os_build = kernel & 0xFF;
  const char* texts[] = {"Linux", shim_kernel_release(), shim_kernel_version()};
  for (u32 i = 0; i < 3; i++)
    shim_format(request.os_text[i], sizeof(request.os_text[i]), "%s", texts[i]);

  const auto response = TRY(channel.call<wire::VerifyVersionResponse>(
      {.command = Command::kVerifyVfDriverVersion}, request));
  if (response.protocol != wire::kGdmaProtocol) {
    channel.diagnosis().set("the device chose an unknown protocol,",
                            Command::kVerifyVfDriverVersion, static_cast<u32>(response.protocol));
    return Errno::kProtocol;
  }
  return response.pf_caps[0];
}

Result<void> query_timeout(HardwareChannel& channel) {
  wire::QueryHwcTimeoutRequest request{};
  const auto response = TRY(
      channel.call<wire::QueryHwcTimeoutResponse>({.command = Command::kQueryHwcTimeout}, request));
  channel.set_timeout(response.timeout_ms);
  return {};
}

Result<MaxResources> query_max_resources(HardwareChannel& channel) {
  const auto response = TRY(header_only<wire::QueryMaxResourcesResponse>(
      channel, {.command = Command::kQueryMaxResources}));
  if (response.max_sq == 0 || response.max_rq == 0 || response.max_cq < 2 || response.max_eq == 0) {
    channel.diagnosis().set("the device offers no queues", Command::kQueryMaxResources);
    return Errno::kNoSpace;
  }
  if (response.max_msix < 2) {  // D-44
    channel.diagnosis().set("at least 2 MSI-X vectors are needed, the device offers",
                            Command::kQueryMaxResources, response.max_msix);
    return Errno::kNoSpace;
  }
  return MaxResources{.sqs = response.max_sq,
                      .rqs = response.max_rq,
                      .cqs = response.max_cq,
                      .eqs = response.max_eq,
                      .msix = response.max_msix};
}

Result<wire::DeviceId> find_mana_device(HardwareChannel& channel) {
  const auto response =
      TRY(header_only<wire::ListDevicesResponse>(channel, {.command = Command::kListDevices}));
  // D-43: the count leaves empty slots out, so it cannot bound the scan; the array does.
  u32 left = min(response.count, wire::kMaxListedDevices);
  for (const wire::DeviceId& id : response.devices) {
    if (left == 0)
      break;
    if (id.type == wire::DeviceType::kMana)
      return id;
    if (id != wire::DeviceId{wire::DeviceType::kNone, 0})
      left--;
  }
  channel.diagnosis().set("the list has no MANA device", Command::kListDevices);
  return Errno::kNoDevice;
}

Result<Device> register_device(HardwareChannel& channel, const gdma::RegisterMap& map,
                               wire::DeviceId id) {
  const auto response = TRY(header_only<wire::RegisterDeviceResponse>(
      channel, {.command = Command::kRegisterDevice, .device = id}));
  Device device{.channel = &channel,
                .id = id,
                .pdid = response.pdid,
                .mkey = response.gpa_mkey,
                .doorbell = {}};
  auto page = map.doorbell_page(response.doorbell_id);
  if (!page) {  // D-4
    (void)deregister_device(device);
    return reject(device, Command::kRegisterDevice, "the doorbell page is outside BAR 0, id",
                  response.doorbell_id);
  }
  device.doorbell = *page;
  return device;
}

Result<void> deregister_device(const Device& device) {
  TRY(header_only<wire::HeaderOnlyResponse>(*device.channel,
                                            device_call(device, Command::kDeregisterDevice)));
  return {};
}

// --- queues -----------------------------------------------------------------------------------

Result<u32> create_eq(const Device& device, const kern::DmaCoherent& ring, u32 msix_vector) {
  const u64 region = TRY(create_region(device, ring));

  wire::CreateQueueRequest request{};
  request.type = wire::QueueType::kEq;
  request.pdid = device.pdid;
  request.doorbell_id = device.doorbell.id();
  request.region = region;
  request.queue_bytes = ring.bytes();
  request.log2_throttle_limit = kLog2ThrottleLimit;
  request.msix_index = msix_vector;
  auto response = device.channel->call<wire::CreateQueueResponse>(
      device_call(device, Command::kCreateQueue), request);
  if (!response) {
    destroy_region(device, region);
    return response.error();
  }
  const u32 eq_id = response.value().queue_id;
  if (eq_id > kMaxEqId) {  // doorbells could not name it
    const bool gone = disable_eq(device, eq_id).ok();
    (void)reject(device, Command::kCreateQueue, "the EQ id has more than 16 bits,", eq_id);
    return gone ? Errno::kRange : Errno::kProtocol;
  }
  return eq_id;
}

Result<void> disable_eq(const Device& device, u32 eq_id) {
  wire::DisableQueueRequest request{};
  request.type = wire::QueueType::kEq;
  request.queue_id = eq_id;
  request.id_allocated_on_creation = 1;
  TRY(device.channel->call<wire::HeaderOnlyResponse>(device_call(device, Command::kDisableQueue),
                                                     request));
  return {};
}

Result<void> generate_test_event(const Device& device, u32 eq_id) {
  wire::GenerateTestEqeRequest request{};
  request.eq_id = eq_id;
  TRY(device.channel->call<wire::HeaderOnlyResponse>(device_call(device, Command::kGenerateTestEqe),
                                                     request));
  return {};
}

Result<WqObject> create_wq_object(const Device& device, u64 vport, wire::WqType type,
                                  const kern::DmaCoherent& wq, const kern::DmaCoherent& cq,
                                  u32 parent_eq, const Moderation* moderation) {
  const u64 wq_region = TRY(create_region(device, wq));
  auto cq_region = create_region(device, cq);
  if (!cq_region) {
    destroy_region(device, wq_region);
    return cq_region.error();
  }

  wire::CreateWqObjectRequestV3 request{};
  request.base.vport = vport;
  request.base.wq_type = type;
  request.base.wq_region = wq_region;
  request.base.cq_region = cq_region.value();
  request.base.wq_bytes = wq.bytes();
  request.base.cq_bytes = cq.bytes();
  request.base.parent_eq = parent_eq;
  auto call = device_call(device, Command::kCreateWqObject);
  if (moderation) {
    call.version = 3;
    request.moderate = moderation->period > 0;
    request.moderation_count = static_cast<u16>(moderation->count);
    request.moderation_period = static_cast<u16>(moderation->period);
  }
  // What is granted is not asked for: nothing would be done differently.
  auto response = moderation
                      ? device.channel->call<wire::CreateWqObjectResponse>(call, request)
                      : device.channel->call<wire::CreateWqObjectResponse>(call, request.base);
  if (!response) {
    destroy_region(device, cq_region.value());
    destroy_region(device, wq_region);
    return response.error();
  }

  const WqObject object{.handle = response.value().object,
                        .wq_id = response.value().wq_id,
                        .cq_id = response.value().cq_id};
  if (object.handle == wire::kInvalidHandle)  // D-47: nothing that we could destroy
    return reject(device, Command::kCreateWqObject, "the device returned an invalid handle", 0);
  // The channel's own CQ is in no table of data queues.
  if (object.wq_id > kMaxQueueId || object.cq_id >= device.channel->max_cqs() ||
      object.cq_id == device.channel->cq_id()) {
    const u32 bad = object.wq_id > kMaxQueueId ? object.wq_id : object.cq_id;
    const bool gone = destroy_wq_object(device, type, object.handle).ok();
    (void)reject(device, Command::kCreateWqObject, "a queue id is out of range,", bad);
    return gone ? Errno::kRange : Errno::kProtocol;
  }
  return object;
}

Result<void> destroy_wq_object(const Device& device, wire::WqType type, u64 object) {
  wire::DestroyWqObjectRequest request{};
  request.wq_type = type;
  request.object = object;
  TRY(device.channel->call<wire::HeaderOnlyResponse>(device_call(device, Command::kDestroyWqObject),
                                                     request));
  return {};
}

// --- vPorts -----------------------------------------------------------------------------------

Result<DeviceConfig> query_device_config(const Device& device) {
  auto call = device_call(device, Command::kQueryDevConfig);
  call.response_version = 4;
  call.minimum_response = __builtin_offsetof(wire::QueryDevConfigResponse, adapter_mtu);
  wire::QueryDevConfigRequest request{};
  request.protocol_minor = 1;  // 0.1.1, what Linux drivers state
  request.protocol_micro = 1;
  const auto response = TRY(device.channel->call<wire::QueryDevConfigResponse>(call, request));

  if (response.vport_count == 0)  // D-49
    return reject(device, Command::kQueryDevConfig, "the device has no vPorts:", 0);
  const u16 version = response.header.response.version;
  const u32 frame = version >= 2 ? response.adapter_mtu : wire::kDefaultFrame;  // D-48
  if (frame < wire::kMinFrame)
    return reject(device, Command::kQueryDevConfig, "the adapter MTU is too small,", frame);
  return DeviceConfig{.vports = min<u32>(response.vport_count, wire::kMaxVports),
                      .max_frame = frame,
                      .link_speed = version >= 4 ? response.link_speed : 0};
}

Result<VportConfig> query_vport_config(const Device& device, u32 index) {
  wire::QueryVportConfigRequest request{};
  request.index = index;
  const auto response = TRY(device.channel->call<wire::QueryVportConfigResponse>(
      device_call(device, Command::kQueryVportConfig), request));

  if (response.max_sq == 0 || response.max_rq == 0)  // D-49
    return reject(device, Command::kQueryVportConfig, "the vPort has no queues, index", index);
  if (response.vport == wire::kInvalidHandle)
    return reject(device, Command::kQueryVportConfig, "the vPort handle is invalid, index", index);
  if (!valid_unicast(response.mac))
    return reject(device, Command::kQueryVportConfig, "the MAC address is not unicast, index",
                  index);

  u32 entries = response.indirection_entries;
  if (!is_power_of_two(entries) || entries > wire::kMaxIndirectionEntries)
    entries = wire::kDefaultIndirectionEntries;
  VportConfig config{.handle = response.vport,
                     .max_sqs = response.max_sq,
                     .max_rqs = response.max_rq,
                     .indirection_entries = entries,
                     .mac = {}};
  copy_bytes(config.mac, response.mac, sizeof(config.mac));
  return config;
}

Result<u32> configure_vport_tx(const Device& device, u64 vport) {
  wire::ConfigVportTxRequest request{};
  request.vport = vport;
  request.pdid = device.pdid;
  request.doorbell_id = device.doorbell.id();
  const auto response = TRY(device.channel->call<wire::ConfigVportTxResponse>(
      device_call(device, Command::kConfigVportTx), request));
  if (response.vport_offset > 4095)  // D-50: an OOB could not carry it
    return reject(device, Command::kConfigVportTx, "the vPort offset does not fit an OOB,",
                  response.vport_offset);
  return u32{response.vport_offset};
}

Result<u32> configure_vport_rx(const Device& device, u64 vport, const Steering& steering) {
  constexpr u32 kUsualWindowNs = 2048;  // of a device that does not say
  auto call = device_call(device, Command::kConfigVportRx);
  call.version = 2;
  wire::ConfigVportRxRequest request{};
  if (steering.coalescing > 4 || steering.coalesce_8_known) {
    call.version = 5;
    // What a device does that is not told in this version.
    request.hash_types = static_cast<u16>(wire::hash::kDefault);
  }
  request.coalesce_4 = steering.coalescing == 4;
  request.coalesce_8 = steering.coalescing > 4;
  if (steering.coalescing > 0) {
    call.response_version = 2;
    call.minimum_response = sizeof(wire::HeaderOnlyResponse);
  }
  request.vport = vport;
  request.rx_enable = steering.rx;
  request.rss_enable = steering.rss;
  request.entry_count = static_cast<u16>(steering.table_entries);
  request.table_offset = sizeof(request);
  if (steering.default_rq != wire::kInvalidHandle) {
    request.update_default_object = 1;
    request.default_object = steering.default_rq;
  }
  if (steering.key.size() == sizeof(request.hash_key)) {
    request.update_hash_key = 1;
    copy_bytes(request.hash_key, steering.key.data(), sizeof(request.hash_key));
  }

  // The entries belong to the message even when they are not to be looked at; zeros then.
  request.update_table = !steering.table.empty();
  const HardwareChannel::Table table{.count = steering.table_entries,
                                     .write = steering.table.empty() ? write_zeros : write_handles,
                                     .source = steering.table.data()};
  if (steering.coalescing == 0) {
    TRY(device.channel->call<wire::HeaderOnlyResponse>(call, request, table));
    return 0u;
  }
  const auto response =
      TRY(device.channel->call<wire::ConfigVportRxResponse>(call, request, table));
  if (response.header.response.version < 2)
    return 0u;
  return response.coalescing_timeout_ns ? response.coalescing_timeout_ns : kUsualWindowNs;
}

Result<void> fence_rq(const Device& device, u64 object) {
  wire::FenceRqRequest request{};
  request.object = object;
  TRY(device.channel->call<wire::HeaderOnlyResponse>(device_call(device, Command::kFenceRq),
                                                     request));
  return {};
}

Result<wire::GfCounters> query_gf_counters(const Device& device) {
  auto call = device_call(device, Command::kQueryGfStat);
  call.response_version = 2;
  call.minimum_response = __builtin_offsetof(wire::QueryGfStatResponse, counters.tx_errors_gdma);
  wire::QueryGfStatRequest request{};
  request.requested = wire::kAllGfCounters;
  const auto response = TRY(device.channel->call<wire::QueryGfStatResponse>(call, request));
  return response.counters;
}

}  // namespace mana::hwc
