// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kern/atomic.h"
#include "shim/page_pool.h"

namespace mana::port {

// Counters of one receive queue index. They belong to the port and survive the queue, so that they
// never go backwards when a queue is recreated. One writer: the queue's NAPI.
struct alignas(64) RxStatistics {
  kern::Counter packets;       // delivered to the stack or to XDP
  kern::Counter bytes;
  kern::Counter xdp_drop;      // dropped by the program, or aborted
  kern::Counter xdp_tx;
  kern::Counter xdp_redirect;
  kern::Counter no_buffer;     // dropped because no replacement buffer could be had
  kern::Counter no_skb;        // dropped because no skb could be had
  kern::Counter bad_length;    // completion with length 0 or beyond the buffer
  kern::Counter truncated;     // frame longer than the buffer
  kern::Counter coalesced;     // completion types that were not negotiated
  kern::Counter unknown_type;
  kern::Counter misdirected;   // completion that names another queue
  kern::Counter pool_buffers;  // buffers taken in place of those that left the ring
  kern::Counter shared_cqe;    // packets whose completion stood for others too

  // What the stack was told about the checksum of each skb: exactly one of the three.
  kern::Counter csum_unnecessary;  // good
  kern::Counter csum_none;         // not looked at by the device, or not asked for
  kern::Counter csum_bad;          // wrong; the stack looks again, and drops

  // Of pools that are gone; the living pool's own counters come on top. Pages that a pool leaves
  // behind go back to the kernel sooner or later, and count as released at once. Under RTNL.
  kern::Counter past_pool_pages;  // taken and released
  shim_page_pool_stats past_pools{};
};

// Counters of one transmit queue index. The first group is written under the queue's transmit lock,
// the second by the NAPI.
struct alignas(64) TxStatistics {
  kern::Counter packets;  // frames on the wire: segments of a TSO packet count each
  kern::Counter bytes;  // of those frames
  kern::Counter xdp_xmit;
  kern::Counter tso_packets;
  kern::Counter tso_bytes;
  kern::Counter tso_segments;
  kern::Counter long_format;
  kern::Counter short_format;
  kern::Counter checksum_partial;
  kern::Counter map_errors;
  kern::Counter dropped;
  kern::Counter linearized;
  kern::Counter stop_queue;

  alignas(64) kern::Counter wake_queue;
  kern::Counter completion_errors;
  kern::Counter unknown_type;
  kern::Counter misdirected;  // completion that names another queue, or no packet
};

}  // namespace mana::port
