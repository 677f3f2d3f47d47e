// SPDX-License-Identifier: GPL-2.0
// The register dump (ethtool -d). Documentation/register-dump.md has the layout; a change of it is
// a new version in src/shim/ethtool_ops.c.
#include "port/port.h"

namespace mana::port {

namespace {

constexpr u32 kPortWords = 22;
constexpr u32 kQueueWords = 9;

}  // namespace

u32 Port::dump_words() const {
  return gdma::RegisterMap::kImageWords + kPortWords + kQueueWords * max_channels();
}

void Port::dump(u32* words) const {
  u32 image[gdma::RegisterMap::kImageWords];
  context_.map.image(image);
  for (u32 word : image)
    *words++ = word;

  // The channel is there unless a resume has failed.
  const hwc::HardwareChannel* hwc = context_.device.channel;
  const u32 flags = u32{running()} << 0 | u32{live_channels_.load() != 0} << 1 |
                    u32{link_up_.load()} << 2 | u32{lost_.load()} << 3 |
                    u32{!hwc || hwc->failed()} << 4 | u32{recovery_wanted_.load()} << 5 |
                    u32{settings_.program != nullptr} << 6;
  const u32 state[] = {
      flags,
      index_,
      static_cast<u32>(vport_.handle),
      static_cast<u32>(vport_.handle >> 32),
      vport_offset_,
      vport_.max_sqs,
      vport_.max_rqs,
      vport_.indirection_entries,
      settings_.channels,
      max_channels(),
      settings_.rx_ring,
      settings_.tx_ring,
      settings_.mtu,
      max_mtu(),
      link_speed(),
      context_.device.pdid,
      context_.device.doorbell.id(),
      context_.eqs.count(),
      hwc ? hwc->max_cqs() : 0,
      failed_recoveries_,
      static_cast<u32>(recoveries_.get()),
      active_.size(),
  };
  static_assert(sizeof(state) == kPortWords * sizeof(u32));
  for (u32 word : state)
    *words++ = word;

  for (const auto& channel : active_) {
    const TxQueue& tx = channel->tx();
    const RxQueue& rx = channel->rx();
    const u32 queue[] = {
        channel->eq_id(),     tx.wq_id(),           tx.cq_id(),
        tx.ring().producer(), tx.ring().consumer(), rx.wq_id(),
        rx.cq_id(),           rx.ring().producer(), rx.ring().consumer(),
    };
    static_assert(sizeof(queue) == kQueueWords * sizeof(u32));
    for (u32 word : queue)
      *words++ = word;
  }
}

}  // namespace mana::port
