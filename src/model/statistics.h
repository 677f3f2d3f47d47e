// SPDX-License-Identifier: GPL-2.0
// What the device counts: for the guest (QUERY_GF_STAT) and for the person at the host.
#pragma once

#include "wire/bnic_commands.h"
#include "wire/tx.h"

namespace mana::model {

struct PortStatistics {
  u64 tx_packets = 0;  // WQEs with a frame; an LSO packet is one
  u64 tx_bytes = 0;
  u64 tx_errors = 0;
  u64 tx_lso_packets = 0;
  u64 tx_lso_segments = 0;
  u64 tx_checksums = 0;
  u64 tx_vlan_inserted = 0;
  u64 rx_packets = 0;
  u64 rx_bytes = 0;
  u64 rx_dropped_no_wqe = 0;
  u64 rx_dropped_disabled = 0;
  u64 rx_dropped_link_down = 0;
  u64 rx_truncated = 0;
  u64 rx_checksum_bad = 0;
  u64 rx_vlan_stripped = 0;
  u64 rx_coalesced = 0;  // packets that share a completion with others
};

struct DeviceStatistics {
  wire::GfCounters gf = {};

  u64 doorbells_sq = 0;
  u64 doorbells_rq = 0;
  u64 doorbells_cq = 0;
  u64 doorbells_eq = 0;
  u64 doorbells_ignored = 0;  // wrong offset, size, id, page or tail
  u64 interrupts = 0;
  u64 interrupts_lost = 0;  // by a fault
  u64 eqes = 0;
  u64 events_by_count = 0;  // of moderated CQs: because of enough completions
  u64 events_by_time = 0;   // because enough time had passed
  u64 cqes = 0;
  u64 entries_lost = 0;  // a CQ or EQ overflowed, or its memory is gone
  u64 commands = 0;
  u64 commands_failed = 0;
  u64 reclaimed = 0;  // objects the driver left behind at deregistration or DESTROY_HWC
  u64 frames_dropped = 0;  // by a fault
  u64 queues_disabled = 0;
};

enum class Cast : u8 { kUnicast, kMulticast, kBroadcast };

inline Cast cast_of(const u8* mac) {
  if ((mac[0] & 1) == 0)
    return Cast::kUnicast;
  for (u32 i = 0; i < 6; i++) {
    if (mac[i] != 0xFF)
      return Cast::kMulticast;
  }
  return Cast::kBroadcast;
}

}  // namespace mana::model
