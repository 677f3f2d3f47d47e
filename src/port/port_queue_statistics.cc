// SPDX-License-Identifier: GPL-2.0
// A port's counters queue by queue, in the kernel's own terms (netdev-genl). Counters live as long
// as the port: those of queues beyond the present number are the base that the live ones come on
// top of.
#include "port/port.h"

namespace mana::port {

namespace {

void add(shim_rx_queue_stats& stats, const RxStatistics& queue) {
  stats.packets += queue.packets.get();
  stats.bytes += queue.bytes.get();
  stats.alloc_fail += queue.no_buffer.get() + queue.no_skb.get();
  stats.csum_unnecessary += queue.csum_unnecessary.get();
  stats.csum_none += queue.csum_none.get();
  stats.csum_bad += queue.csum_bad.get();
}

// A packet that the device cuts has each segment's checksum computed.
void add(shim_tx_queue_stats& stats, const TxStatistics& queue) {
  const u64 segments = queue.tso_segments.get();
  stats.packets += queue.packets.get();
  stats.bytes += queue.bytes.get();
  stats.hw_drops += queue.completion_errors.get();
  stats.needs_csum += queue.checksum_partial.get() + segments;
  stats.gso_packets += queue.tso_packets.get();
  stats.gso_bytes += queue.tso_bytes.get();
  stats.gso_wire_packets += segments;
  stats.stop += queue.stop_queue.get();
  stats.wake += queue.wake_queue.get();
}

}  // namespace

void Port::rx_queue_stats(u32 queue, shim_rx_queue_stats& stats) const {
  if (queue < rx_statistics_.size())
    add(stats, rx_statistics_[queue]);
}

void Port::tx_queue_stats(u32 queue, shim_tx_queue_stats& stats) const {
  if (queue < tx_statistics_.size())
    add(stats, tx_statistics_[queue]);
}

void Port::base_stats(shim_rx_queue_stats& rx, shim_tx_queue_stats& tx) const {
  for (u32 queue = settings_.channels; queue < rx_statistics_.size(); queue++) {
    add(rx, rx_statistics_[queue]);
    add(tx, tx_statistics_[queue]);
  }
}

void Port::mac_stats(shim_mac_stats& stats) {
  shim_link_stats link{};
  get_stats(link);
  stats.tx_frames = link.tx_packets;
  stats.tx_octets = link.tx_bytes;
  stats.rx_frames = link.rx_packets;
  stats.rx_octets = link.rx_bytes;
  for (const RxStatistics& queue : rx_statistics_)
    stats.rx_too_long += queue.truncated.get();
  stats.knows_kinds = context_.config.vports == 1;
  if (!stats.knows_kinds)
    return;
  update_device_counters();
  const wire::GfCounters& device = device_counters_.totals();
  stats.tx_multicast = device.tx_multicast_packets;
  stats.tx_broadcast = device.tx_broadcast_packets;
  stats.rx_multicast = device.rx_multicast_packets;
  stats.rx_broadcast = device.rx_broadcast_packets;
}

}  // namespace mana::port
