// SPDX-License-Identifier: GPL-2.0
// What a person chose, and the limits that follow from it.
#pragma once

#include "vnic/device_model.h"
#include "wire/bnic_commands.h"
#include "wire/registers.h"

namespace mana::model {

inline constexpr u32 kMaxPorts = VNIC_MAX_PORTS;
inline constexpr u32 kMaxQueuePairs = VNIC_MAX_QUEUES;
inline constexpr u32 kMaxDataEqs = 64;
inline constexpr u32 kMsixVectors = 64;
inline constexpr u32 kMaxSqs = kMaxPorts * kMaxQueuePairs;
inline constexpr u32 kMaxRqs = kMaxPorts * kMaxQueuePairs;
inline constexpr u32 kMaxDataCqs = kMaxSqs + kMaxRqs;
inline constexpr u32 kMaxIndirectionEntries = 128;  // M-41
inline constexpr u32 kRawIndirectionEntries = 64;  // raw user queues always send this many (7.8)

inline constexpr u32 kEthernetHeader = 14;
inline constexpr u32 kVlanTag = 4;

// BAR0: register map and mailbox in the first page, then the doorbell pages.
inline constexpr u32 kMailboxOffset = wire::reg::kMapSize;
inline constexpr u32 kDoorbellZone = 0x1000;
inline constexpr u32 kDoorbellPages = 3;  // HWC, BNIC, and one that belongs to nobody
inline constexpr u32 kHwcDoorbell = 0;
inline constexpr u32 kBnicDoorbell = 1;
inline constexpr u64 kBar0Size = 0x4000;
static_assert(kDoorbellZone + kDoorbellPages * wire::kPageSize <= kBar0Size);
static_assert(kMailboxOffset % 8 == 0);

// Protection domains and memory keys; all below 2^24 (M-11), and different, so that a driver that
// confuses them is noticed.
inline constexpr u32 kHwcPdid = 0x11;
inline constexpr u32 kHwcMkey = 0x00A11CE;
inline constexpr u32 kBnicPdid = 0x22;
inline constexpr u32 kBnicMkey = 0x00B0B5;
static_assert(kHwcMkey < 1u << 24 && kBnicMkey < 1u << 24);

inline constexpr wire::DeviceId kNoDevice{wire::DeviceType::kNone, 0};
inline constexpr wire::DeviceId kHwcDevice{wire::DeviceType::kHwc, 0};
inline constexpr wire::DeviceId kBnicDevice{wire::DeviceType::kMana, 1};

inline constexpr u32 kLinkSpeed = 200'000;  // Mb/s
inline constexpr u32 kCoalescingNs = 2048;

struct Config {
  u32 ports = 1;
  u32 queues = 1;
  u32 mtu = 1500;
  u32 external_ports = 0;
  u8 mac[6] = {};
  u32 indirection_entries = kMaxIndirectionEntries;
  u32 vport_offset = 1;  // of port 0, port n adds n
  u32 moderated_cqs = 0;  // so many at most at the same time; 0: moderation is not offered
  u32 coalescing = 0;  // received packets that share a completion: 0 (not offered), 4 or 8
  u32 coalescing_ns = kCoalescingNs;  // a packet waits for others so long at most
  bool heeds_suppression = true;  // of completions, by the WQE

  u32 adapter_mtu() const { return mtu + kEthernetHeader; }
  bool external(u32 port) const { return (external_ports >> port & 1) != 0; }
};

}  // namespace mana::model
