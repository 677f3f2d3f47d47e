// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/span.h"
#include "gdma/cq_table.h"
#include "gdma/entry_ring.h"
#include "gdma/work_ring.h"
#include "hwc/commands.h"
#include "port/statistics.h"
#include "shim/netdev.h"
#include "shim/page_pool.h"
#include "shim/skb.h"
#include "shim/xdp.h"
#include "wire/tx.h"

namespace mana::port {

// What a transmit ring holds besides WQEs: for each packet, what to do when it is sent. Indexed by
// the position of the packet's WQE in the ring, so that there is nothing to allocate or search.
struct TxRecord {
  enum class Kind : u8 {
    kNone,
    kSkb,       // consume it
    kXdpFrame,  // return it; mapped by us (ndo_xdp_xmit)
    kXdpPage,   // recycle it; mapped by the page pool
  };

  void* object;
  u32 bytes;  // for byte queue limits
  u8 units;   // BU of the WQE
  u8 mappings;
  Kind kind;
};
static_assert(sizeof(TxRecord) == 16);

// One DMA mapping of a packet. A WQE of n BU has room for at most 2n SGEs, so mappings are found
// at twice the ring position.
struct TxMapping {
  u64 address;
  u32 bytes;
  bool fragment;
};
static_assert(sizeof(TxMapping) == 16);

// A frame that the receive side sends back (XDP_TX), in a page of a page pool.
struct XdpTxBuffer {
  page* page;
  u64 address;  // DMA address of the frame's first byte
  u32 bytes;
};

struct TxConfig {
  u32 units;  // ring size in BU, a power of two >= 128
};

// One SQ and its CQ.
//
// transmit() and transmit_frame() run under the stack's lock of the queue; reap() in the channel's
// NAPI, perhaps on another CPU. They share the ring's two indices, each written by one side.
class TxQueue : NonCopyable {
 public:
  // All host memory; nothing that the device knows.
  Result<void> prepare(::device* dev, int node, netdev_queue* txq, TxStatistics& statistics,
                       const TxConfig& config);
  // Frees what was not sent, and memory.
  ~TxQueue();

  // Brings the prepared queue to life on the device, empty; undone by detach().
  Result<void> attach(const hwc::Device& device, u64 vport, u32 vport_offset, u32 parent_eq);
  // False if the device did not confirm that the queue is gone.
  [[nodiscard]] bool detach();

  // Whether the stack may be woken for this queue.
  void set_open(bool open) { open_.store(open); }

  // False: no room, the stack keeps the skb. True: it was taken, and sent or dropped.
  bool transmit(sk_buff* skb);

  // False: not taken.
  bool transmit_frame(xdp_frame* frame);
  // Takes the queue's lock itself, sends as many of the buffers as there is room for, from the
  // front, and rings once. Their number; the pages of those go back to their pool when sent. In the
  // channel's NAPI.
  u32 transmit_pages(Span<const XdpTxBuffer> buffers);
  // Rings for everything that was posted and not rung for yet.
  void flush();

  // Completes sent packets. False if it stopped at its bound with more to do.
  bool reap(int budget);
  void arm();
  // Whether completions were taken out since arm(), so that the CQ cannot be armed any more.
  bool moved_since_arming() const { return cq_.moved_since_arming(); }
  // True if completions made no sense or the device disabled the queue: recreate it.
  bool broken() const { return broken_.load(); }

  bool idle() const { return sq_.used() == 0; }
  u32 cq_id() const { return object_.cq_id; }
  u32 wq_id() const { return object_.wq_id; }
  const gdma::WorkRing& ring() const { return sq_; }

 private:
  struct Plan;

  Result<Plan> plan(sk_buff* skb);
  bool map_and_write(sk_buff* skb, const Plan& plan);
  void write_header(const Plan& plan) const;
  void post_single(void* object, TxRecord::Kind kind, u8 mappings, u64 address, u32 bytes);
  void unmap(u32 position, u32 count);
  void complete(const TxRecord& record, u32 position, int budget);
  void drop_outstanding();
  void stop_if_full();
  void drop(sk_buff* skb);

  TxMapping& mapping(u32 position, u32 index) const {
    return mappings_[(position * 2 + index) & mapping_mask_];
  }

  // Read by both sides.
  gdma::WorkRing sq_;
  kern::Array<TxRecord> records_;
  kern::Array<TxMapping> mappings_;
  u32 mapping_mask_ = 0;
  u32 mkey_ = 0;
  ::device* dev_ = nullptr;
  netdev_queue* txq_ = nullptr;
  TxStatistics* statistics_ = nullptr;
  gdma::DoorbellPage doorbell_;
  hwc::WqObject object_;
  const hwc::Device* device_ = nullptr;
  u32 vport_offset_ = 0;
  bool in_doubt_ = false;  // the device may have a queue that it did not tell us about

  // Transmit side.
  alignas(64) u32 rung_ = 0;  // producer position of the last doorbell

  // Completion side.
  alignas(64) gdma::CompletionRing cq_;
  kern::Atomic<bool> broken_{false};
  kern::Atomic<bool> open_{false};
};

}  // namespace mana::port
