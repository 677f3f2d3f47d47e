// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/span.h"
#include "gdma/cq_table.h"
#include "gdma/entry_ring.h"
#include "gdma/work_ring.h"
#include "hwc/commands.h"
#include "kern/text.h"
#include "port/rx_buffer.h"
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
  enum Kind : u32 {
    kSkb,       // consume it
    kNothing,   // a frame that was copied, and is gone already
    kXdpFrame,  // return it (ndo_xdp_xmit)
    kXdpPage,   // a receive buffer, in use again; the page pool's mapping
  };
  using Units = Bits<7, 0>;      // BU of the WQE
  using Mappings = Bits<15, 8>;  // to be ended
  using KindOf = Bits<23, 16>;

  void* object;
  u32 bytes;  // for byte queue limits
  u32 what;

  // The fields above in one word, so that the ordinary case is found by one comparison: an skb that
  // was copied has units, and nothing else.
  static constexpr u32 describe(Kind kind, u32 units, u32 mappings) {
    return Units::put(units) | Mappings::put(mappings) | KindOf::put(kind);
  }
  static constexpr bool is_copied_skb(u32 what) { return what <= Units::kMax; }
  static constexpr bool is_page(u32 what) { return what >= KindOf::put(kXdpPage); }
};
static_assert(sizeof(TxRecord) == 16);
static_assert(TxRecord::kSkb == 0);
static_assert(TxRecord::kXdpPage > TxRecord::kXdpFrame);

// A frame that the receive side sends back (XDP_TX), in one of its buffers.
struct XdpTxBuffer {
  u8* memory;  // the buffer, as in RxBuffer
  u64 data;
  s32 offset;  // of the frame's first byte from the beginning of the data room
  u32 bytes;
};

struct TxConfig {
  u32 units;  // ring size in BU, a power of two >= 128
};

// One SQ and its CQ.
//
// Ordinary packets (one piece, no tag beside it, no segmentation) take a straight path: a WQE of
// one BU that differs from a template in address, size and checksum bits. If they are small, they
// are copied into memory that the device may read anyway, which is cheaper than mapping them, and
// much cheaper with an IOMMU or bounce buffers. All others are mapped, piece by piece.
//
// transmit() and transmit_frames() run under the stack's lock of the queue; reap() in the channel's
// NAPI, perhaps on another CPU. They share the ring's two indices, each written by one side.
class TxQueue : NonCopyable {
 public:
  // All host memory; nothing that the device knows.
  Result<void> prepare(::device* dev, int node, netdev_queue* txq, TxStatistics& statistics,
                       const TxConfig& config);
  // Frees what was not sent, and memory.
  ~TxQueue();

  // Brings the prepared queue to life on the device, empty; undone by detach().
  Result<void> attach(const hwc::Device& device, u64 vport, u32 vport_offset, u32 parent_eq,
                      const hwc::Moderation* moderation);
  // False if the device did not confirm that the queue is gone.
  [[nodiscard]] bool detach();

  // Whether the stack may be woken for this queue.
  void set_open(bool open) { open_.store(open); }

  // False: no room, the stack keeps the skb. True: it was taken, and sent or dropped.
  bool transmit(sk_buff* skb);

  // Takes frames from the front as far as there is room, without a doorbell. Their number.
  u32 transmit_frames(Span<xdp_frame* const> frames);
  // Takes the queue's lock itself, sends as many of the buffers as there is room for, from the
  // front, and rings once. Their number; those come back through reap(). In the channel's NAPI.
  u32 transmit_pages(Span<const XdpTxBuffer> buffers);
  // The same for frames whose buffers the receive side's pool has mapped, of one piece or several.
  u32 transmit_own_frames(Span<xdp_frame* const> frames);
  // Rings for everything that was posted and not rung for yet.
  void flush();

  // Completes sent packets. False if it stopped at its bound with more to do. Receive buffers go
  // to their queue's stash, as far as that has room.
  [[gnu::noinline]] bool reap(int budget, RxStash& stash);
  void arm();
  // Whether completions were taken out since arm(), so that the CQ cannot be armed any more.
  bool moved_since_arming() const { return cq_.moved_since_arming(); }
  const TxStatistics& statistics() const { return *statistics_; }
  // True if completions made no sense or the device disabled the queue: recreate it.
  bool broken() const { return broken_.load(); }

  // Under RTNL, whatever else goes on.
  void describe(const kern::Text& text) const;
  void describe_words(const kern::Text& text) const;

  bool idle() const { return sq_.used() == 0; }
  u32 cq_id() const { return object_.cq_id; }
  u32 wq_id() const { return object_.wq_id; }
  const gdma::WorkRing& ring() const { return sq_; }

 private:
  void make_templates();

  [[gnu::noinline]] bool transmit_pieces(sk_buff* skb, bool more);
  [[gnu::noinline]] u64 map(u32 position, const void* data, u32 bytes);
  static u64 checksum_bits(const sk_buff* skb);
  static u64 transport_bits(const sk_buff* skb);
  u32 write_oob(u32 position, u64 oob, bool vlan, u32 tci) const;
  void post_skb(const TxRecord& record, u32 position, bool more);
  [[gnu::noinline, gnu::cold]] bool linearize(sk_buff* skb);
  [[gnu::noinline, gnu::cold]] bool refuse(sk_buff* skb, bool more,
                                           shim_drop reason = SHIM_DROP_NO_MEMORY);

