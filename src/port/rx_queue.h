// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/entry_ring.h"
#include "gdma/work_ring.h"
#include "hwc/commands.h"
#include "kern/napi.h"
#include "kern/page_pool.h"
#include "port/rx_completion.h"
#include "port/rx_geometry.h"
#include "port/statistics.h"
#include "port/tx_queue.h"
#include "shim/skb.h"
#include "shim/xdp.h"

namespace mana::port {

// A buffer of the page pool: `offset` is where it starts in its page. A null page is no buffer.
struct RxBuffer {
  page* page = nullptr;
  u32 offset = 0;

  u8* memory() const { return static_cast<u8*>(shim_page_address(page)) + offset; }
  u64 dma() const { return shim_page_pool_dma(page) + offset; }
};
static_assert(sizeof(RxBuffer) == 16);

struct RxConfig {
  u32 depth;  // WQEs of the ring, a power of two >= 128; one is kept free
  RxGeometry geometry;
  bool xdp;
};

// One RQ and its CQ, filled with buffers of its own page pool.
//
// The pool maps its pages for DMA once; afterwards a buffer goes in circles between ring, stack and
// pool. Every buffer comes from the pool and goes back to it (P1, P2). The ring never shrinks: a
// packet whose buffer cannot be replaced is dropped and its buffer posted again (P6).
//
// Everything without a comment runs in the channel's NAPI, or in process context while that NAPI
// is disabled.
class RxQueue : NonCopyable {
 public:
  // All host memory, every buffer included (P10); nothing that the device knows.
  Result<void> prepare(::device* dev, int node, net_device* netdev, u32 index,
                       const kern::Napi& napi, RxStatistics& statistics, const RxConfig& config);
  // Returns the posted buffers, then ends the pool (P9).
  ~RxQueue();

  // Brings the prepared queue to life on the device and posts all buffers; undone by detach().
  Result<void> attach(const hwc::Device& device, u64 vport, u32 parent_eq);
  void post_all();
  // False if the device did not confirm that the queue is gone, and may still write to buffers.
  [[nodiscard]] bool detach();

  // Called before NAPI and netdev go away while the pool has to stay.
  void unlink();

  // Handles up to `budget` completions; their number.
  u32 poll(const kern::Napi& napi, u32 budget, TxQueue& tx);
  void arm();
  // Whether completions were taken out since arm(), so that the CQ cannot be armed any more.
  bool moved_since_arming() const { return cq_.moved_since_arming(); }
  bool broken() const { return broken_.load(); }

  // Process context: waits for the fence completion of a FENCE_RQ that was answered.
  void expect_fence() { fence_.reset(); }
  [[nodiscard]] bool wait_fence(u32 milliseconds) { return fence_.wait(milliseconds); }

  // The program that new packets run through; RTNL.
  void set_program(bpf_prog* program) { program_.store_release(program); }

  u64 handle() const { return object_.handle; }
  u32 cq_id() const { return object_.cq_id; }
  u32 wq_id() const { return object_.wq_id; }
  const gdma::WorkRing& ring() const { return rq_; }
  const kern::PagePool& pool() const { return pool_; }

 private:
  static constexpr u32 kMaxStaged = 64;

  bool allocate(RxBuffer& buffer) const;
  void post(const RxBuffer& buffer);
  void handle_packet(const kern::Napi& napi, const RxCompletion& completion, TxQueue& tx);
  void repost(const RxBuffer& buffer, u32 bytes);
  bool run_xdp(bpf_prog* program, const RxBuffer& buffer, u32& headroom, u32& length, u32& metadata,
               TxQueue& tx);
  void send_staged(bpf_prog* program, TxQueue& tx);
  void deliver(const kern::Napi& napi, const RxBuffer& buffer, const RxCompletion& completion,
               u32 headroom, u32 length, u32 metadata);
  void write_wqe_templates();
  void count_pool();

  gdma::CompletionRing cq_;
  gdma::WorkRing rq_;
  kern::Array<RxBuffer> buffers_;  // by ring index
  kern::PagePool pool_;
  RxGeometry geometry_{};
  u32 index_ = 0;
  ::device* dev_ = nullptr;
  net_device* netdev_ = nullptr;
  RxStatistics* statistics_ = nullptr;
  kern::Atomic<bpf_prog*> program_{nullptr};
  xdp_rxq_info* rxq_ = nullptr;
  gdma::DoorbellPage doorbell_;
  hwc::WqObject object_;
  const hwc::Device* device_ = nullptr;

  u32 rung_ = 0;  // producer position of the last doorbell
  bool xdp_ = false;
  bool in_doubt_ = false;  // the device may have a queue that it did not tell us about
  bool redirected_ = false;  // in this poll
  u32 staged_count_ = 0;
  XdpTxBuffer staged_[kMaxStaged];  // XDP_TX, in this poll
  kern::Atomic<bool> broken_{false};
  kern::Completion fence_;
};

}  // namespace mana::port
