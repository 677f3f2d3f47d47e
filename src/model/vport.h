// SPDX-License-Identifier: GPL-2.0
// vPort: one Ethernet port, its steering and its counters.
#pragma once

#include "model/config.h"
#include "model/frame.h"
#include "model/toeplitz.h"
#include "model/work_queue.h"

namespace mana::model {

// Where received packets go (data sheet 7.8).
struct Steering {
  bool rx_enabled = false;
  bool rss_enabled = false;
  u32 coalescing = 0;  // packets that may share a completion: 0, 4 or 8
  WorkQueue* default_rq = nullptr;
  u32 entries = 0;  // 0: no table yet
  u32 hash_types = wire::hash::kDefault;
  WorkQueue* table[kMaxIndirectionEntries] = {};  // null: that RQ was destroyed
};

struct RxHash {
  u32 type = 0;  // RxCqe hash type bits; 0: none
  u32 value = 0;
};

class Vport : NonCopyable {
 public:
  u32 index = 0;
  u8 mac[6] = {};
  bool external = false;
  bool link_up = true;  // of the wire; survives resets
  u16 offset = 0;       // what the TX OOB must say

  bool configured = false;  // M-42
  u32 sq_count = 0;
  u32 rq_count = 0;
  bool clamped = false;
  u32 clamp_speed = 0;  // Mb/s

  Steering steering;
  Toeplitz toeplitz;
  PortStatistics statistics;

  // M-41: unique, not all ones.
  u64 handle() const { return 0x4D50'0000'0000'0000 | (index + 1); }

  // M-59: the hash over the enabled types, if the packet is hashable.
  RxHash hash(const Frame& frame) const;
  // Null if nothing may take the packet.
  WorkQueue* choose_rq(const RxHash& hash) const;

  // M-44: the RQ is about to go.
  void forget(const WorkQueue* rq);

  // Back to what QUERY_VPORT_CONFIG found first; wire and counters stay.
  void reset();
};

}  // namespace mana::model