  // Whose mappings the pieces of a frame have.
  enum class Mapping { kNone, kPool };

  bool transmit_frame(xdp_frame* frame);
  [[gnu::noinline]] bool transmit_frame_pieces(xdp_frame* frame, Mapping mapping);
  u64 piece_address(u32 number, const void* data, u32 bytes, Mapping mapping);
  void post_frame(void* object, TxRecord::Kind kind, u64 address, u32 bytes);
  void post_frame_record(void* object, TxRecord::Kind kind, u32 bytes, u32 units, u32 mappings);
  u32 post_pages(Span<const XdpTxBuffer> buffers);
  [[gnu::noinline, gnu::cold]] u32 post_long_pages(Span<const XdpTxBuffer> buffers);
  [[gnu::noinline, gnu::cold]] void sync_pages(Span<const XdpTxBuffer> buffers) const;
  void ring();
  [[gnu::noinline, gnu::cold]] u32 write_long(u32 position, u64 address, u32 bytes) const;

  bool has_room() const { return sq_.producer() - seen_consumer_ <= max_used_; }
  [[gnu::noinline, gnu::cold]] bool find_room();
  [[gnu::noinline, gnu::cold]] void stop_if_full();

  [[gnu::noinline, gnu::cold]] void woken();
  [[gnu::noinline, gnu::cold]] void misdirected();
  [[gnu::noinline, gnu::cold]] bool is_end_of_packet(u32 dw0);
  void complete_frame(xdp_frame* frame);
  [[gnu::noinline, gnu::cold]] static void recycle(u8* memory);
  void unmap(u32 position, u32 count);
  void drop_outstanding();

  // `number`: twice the ring position and the number of the mapping within its packet.
  void remember_mapping(u32 number, u64 address, u32 bytes) {
    addresses_[number & mapping_mask_] = address;
    lengths_[number & mapping_mask_] = bytes;
  }
  // Of a receive buffer that is sent from the ring position: nothing is mapped for it, so the place
  // of its first mapping is free for its address.
  void remember_buffer(u32 position, u64 data) { addresses_[position * 2 & mapping_mask_] = data; }
  u64 data_of(u32 position) const { return addresses_[position * 2 & mapping_mask_]; }
  // At byte position `at`, which runs freely: the SGL wraps at the end of the ring, an SGE never
  // does (D-34).
  void write_sge(u32 at, u64 address, u32 bytes) const {
    *reinterpret_cast<wire::Sge*>(sq_.at(0, at)) = {
        .address = address, .memory_key = mkey_, .size = bytes};
  }
  bool is_copied(u32 bytes) const { return bytes - kMinCopyBytes < copied_sizes_; }
  u64 copy_address(u32 index) const { return copies_.address() + u64{index} * kCopyBytes; }
  u8* copy_memory(u32 index) const { return copies_.data() + size_t{index} * kCopyBytes; }

  // Packets up to this size are copied, each into the slot of its WQE. Below the minimum the copy
  // would need more cases; no frame is that small.
  static constexpr u32 kCopyBytes = 128;
  static constexpr u32 kMinCopyBytes = 16;

  // Transmit side; the doorbell's and the statistics' places are also read by the other.
  gdma::WorkRing sq_;
  u32 seen_consumer_ = 0;  // the consumer position when it was looked at last
  u32 max_used_ = 0;  // BU that may be in use when a packet of any size comes
  u32 rung_ = 0;  // producer position of the last doorbell
  u32 mkey_ = 0;
  u64 oob_ = 0;  // short OOB of a packet without offloads
  u32 long_dw3_ = 0;  // fourth word of a long OOB
  bool short_form_ = true;  // the vPort offset fits the short OOB
  bool in_doubt_ = false;  // the device may have a queue that it did not tell us about
  u32 copied_sizes_ = 0;  // so many sizes from kMinCopyBytes on
  kern::DmaCoherent copies_;
  kern::Array<TxRecord> records_;
  // DMA mappings of a packet. A WQE of n BU has room for at most 2n SGEs, so they are found at
  // twice the ring position.
  kern::Array<u64> addresses_;
  kern::Array<u32> lengths_;
  u32 mapping_mask_ = 0;
  u32 vport_offset_ = 0;
  ::device* dev_ = nullptr;
  netdev_queue* txq_ = nullptr;
  TxStatistics* statistics_ = nullptr;
  gdma::DoorbellPage doorbell_;
  hwc::WqObject object_;
  const hwc::Device* device_ = nullptr;
  shim_xdp_bulk copied_;  // frames that were copied, in transmit_frames(); too large for the stack

  // Completion side.
  alignas(64) gdma::CompletionRing cq_;
  kern::Atomic<bool> broken_{false};
  kern::Atomic<bool> open_{false};
  bool bulk_begun_ = false;  // in this reap
  shim_xdp_bulk sent_;
};

}  // namespace mana::port
