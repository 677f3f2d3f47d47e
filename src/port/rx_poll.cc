// SPDX-License-Identifier: GPL-2.0
// What happens to a received packet. Softirq, in the channel's NAPI: the pool is ours alone, and
// the poll is an RCU section.
#include "port/rx_finish.h"
#include "shim/dma.h"
#include "shim/memory.h"
#include "shim/netdev.h"
#include "shim/trace.h"

namespace mana::port {

// --- buffers ----------------------------------------------------------------------------------

// Without memory: there is none to be had.
[[gnu::always_inline]] inline RxBuffer RxQueue::take() {
  if (!spare_.memory)
    return take_page();
  const RxBuffer buffer = spare_;
  spare_.memory = nullptr;
  return buffer;
}

// `sync`: buffers bounce.
[[gnu::always_inline]] inline RxBuffer RxQueue::take_stashed(bool sync) {
  if (stash_.empty())
    return take();
  const RxBuffer buffer = stash_.take();
  if (sync) [[unlikely]]
    return_to_device(buffer.data);
  return buffer;
}

// P2, P5: from the pool, mapped. Two buffers that share a page are taken one after the other.
[[gnu::always_inline]] inline RxBuffer RxQueue::take_page() {
  page* const page = pool_.allocate();
  if (!page) [[unlikely]]
    return {};
  const RxBuffer buffer{.memory = static_cast<u8*>(shim_page_address(page)),
                        .data = shim_page_pool_dma(page) + geometry_.headroom};
  if (geometry_.shares_pages()) {
    shim_page_pool_split(page, 2);
    spare_ = {.memory = buffer.memory + geometry_.stride, .data = buffer.data + geometry_.stride};
  }
  return buffer;
}

RxBuffer RxQueue::fill() { return take(); }

// P4: a buffer that only this poll has ever seen.
void RxQueue::give_back(u8* memory) const { pool_.recycle_direct(shim_page_of(memory)); }

// Tells the device of the slots that it does not have yet; all have a buffer. One stays ours
// (D-62).
void RxQueue::post() {
  const u32 slots = untold();
  rq_.advance(slots << unit_shift_);
  shim_trace_rx_refill(netdev_, index_, slots, rq_.producer(), rq_.consumer());
  doorbell_.ring_rq(object_.wq_id, rq_.doorbell_tail());
}

// --- poll -------------------------------------------------------------------------------------

u32 RxQueue::poll(const kern::Napi& napi, u32 budget, TxQueue& tx) {
  // D-36: no more than the device has buffers for. That is more than a usual budget; what is beyond
  // it, the device announces again.
  const u32 bound = min(budget, posted());
  bpf_prog* const program = program_.load_acquire();
  u32 done;
  if (!program && !stash_.empty()) [[unlikely]]
    empty_stash();
  if (coalesced_.load() != 0) [[unlikely]]
    done = walk_coalesced(napi, bound, tx);
  else if (geometry_.scattered()) [[unlikely]]
    done = program ? walk_scattered<true, false>(napi, bound, program, tx)
                   : walk_scattered<false, false>(napi, bound, nullptr, tx);
  else if (!program)
    done = walk<Program::kNone, false>(napi, bound, nullptr, tx);
  else if (!shim_bpf_reads_hints(program))
    done = walk<Program::kPlain, false>(napi, bound, program, tx);
  else
    done = walk_with_hints(napi, bound, program, tx);

  if (untold() >= kPostBatch)
    post();
  if (cq_.acknowledgement_due()) {  // D-31
    cq_.acknowledge();
    doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), false);
  }
  return done;
}

void RxQueue::arm() {
  // D-39: an overrun CQ would only be announced again at once, and again.
  if (cq_.state() == gdma::SlotState::kOverrun)
    return;
  cq_.arm();
  doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), true);
}

// The bits of a completion's flags that somebody wants to know.
u32 RxQueue::wanted_flags() const {
  using Cqe = wire::RxCqe;
  u32 flags = Cqe::VlanPresent::kMask | Cqe::VlanId::kMask | RxCompletion::kChecksumBad;
  if (shim_netdev_rx_checksum(netdev_))
    flags |= Cqe::IpGood::kMask | Cqe::TcpGood::kMask | Cqe::UdpGood::kMask;
  if (shim_netdev_rx_hash(netdev_))
    flags |= Cqe::HashType::kMask;
  return flags;
}

