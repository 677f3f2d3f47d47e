// SPDX-License-Identifier: GPL-2.0
// The functions that C calls (include/shim/entry.h), each one line into a class. The opaque structs
// of C are the classes of C++; this file alone converts.
#include "shim/entry.h"
#include "adapter/adapter.h"

namespace {

using mana::adapter::Adapter;
using mana::hwc::EventQueue;
using mana::hwc::HardwareChannel;
using mana::kern::Box;
using mana::kern::Text;
using mana::port::Channel;
using mana::port::Port;
using mana::port::RxCompletion;

Adapter& adapter_of(mana_adapter* adapter) { return *reinterpret_cast<Adapter*>(adapter); }
Port& port_of(mana_port* port) { return *reinterpret_cast<Port*>(port); }

}  // namespace

int mana_adapter_probe(pci_dev* pdev, mana_adapter** adapter) {
  auto probed = Adapter::probe(pdev);
  if (probed)
    *adapter = reinterpret_cast<mana_adapter*>(probed.value().release());
  return probed.to_errno();
}

void mana_adapter_remove(mana_adapter* adapter) { Box<Adapter>::adopt(&adapter_of(adapter)); }

void mana_adapter_shutdown(mana_adapter* adapter) { adapter_of(adapter).shutdown(); }

void mana_adapter_suspend(mana_adapter* adapter) { adapter_of(adapter).suspend(); }

int mana_adapter_resume(mana_adapter* adapter) { return adapter_of(adapter).resume().to_errno(); }

void mana_adapter_versions(mana_adapter* adapter, shim_versions* versions) {
  adapter_of(adapter).versions(*versions);
}

int mana_adapter_diagnose(mana_adapter* adapter, shim_reporter which, shim_text* text) {
  return adapter_of(adapter).diagnose(which, Text{text}).to_errno();
}

int mana_adapter_dump(mana_adapter* adapter, shim_reporter which, shim_text* text) {
  return adapter_of(adapter).dump(which, Text{text}).to_errno();
}

int mana_adapter_recover(mana_adapter* adapter, shim_reporter which, netlink_ext_ack* ack) {
  return adapter_of(adapter).recover(which, ack).to_errno();
}

void mana_hwc_interrupt(mana_hwc* hwc) { reinterpret_cast<HardwareChannel*>(hwc)->interrupt(); }

void mana_eq_interrupt(mana_eq* eq) { reinterpret_cast<EventQueue*>(eq)->interrupt(); }

int mana_port_open(mana_port* port) { return port_of(port).open().to_errno(); }

int mana_port_stop(mana_port* port) {
  port_of(port).stop();
  return 0;
}

int mana_port_set_mtu(mana_port* port, u32 mtu, netlink_ext_ack* ack) {
  return port_of(port).set_mtu(mtu, ack).to_errno();
}

void mana_port_get_stats(mana_port* port, shim_link_stats* stats) {
  port_of(port).get_stats(*stats);
}

void mana_port_tx_timeout(mana_port* port, u32 queue) { port_of(port).tx_timeout(queue); }

bool mana_port_transmit(mana_port* port, sk_buff* skb, u32 queue) {
  return port_of(port).transmit(skb, queue);
}

bool mana_port_can_checksum(mana_port*, sk_buff* skb) { return Port::can_checksum(skb); }

bool mana_port_can_segment(mana_port*, sk_buff* skb) { return Port::can_segment(skb); }

int mana_port_set_xdp(mana_port* port, bpf_prog* program, netlink_ext_ack* ack) {
  return port_of(port).set_xdp(program, ack).to_errno();
}

int mana_port_xdp_transmit(mana_port* port, int count, xdp_frame** frames, bool flush) {
  return port_of(port).xdp_transmit(count, frames, flush);
}

bool mana_rx_hint_hash(const mana_rx_completion* completion, u32* hash, u32* kinds) {
  return reinterpret_cast<const RxCompletion*>(completion)->hint_hash(*hash, *kinds);
}

