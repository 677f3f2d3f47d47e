// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/completion_cursor.h"
#include "gdma/work_ring.h"
#include "hwc/commands.h"
#include "kern/napi.h"
#include "kern/page_pool.h"
#include "kern/text.h"
#include "port/rx_buffer.h"
#include "port/rx_burst.h"
#include "port/rx_geometry.h"
#include "port/statistics.h"
#include "port/tx_queue.h"
#include "shim/skb.h"
#include "shim/xdp.h"

namespace mana::port {

struct RxConfig {
  u32 depth;  // WQEs of the ring, a power of two >= 128; one is kept free
  RxGeometry geometry;
  bool two_way;  // the device may read buffers
};

// One RQ and its CQ, filled with buffers of its own page pool.
//
// The pool maps its pages for DMA once; afterwards a buffer goes in circles between ring, stack and
// pool. Every buffer comes from the pool and goes back to it (P1, P2).
//
// A WQE is one BU, so that WQEs have fixed slots, and every slot has a buffer at any time: a packet
// leaves its slot only in exchange for a replacement. Without one it is dropped, and the buffer
// stays where it is (P6), as it does when a program drops the packet. So the ring cannot shrink,
// and posting is nothing but to tell the device, some slots at a time.
//
// Buffers that are scattered over pages (rx_scatter.cc) have WQEs of two BU, and a slot holds a
// page for each SGE. A packet takes those that it fills, and each of them is replaced.
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
  Result<void> attach(const hwc::Device& device, u64 vport, u32 parent_eq,
                      const hwc::Moderation* moderation);
  void post_all() { post(); }
  // False if the device did not confirm that the queue is gone, and may still write to buffers.
  [[nodiscard]] bool detach();

  // Called before NAPI and netdev go away while the pool has to stay.
  void unlink();

  // Handles up to `budget` completions; their number.
  u32 poll(const kern::Napi& napi, u32 budget, TxQueue& tx);
  void arm();
  // For what was sent back, and is sent.
  RxStash& stash() { return stash_; }
  // Whether completions were taken out since arm(), so that the CQ cannot be armed any more.
  bool moved_since_arming() const { return cq_.moved_since_arming(); }
  bool broken() const { return broken_.load(); }

  // Process context: waits for the fence completion of a FENCE_RQ that was answered.
  void expect_fence() { fence_.reset(); }
  [[nodiscard]] bool wait_fence(u32 milliseconds) { return fence_.wait(milliseconds); }

  // The program that new packets run through; RTNL.
  void set_program(bpf_prog* program) { program_.store_release(program); }
  // D-59: completions of up to so many packets (0, 4 or 8) are none that nobody asked for; RTNL.
  // Lowered only when all those that may have more were polled.
  void accept_coalesced(u32 packets) { coalesced_.store(packets); }

  // Under RTNL, whatever else goes on.
  void describe(const kern::Text& text) const;
  void describe_words(const kern::Text& text) const;

  u64 handle() const { return object_.handle; }
  u32 cq_id() const { return object_.cq_id; }
  u32 wq_id() const { return object_.wq_id; }
  const gdma::WorkRing& ring() const { return rq_; }
  const kern::PagePool& pool() const { return pool_; }
  const RxStatistics& statistics() const { return *statistics_; }

 private:
  // One packet takes one WQE of one BU: header, unused OOB and a single SGE. With tails, of two.
  static constexpr u32 kSgl = wire::sgl_offset(wire::OobSize::k8);
  static_assert(wire::wqe_bytes(wire::OobSize::k8, 1) == wire::kBasicUnit);
  static constexpr u32 kMaxTails = RxGeometry::kMaxTails;
  static constexpr u32 kScatteredShift = 1;
  static_assert(wire::wqe_bytes(wire::OobSize::k8, 2) == wire::kBasicUnit << kScatteredShift);
  static_assert(wire::wqe_bytes(wire::OobSize::k8, 1 + kMaxTails) == wire::kBasicUnit
                                                                         << kScatteredShift);
  // So many slots are told to the device with one doorbell. The ring has at least four times as
  // many, so what waits to be told never makes it short.
  static constexpr u32 kPostBatch = 32;
  // What a program sends back is handed to the transmit queue so many at a time.
  static constexpr u32 kMaxStaged = 32;

  // What one poll did, for the statistics. What happens to most packets is not counted but follows
  // from the rest.
  struct Tally {
    u32 done = 0;  // completions
    u32 skipped = 0;  // that stood for no slot
    u32 refused = 0;  // slots with bad completions, and packets without replacement
    u32 kept = 0;  // dropped by the program, the buffer stayed in its slot
    u32 lost = 0;  // the program's redirection failed
    u32 redirected = 0;
    u32 sent_back = 0;  // handed to the transmit queue
    u32 no_skb = 0;
    u32 unchecked = 0;  // delivered; the device said nothing about the checksum
    u32 bad = 0;  // delivered; it is wrong
    u32 pages = 0;  // that scattered packets took from the pool
    u64 bytes = 0;

