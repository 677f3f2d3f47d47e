// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "port/rx_queue.h"

namespace mana::port {

// What is the same for every packet that goes to the stack, whatever its skb is made of. Part of
// the loops over completions, and inlined there.
[[gnu::always_inline]] inline void RxQueue::finish(const kern::Napi& napi, sk_buff* skb,
                                                   const RxCompletion& completion, u32 metadata,
                                                   Tally& tally) {
  if (metadata) [[unlikely]]
    shim_skb_set_metadata(skb, metadata);
  shim_skb_set_rx_queue(skb, index_);
  shim_skb_set_protocol(skb, netdev_);
  if (completion.checksum_good()) [[likely]] {
    shim_skb_set_checksum_good(skb);
  } else if (completion.checksum_bad()) {
    tally.bad++;
  } else {
    tally.unchecked++;
  }
  if (completion.hash_type())
    shim_skb_set_hash(skb, completion.hash, completion.hash_is_l4());
  if (completion.has_vlan()) [[unlikely]]
    shim_skb_set_vlan(skb, completion.vlan_id());
  shim_napi_receive(napi.get(), skb);
}

template <bool kCoalesced>
inline auto RxQueue::cursor() {
  const gdma::CompletionCursor entries{cq_, wire::Cqe::WqId::put(object_.wq_id)};
  if constexpr (kCoalesced)
    return BurstCursor{entries, burst_, coalesced_.load(), statistics_->shared_cqe};
  else
    return entries;
}

}  // namespace mana::port