// The loop over completions: without a program, with one, and with one that asks for hints; each
// for one packet to a completion and for several. What it needs for each packet is in locals; what
// it counts is told to the statistics at its end.
template <RxQueue::Program kProgram, bool kCoalesced>
u32 RxQueue::walk(const kern::Napi& napi, u32 bound, bpf_prog* program, TxQueue& tx) {
  constexpr bool kXdp = kProgram != Program::kNone;
  auto cursor = this->cursor<kCoalesced>();
  u32 slot = rq_.index_of(rq_.consumer());
  const u32 last_slot = rq_.units() - 1;
  const u32 headroom = geometry_.headroom;
  const u32 room = geometry_.data;
  const u32 flags = wanted_flags();
  // A page that bounces for the first time while this runs comes back only in a later poll.
  const bool sync = shim_dma_needs_sync(dev_);
  [[maybe_unused]] shim_xdp_buff xdp;
  // Not zeroed first, as locals are: that costs as much as some packets.
  [[maybe_unused]] [[clang::uninitialized]] XdpTxBuffer staged[kXdp ? kMaxStaged : 1];
  [[maybe_unused]] u32 staged_count = 0;
  if constexpr (kXdp)
    shim_xdp_init(&xdp, rxq_, geometry_.stride);

  Tally tally;
  for (; tally.done < bound; tally.done++, cursor.advance()) {
    const u32 trailer = cursor.trailer();
    if (!cursor.ready(trailer)) [[unlikely]] {
      const gdma::SlotState state = cursor.state(trailer);
      if (state == gdma::SlotState::kEmpty)
        break;
      broken_.store(true);
      if (state == gdma::SlotState::kOverrun)  // D-39
        break;
      statistics_->misdirected.increment();
      tally.skipped++;
      continue;
    }
    cursor.prefetch_next();
    RxCompletion completion = next_completion(cursor);
    const bool ordinary = completion.type == wire::RxCqeType::kOk;
    if (!ordinary && !consumes_buffer(completion.type)) [[unlikely]] {
      tally.skipped++;
      continue;
    }

    // D-58: one completion, one WQE, whatever is wrong with it. WQEs are consumed in ring order;
    // where the completion thinks it was does not matter.
    RxBuffer& buffer = buffers_.data()[slot];
    u8* const wqe = rq_.at(0) + slot * wire::kBasicUnit;
    slot = (slot + 1) & last_slot;
    if (!ordinary || completion.length - 1 >= room) [[unlikely]] {
      tally.refused++;
      (ordinary ? statistics_->bad_length : statistics_->truncated).increment();
      continue;
    }
    u8* const memory = buffer.memory;
    // D-60: only now, and only as much as was received, does the CPU look at the data.
    if (sync) [[unlikely]]
      shim_dma_sync_for_cpu(dev_, buffer.data, completion.length, two_way_);
    shim_prefetch(memory + headroom);
    tally.bytes += completion.length;
    completion.flags &= flags;

    u32 offset = headroom;
    u32 length = completion.length;
    u32 metadata = 0;
    shim_xdp_action action = SHIM_XDP_PASS;
    if constexpr (kXdp) {
      shim_xdp_prepare(&xdp, memory, headroom, length);
      if constexpr (kProgram == Program::kWithHints)
        shim_xdp_set_hints(&xdp, reinterpret_cast<const mana_rx_completion*>(&completion));
      action = shim_xdp_run(program, &xdp, netdev_);
      if (action <= SHIM_XDP_DROP) {
        tally.kept++;
        if (sync) [[unlikely]]
          return_to_device(buffer.data);
        continue;
      }
    }

    const RxBuffer replacement = kXdp ? take_stashed(sync) : take();
    if (!replacement.memory) [[unlikely]] {  // P6
      statistics_->no_buffer.increment();
      tally.refused++;
      tally.bytes -= completion.length;
      if (sync)
        return_to_device(buffer.data);
      continue;
    }
    [[maybe_unused]] const u64 data = buffer.data;
    buffer = replacement;
    kern::write_once(*reinterpret_cast<u64*>(wqe + kSgl), replacement.data);
    if constexpr (kXdp) {
      if (action == SHIM_XDP_REDIRECT) {
        if (shim_xdp_redirect(netdev_, &xdp, program) == 0) {
          tally.redirected++;
          continue;
        }
        shim_xdp_exception(netdev_, program, action);
        tally.lost++;
        give_back(memory);
        continue;
      }
      shim_xdp_result(&xdp, &offset, &length, &metadata);
      if (action == SHIM_XDP_TX) {
        staged[staged_count++] = {.memory = memory,
                                  .data = data,
                                  .offset = static_cast<s32>(offset - headroom),
                                  .bytes = length};
        if (staged_count == kMaxStaged) {
          tally.sent_back += staged_count;
          send_staged({staged, mana::exchange(staged_count, 0u)}, program, tx);
        }
        continue;
      }
    }
    deliver(napi, memory, completion, offset, length, metadata, tally);
  }

  if constexpr (kCoalesced)
    cq_.pop(cursor.entries());
  else
    cq_.pop(tally.done);
  // Cannot fail: the bound was what is posted.
  (void)rq_.retire(tally.slots());
  tally.sent_back += staged_count;
  account(tally, tally.gone());
  if constexpr (kXdp) {
    if (tally.redirected)
      shim_xdp_flush();
    if (staged_count)
      send_staged({staged, staged_count}, program, tx);
  }
  return tally.done;
}