    u32 slots() const { return done - skipped; }  // consumed by the device
    u32 packets() const { return slots() - refused; }
    u32 gone() const { return packets() - kept; }  // left their slots
    u32 delivered() const { return gone() - lost - redirected - sent_back - no_skb; }
  };

  u32 slots() const { return rq_.units() >> unit_shift_; }
  u32 posted() const { return rq_.used() >> unit_shift_; }
  // Slots that the device was not told of; one stays ours (D-62).
  u32 untold() const { return slots() - 1 - posted(); }

  RxBuffer take();
  RxBuffer take_stashed(bool sync);
  RxBuffer take_page();
  RxBuffer fill();
  void give_back(u8* memory) const;
  void put(const RxBuffer& buffer) const;
  [[gnu::noinline, gnu::cold]] void empty_stash();
  void post();

  // What is run for each packet.
  enum class Program { kNone, kPlain, kWithHints };

  // The CQ's entries, or the packets in them.
  template <bool kCoalesced>
  auto cursor();
  template <Program kProgram, bool kCoalesced>
  u32 walk(const kern::Napi& napi, u32 bound, bpf_prog* program, TxQueue& tx);
  // By itself, so that the poll that most run is not compiled around it.
  [[gnu::noinline]] u32 walk_with_hints(const kern::Napi& napi, u32 bound, bpf_prog* program,
                                        TxQueue& tx);
  void finish(const kern::Napi& napi, sk_buff* skb, const RxCompletion& completion, u32 metadata,
              Tally& tally);

  [[gnu::noinline]] u32 walk_coalesced(const kern::Napi& napi, u32 bound, TxQueue& tx);

  template <bool kXdp, bool kCoalesced>
  [[gnu::noinline]] u32 walk_scattered(const kern::Napi& napi, u32 bound, bpf_prog* program,
                                       TxQueue& tx);
  RxBuffer* tails_of(u32 slot) const { return tails_.data() + slot * kMaxTails; }
  bool take_whole(RxBuffer& buffer);
  bool fill_tails(u32 slot);
  bool reserve(u32 pages, Tally& tally);
  RxBuffer replace(u32 slot, u32 piece);
  void sync_pieces(u32 slot, u32 length) const;
  void return_pieces(u32 slot, u32 tails) const;
  void deliver_pieces(const kern::Napi& napi, u32 slot, const RxCompletion& completion, bool sync,
                      Tally& tally);
  shim_xdp_action run_pieces(shim_xdp_buff& xdp, bpf_prog* program, u32 slot, u32 length,
                             bool sync);
  void pass_pieces(const kern::Napi& napi, shim_xdp_buff& xdp, u8* memory,
                   const RxCompletion& completion, Tally& tally);
  void give_up(shim_xdp_buff& xdp, bpf_prog* program, shim_xdp_action action, Tally& tally);
  void send_staged_frames(Span<xdp_frame* const> staged, bpf_prog* program, TxQueue& tx);

  u32 wanted_flags() const;
  bool consumes_buffer(wire::RxCqeType type);
  void return_to_device(u64 data) const;
  void deliver(const kern::Napi& napi, u8* memory, const RxCompletion& completion, u32 headroom,
               u32 length, u32 metadata, Tally& tally);
  void send_staged(Span<const XdpTxBuffer> staged, bpf_prog* program, TxQueue& tx);
  void account(const Tally& tally, u32 buffers);

  void write_wqes();
  void count_pool();

  // Read by every poll.
  gdma::CompletionRing cq_;
  gdma::WorkRing rq_;  // posted is what the device was told of
  kern::Array<RxBuffer> buffers_;  // by slot
  kern::Array<RxBuffer> tails_;  // kMaxTails for each slot, if buffers are scattered
  kern::PagePool pool_;
  RxGeometry geometry_{};
  u32 unit_shift_ = 0;  // a WQE has 1 << unit_shift_ BU
  u32 index_ = 0;
  ::device* dev_ = nullptr;
  net_device* netdev_ = nullptr;
  RxStatistics* statistics_ = nullptr;
  kern::Atomic<bpf_prog*> program_{nullptr};
  kern::Atomic<u32> coalesced_{0};  // packets that may share a completion
  xdp_rxq_info* rxq_ = nullptr;
  gdma::DoorbellPage doorbell_;
  hwc::WqObject object_;
  bool two_way_ = false;  // the device reads buffers too: XDP_TX

  // Written by every poll.
  RxBuffer spare_;  // second half of a page whose first half was taken
  RxStash stash_;
  RxBuffer reserve_[1 + kMaxTails];  // whole pages, for the next packet that is scattered
  u32 reserved_ = 0;
  RxBurst burst_;  // of the completion at the CQ's head

  const hwc::Device* device_ = nullptr;
  bool in_doubt_ = false;  // the device may have a queue that it did not tell us about
  kern::Atomic<bool> broken_{false};
  kern::Completion fence_;
};

}  // namespace mana::port