bool mana_rx_hint_vlan(const mana_rx_completion* completion, u16* tci) {
  return reinterpret_cast<const RxCompletion*>(completion)->hint_vlan(*tci);
}

int mana_channel_poll(mana_channel* channel, int budget) {
  return reinterpret_cast<Channel*>(channel)->poll(budget);
}

void mana_moderator_adapt(mana_moderator* moderator, const shim_wait* wait) {
  reinterpret_cast<mana::port::Moderator*>(moderator)->adapt(*wait);
}

void mana_port_rx_queue_stats(mana_port* port, u32 queue, shim_rx_queue_stats* stats) {
  port_of(port).rx_queue_stats(queue, *stats);
}

void mana_port_tx_queue_stats(mana_port* port, u32 queue, shim_tx_queue_stats* stats) {
  port_of(port).tx_queue_stats(queue, *stats);
}

void mana_port_base_stats(mana_port* port, shim_rx_queue_stats* rx, shim_tx_queue_stats* tx) {
  port_of(port).base_stats(*rx, *tx);
}

u32 mana_port_stat_count(mana_port* port) { return port_of(port).stat_count(); }

void mana_port_stat_names(mana_port* port, u8* names) { port_of(port).stat_names(names); }

void mana_port_stat_values(mana_port* port, u64* values) { port_of(port).stat_values(values); }

void mana_port_mac_stats(mana_port* port, shim_mac_stats* stats) {
  port_of(port).mac_stats(*stats);
}

void mana_port_firmware(mana_port* port, char* text, u32 bytes) {
  port_of(port).firmware(text, bytes);
}

u32 mana_port_dump_words(mana_port* port) { return port_of(port).dump_words(); }

void mana_port_dump(mana_port* port, u32* words) { port_of(port).dump(words); }

bool mana_port_self_test(mana_port* port, u64* results) { return port_of(port).self_test(results); }

bool mana_port_rx_scatter(mana_port* port) { return port_of(port).rx_scatter(); }

int mana_port_set_rx_scatter(mana_port* port, bool on) {
  return port_of(port).set_rx_scatter(on).to_errno();
}

void mana_port_get_rings(mana_port* port, shim_rings* rings) { port_of(port).get_rings(*rings); }

int mana_port_set_rings(mana_port* port, u32 rx, u32 tx, netlink_ext_ack* ack) {
  return port_of(port).set_rings(rx, tx, ack).to_errno();
}

void mana_port_get_channels(mana_port* port, shim_channels* channels) {
  port_of(port).get_channels(*channels);
}

int mana_port_set_channels(mana_port* port, u32 combined, netlink_ext_ack* ack) {
  return port_of(port).set_channels(combined, ack).to_errno();
}

void mana_port_get_coalesce(mana_port* port, shim_coalesce* coalesce) {
  port_of(port).get_coalesce(*coalesce);
}

int mana_port_set_coalesce(mana_port* port, const shim_coalesce* coalesce, netlink_ext_ack* ack) {
  return port_of(port).set_coalesce(*coalesce, ack).to_errno();
}

u32 mana_port_rx_coalescing(mana_port* port) { return port_of(port).rx_coalescing(); }

int mana_port_set_rx_coalescing(mana_port* port, u32 packets) {
  return port_of(port).set_rx_coalescing(packets, nullptr).to_errno();
}

u32 mana_port_rss_entries(mana_port* port) { return port_of(port).rss_entries(); }

void mana_port_get_rss(mana_port* port, shim_rss* rss) { port_of(port).get_rss(*rss); }

int mana_port_set_rss(mana_port* port, const shim_rss* rss, netlink_ext_ack* ack) {
  return port_of(port).set_rss(*rss, ack).to_errno();
}

u32 mana_port_link_speed(mana_port* port) { return port_of(port).link_speed(); }

bool mana_port_link_up(mana_port* port) { return port_of(port).link_up(); }
