// SPDX-License-Identifier: GPL-2.0
// GDMA and BNIC commands as functions: typed in, validated out (D-41 to D-50). All sleep. Errors
// leave their reason in the channel's diagnosis.
#pragma once

#include "hwc/device.h"
#include "wire/bnic_commands.h"

namespace mana::hwc {

struct MaxResources {
  u32 sqs;
  u32 rqs;
  u32 cqs;
  u32 eqs;
  u32 msix;  // vectors, the channel's own included; at least 2
};

struct DeviceConfig {
  u32 vports;      // 1..256
  u32 max_frame;   // bytes, Ethernet header included; at least 82
  u32 link_speed;  // Mb/s, 0 if unknown
};

struct VportConfig {
  u64 handle;
  u32 max_sqs;
  u32 max_rqs;
  u32 indirection_entries;  // power of two, 1..512
  u8 mac[6];
};

// An SQ or RQ with its CQ, as the device knows it.
struct WqObject {
  u64 handle = wire::kInvalidHandle;
  u32 wq_id = 0;
  u32 cq_id = 0;

  bool exists() const { return handle != wire::kInvalidHandle; }
};

// When an armed CQ is announced: after so many completions, or so long after the first.
struct Moderation {
  u32 period = 0;  // microseconds, 0..1023; 0: at once
  u32 count = 0;   // 0..255; 0: only time counts
};

// What CONFIG_VPORT_RX changes. Empty spans leave key and table as they are.
struct Steering {
  wire::TriState rx = wire::TriState::kUnchanged;
  wire::TriState rss = wire::TriState::kUnchanged;
  u32 coalescing = 0;  // packets that may share a completion: 0, 4 or 8; there is no "unchanged"
  bool coalesce_8_known = false;  // the device has been told of 8 before, or is now
  u64 default_rq = wire::kInvalidHandle;  // all-ones: unchanged
  Span<const u8> key;                     // 40 bytes
  Span<const u64> table;                  // RX object handles
  u32 table_entries = 0;  // of the vPort, stated even when the table is unchanged
};

// Whether a queue may exist on the device although its creation failed: true unless the device
// refused, or confirmed that what it had created is gone. Memory that was named is not ours then.
constexpr bool leaves_doubt(Errno error) {
  return error != Errno::kIo && error != Errno::kNotSupported && error != Errno::kRange;
}

// --- function ---

// Negotiates protocol 1; the PF capability flags 1.
Result<u64> verify_version(HardwareChannel& channel);
// Adopts the device's idea of the request timeout; only if pf_cap::kQueryHwcTimeout.
Result<void> query_timeout(HardwareChannel& channel);
Result<MaxResources> query_max_resources(HardwareChannel& channel);
// The first MANA device of the list; kNoDevice if there is none.
Result<wire::DeviceId> find_mana_device(HardwareChannel& channel);
Result<Device> register_device(HardwareChannel& channel, const gdma::RegisterMap& map,
                               wire::DeviceId id);
Result<void> deregister_device(const Device& device);

// --- queues; memory stays the caller's ---

Result<u32> create_eq(const Device& device, const kern::DmaCoherent& ring, u32 msix_vector);
Result<void> disable_eq(const Device& device, u32 eq_id);
// Asks for an event of type kTest.
Result<void> generate_test_event(const Device& device, u32 eq_id);
// `moderation` is null unless pf_cap::kCqModeration was offered.
Result<WqObject> create_wq_object(const Device& device, u64 vport, wire::WqType type,
                                  const kern::DmaCoherent& wq, const kern::DmaCoherent& cq,
                                  u32 parent_eq, const Moderation* moderation = nullptr);
Result<void> destroy_wq_object(const Device& device, wire::WqType type, u64 object);

// --- vPorts ---

Result<DeviceConfig> query_device_config(const Device& device);
Result<VportConfig> query_vport_config(const Device& device, u32 index);
// The vPort offset for transmit OOBs, 0..4095.
Result<u32> configure_vport_tx(const Device& device, u64 vport);
// The nanoseconds that a packet may wait for others, if coalescing was asked for; 0 means that the
// device cannot do it, and does all the rest.
Result<u32> configure_vport_rx(const Device& device, u64 vport, const Steering& steering);
Result<void> fence_rq(const Device& device, u64 object);
// Optional: counters of the whole function.
Result<wire::GfCounters> query_gf_counters(const Device& device);

}  // namespace mana::hwc
