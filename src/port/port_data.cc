// SPDX-License-Identifier: GPL-2.0
// A port's data path: what the stack hands over. Softirq context.
#include "port/port.h"

namespace mana::port {

bool Port::transmit(sk_buff* skb, u32 queue) { return active_[queue]->tx().transmit(skb); }

int Port::xdp_transmit(int count, xdp_frame** frames, bool flush) {
  const u32 channels = live_channels_.load_acquire();
  if (channels == 0)
    return -static_cast<int>(Errno::kNetworkDown);
  u32 queue = shim_this_cpu();
  // Not a remainder, which divides: any spread over the channels is good.
  if (queue >= channels)
    queue = static_cast<u32>((u64{queue * 0x9E3779B1u} * channels) >> 32);

  netdev_queue* txq = shim_txq(netdev_, queue);
  int sent = 0;
  shim_txq_lock(txq);
  // take_down() clears the count before it takes every queue's lock: what is live under the lock
  // stays so until it is dropped.
  if (live_channels_.load() == channels) {
    TxQueue& tx = active_[queue]->tx();
    shim_txq_touch(txq);
    sent = static_cast<int>(tx.transmit_frames({frames, static_cast<size_t>(count)}));
    if (flush)
      tx.flush();
    tx_statistics_[queue].xdp_xmit.add(static_cast<u64>(sent));
  }
  shim_txq_unlock(txq);
  return sent;
}

bool Port::can_checksum(const sk_buff* skb) {
  constexpr u32 kTcpField = 16;
  constexpr u32 kUdpField = 6;
  if (!shim_skb_wants_checksum(skb))
    return true;
  const u32 field = shim_skb_checksum_offset(skb);
  return (field == kTcpField || field == kUdpField) &&
         shim_skb_checksum_start(skb) <= wire::TxOob::kMaxTransportOffset && shim_skb_is_ip(skb);
}

bool Port::can_segment(const sk_buff* skb) {
  if (!shim_skb_is_gso(skb))
    return true;
  const u32 mss = shim_skb_gso_size(skb);
  return shim_skb_tcp_headers(skb) <= wire::kMaxLsoHeader && mss > 0 && mss <= wire::kMaxLsoSegment;
}

}  // namespace mana::port
