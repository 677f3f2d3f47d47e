// SPDX-License-Identifier: GPL-2.0
// What happens to packets whose buffers are scattered over pages: the same as in rx_poll.cc, page
// by page. Softirq, in the channel's NAPI. Not made for small packets, but for not needing large
// pages.
#include "port/rx_finish.h"
#include "shim/dma.h"
#include "shim/memory.h"
#include "shim/netdev.h"

namespace mana::port {

namespace {

// Pages behind the first that `length` bytes reach into, when the first holds `head` of them.
u32 tails_for(u32 length, u32 head) {
  return length <= head ? 0 : divide_round_up(length - head, shim_page_size());
}

// Calls each(tail, bytes) for the pages behind the first.
template <typename Each>
void each_tail(u32 length, u32 head, Each each) {
  const u32 page = shim_page_size();
  for (u32 i = 0; length > head; i++) {
    const u32 bytes = min(length - head, page);
    each(i, bytes);
    head += bytes;
  }
}

}  // namespace

// --- pages ------------------------------------------------------------------------------------

bool RxQueue::take_whole(RxBuffer& buffer) {
  page* const page = pool_.allocate();
  if (!page)
    return false;
  buffer = {.memory = static_cast<u8*>(shim_page_address(page)), .data = shim_page_pool_dma(page)};
  return true;
}

bool RxQueue::fill_tails(u32 slot) {
  for (u32 i = 0; i < geometry_.tails; i++)
    if (!take_whole(tails_of(slot)[i]))
      return false;
  return true;
}

// P6: all pages that a packet may cost, before anything is done with it. What was taken in vain
// stays for the next one.
bool RxQueue::reserve(u32 pages, Tally& tally) {
  for (; reserved_ < pages; reserved_++, tally.pages++)
    if (!take_whole(reserve_[reserved_]))
      return false;
  return true;
}

// A page leaves its slot, number `piece` of it, in exchange for one of the reserve.
RxBuffer RxQueue::replace(u32 slot, u32 piece) {
  RxBuffer& place = piece == 0 ? buffers_[slot] : tails_of(slot)[piece - 1];
  const RxBuffer left = place;
  place = reserve_[--reserved_];
  if (piece == 0)
    place.data += geometry_.headroom;
  u8* const sge = rq_.at(slot << kScatteredShift, kSgl + piece * sizeof(wire::Sge));
  kern::write_once(*reinterpret_cast<u64*>(sge), place.data);
  return left;
}

// D-60: as much as was received, page by page.
void RxQueue::sync_pieces(u32 slot, u32 length) const {
  shim_dma_sync_for_cpu(dev_, buffers_[slot].data, min(length, geometry_.data), two_way_);
  each_tail(length, geometry_.data, [&](u32 i, u32 bytes) {
    shim_dma_sync_for_cpu(dev_, tails_of(slot)[i].data, bytes, two_way_);
  });
}

// Pages that stay in their slot, after a program may have written to any of them.
void RxQueue::return_pieces(u32 slot, u32 tails) const {
  return_to_device(buffers_[slot].data);
  for (u32 i = 0; i < tails; i++)
    shim_dma_sync_for_device(dev_, tails_of(slot)[i].data, shim_page_size(), two_way_);
}

// --- packets ----------------------------------------------------------------------------------

void RxQueue::deliver_pieces(const kern::Napi& napi, u32 slot, const RxCompletion& completion,
                             bool sync, Tally& tally) {
  u8* const memory = buffers_[slot].memory;
  const u32 head = min(completion.length, geometry_.data);
  sk_buff* const skb = shim_skb_build(memory, geometry_.stride, geometry_.headroom, head);  // P3
  if (!skb) [[unlikely]] {
    tally.no_skb++;
    if (sync)
      return_pieces(slot, tails_for(completion.length, head));
    return;
  }
  replace(slot, 0);
  each_tail(completion.length, head, [&](u32 i, u32 bytes) {
    page* const page = shim_page_of(replace(slot, 1 + i).memory);
    shim_skb_add_page(skb, page, bytes, shim_page_size());
  });
  finish(napi, skb, completion, 0, tally);
}

// Runs the program over the packet in a slot. What goes on has left the slot when this returns.
shim_xdp_action RxQueue::run_pieces(shim_xdp_buff& xdp, bpf_prog* program, u32 slot, u32 length,
                                    bool sync) {
  const u32 head = min(length, geometry_.data);
  shim_xdp_prepare(&xdp, buffers_[slot].memory, geometry_.headroom, head);
  shim_xdp_clear_frags(&xdp);
  each_tail(length, head, [&](u32 i, u32 bytes) {
    shim_xdp_add_frag(&xdp, shim_page_of(tails_of(slot)[i].memory), bytes);
  });
  const shim_xdp_action action = shim_xdp_run(program, &xdp, netdev_);
  // What the program cut off went back to the pool at once.
  const u32 left = shim_xdp_frags(&xdp);
  for (u32 i = left; i < tails_for(length, head); i++)
    replace(slot, 1 + i);
  if (action <= SHIM_XDP_DROP) {
    if (sync)
      return_pieces(slot, left);
    return action;
  }
  for (u32 piece = 0; piece <= left; piece++)
    replace(slot, piece);
  return action;
}

void RxQueue::pass_pieces(const kern::Napi& napi, shim_xdp_buff& xdp, u8* memory,
                          const RxCompletion& completion, Tally& tally) {
  u32 offset, length, metadata;
  shim_xdp_result(&xdp, &offset, &length, &metadata);
  // Before the skb is built, which empties the list.
  const u32 frags = shim_xdp_frags(&xdp);
  sk_buff* const skb = shim_skb_build(memory, geometry_.stride, offset, length);
  if (!skb) [[unlikely]] {
    tally.no_skb++;
    shim_xdp_return(&xdp);
    return;
  }
  if (frags)
    shim_xdp_give_frags(&xdp, skb, frags);
  finish(napi, skb, completion, metadata, tally);
}

// The program decided what cannot be done.
void RxQueue::give_up(shim_xdp_buff& xdp, bpf_prog* program, shim_xdp_action action, Tally& tally) {
  shim_xdp_exception(netdev_, program, action);
  tally.lost++;
  shim_xdp_return(&xdp);
}

void RxQueue::send_staged_frames(Span<xdp_frame* const> staged, bpf_prog* program, TxQueue& tx) {
  const u32 sent = tx.transmit_own_frames(staged);
  statistics_->xdp_tx.add(sent);
  for (size_t i = sent; i < staged.size(); i++) {
    shim_xdp_exception(netdev_, program, SHIM_XDP_TX);
    statistics_->xdp_drop.increment();
    shim_xdp_frame_return(staged[i]);
  }
}

// --- poll -------------------------------------------------------------------------------------

template <bool kXdp, bool kCoalesced>
u32 RxQueue::walk_scattered(const kern::Napi& napi, u32 bound, bpf_prog* program, TxQueue& tx) {
  auto cursor = this->cursor<kCoalesced>();
  u32 next_slot = rq_.index_of(rq_.consumer()) >> kScatteredShift;
  const u32 last_slot = slots() - 1;
  const u32 room = geometry_.room();
  const u32 flags = wanted_flags();
  const bool sync = shim_dma_needs_sync(dev_);
  [[maybe_unused]] shim_xdp_buff xdp;
  [[maybe_unused]] [[clang::uninitialized]] xdp_frame* staged[kXdp ? kMaxStaged : 1];
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

    // D-58: one completion, one WQE, whatever is wrong with it.
    const u32 slot = next_slot;
    next_slot = (slot + 1) & last_slot;
    if (!ordinary || completion.length - 1 >= room) [[unlikely]] {
      tally.refused++;
      (ordinary ? statistics_->bad_length : statistics_->truncated).increment();
      continue;
    }
    const u32 tails = tails_for(completion.length, geometry_.data);
    if (!reserve(1 + tails, tally)) [[unlikely]] {  // P6
      tally.refused++;
      statistics_->no_buffer.increment();
      continue;
    }
    if (sync) [[unlikely]]
      sync_pieces(slot, completion.length);
    shim_prefetch(buffers_[slot].memory + geometry_.headroom);
    tally.bytes += completion.length;
    completion.flags &= flags;

    if constexpr (kXdp) {
      u8* const memory = buffers_[slot].memory;
      shim_xdp_set_hints(&xdp, reinterpret_cast<const mana_rx_completion*>(&completion));
      const shim_xdp_action action = run_pieces(xdp, program, slot, completion.length, sync);
      if (action <= SHIM_XDP_DROP) {
        tally.kept++;
      } else if (action == SHIM_XDP_PASS) {
        pass_pieces(napi, xdp, memory, completion, tally);
      } else if (action == SHIM_XDP_REDIRECT) {
        if (shim_xdp_redirect(netdev_, &xdp, program) == 0)
          tally.redirected++;
        else
          give_up(xdp, program, action, tally);
      } else if (xdp_frame* const frame = shim_xdp_to_frame(&xdp); !frame) {
        give_up(xdp, program, action, tally);
      } else {
        staged[staged_count++] = frame;
        if (staged_count == kMaxStaged) {
          tally.sent_back += staged_count;
          send_staged_frames({staged, mana::exchange(staged_count, 0u)}, program, tx);
        }
      }
    } else {
      deliver_pieces(napi, slot, completion, sync, tally);
    }
  }

  if constexpr (kCoalesced)
    cq_.pop(cursor.entries());
  else
    cq_.pop(tally.done);
  // Cannot fail: the bound was what is posted.
  (void)rq_.retire(tally.slots() << kScatteredShift);
  tally.sent_back += staged_count;
  account(tally, tally.pages);
  if constexpr (kXdp) {
    if (tally.redirected)
      shim_xdp_flush();
    if (staged_count)
      send_staged_frames({staged, staged_count}, program, tx);
  }
  return tally.done;
}

template u32 RxQueue::walk_scattered<false, false>(const kern::Napi&, u32, bpf_prog*, TxQueue&);
template u32 RxQueue::walk_scattered<false, true>(const kern::Napi&, u32, bpf_prog*, TxQueue&);
template u32 RxQueue::walk_scattered<true, false>(const kern::Napi&, u32, bpf_prog*, TxQueue&);
template u32 RxQueue::walk_scattered<true, true>(const kern::Napi&, u32, bpf_prog*, TxQueue&);

}  // namespace mana::port