u32 RxQueue::walk_with_hints(const kern::Napi& napi, u32 bound, bpf_prog* program, TxQueue& tx) {
  return walk<Program::kWithHints, false>(napi, bound, program, tx);
}

// As poll() chooses, where there may be several packets to a completion.
u32 RxQueue::walk_coalesced(const kern::Napi& napi, u32 bound, TxQueue& tx) {
  bpf_prog* const program = program_.load_acquire();
  if (geometry_.scattered())
    return program ? walk_scattered<true, true>(napi, bound, program, tx)
                   : walk_scattered<false, true>(napi, bound, nullptr, tx);
  if (!program)
    return walk<Program::kNone, true>(napi, bound, nullptr, tx);
  if (!shim_bpf_reads_hints(program))
    return walk<Program::kPlain, true>(napi, bound, program, tx);
  return walk<Program::kWithHints, true>(napi, bound, program, tx);
}

void RxQueue::account(const Tally& tally, u32 buffers) {
  RxStatistics& statistics = *statistics_;
  statistics.packets.add(tally.packets());
  statistics.bytes.add(tally.bytes);
  statistics.pool_buffers.add(buffers);
  statistics.csum_unnecessary.add(tally.delivered() - tally.unchecked - tally.bad);
  statistics.csum_none.add(tally.unchecked);
  if (tally.kept | tally.lost | tally.redirected) {
    statistics.xdp_drop.add(tally.kept + tally.lost);
    statistics.xdp_redirect.add(tally.redirected);
  }
  if (tally.no_skb | tally.bad) [[unlikely]] {
    statistics.no_skb.add(tally.no_skb);
    statistics.csum_bad.add(tally.bad);
  }
}

// Of a completion that is not of an ordinary packet: whether it stands for a consumed buffer.
bool RxQueue::consumes_buffer(wire::RxCqeType type) {
  switch (type) {
    case wire::RxCqeType::kTruncated: return true;
    case wire::RxCqeType::kFence: fence_.complete(); return false;
    case wire::RxCqeType::kCoalesced4:
    case wire::RxCqeType::kCoalesced8:
      // D-59: never negotiated, so nobody knows how many WQEs this stands for.
      statistics_->coalesced.increment();
      broken_.store(true);
      return false;
    default:
      statistics_->unknown_type.increment();
      broken_.store(true);
      return false;
  }
}

// A buffer that stays in its slot, after a program may have written to any of it.
void RxQueue::return_to_device(u64 data) const {
  shim_dma_sync_for_device(dev_, data - geometry_.headroom, geometry_.stride, two_way_);
}

[[gnu::always_inline]] inline void RxQueue::deliver(const kern::Napi& napi, u8* memory,
                                                    const RxCompletion& completion, u32 headroom,
                                                    u32 length, u32 metadata, Tally& tally) {
  sk_buff* skb = shim_skb_build(memory, geometry_.stride, headroom, length);  // P3
  if (!skb) [[unlikely]] {
    tally.no_skb++;
    give_back(memory);
    return;
  }
  finish(napi, skb, completion, metadata, tally);
}

// What the program sends back, and perhaps does not find room. `program` is for the report of that.
void RxQueue::send_staged(Span<const XdpTxBuffer> staged, bpf_prog* program, TxQueue& tx) {
  const u32 sent = tx.transmit_pages(staged);
  statistics_->xdp_tx.add(sent);
  for (size_t i = sent; i < staged.size(); i++) {
    shim_xdp_exception(netdev_, program, SHIM_XDP_TX);
    statistics_->xdp_drop.increment();
    give_back(staged[i].memory);  // P4
  }
}

}  // namespace mana::port
