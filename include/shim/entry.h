/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel calls: each is implemented in C++ as one line into a class, and reached through
 * the op tables in src/shim. Integers that come back are 0 or a negative errno.
 */
#ifndef SHIM_ENTRY_H
#define SHIM_ENTRY_H

#include "shim/devlink.h"
#include "shim/dim.h"
#include "shim/ethtool.h"
#include "shim/text.h"
#include "shim/types.h"
#include "shim/xdp.h"

SHIM_BEGIN

/* --- PCI driver; process context --- */

int mana_adapter_probe(struct pci_dev *pdev, struct mana_adapter **adapter);
void mana_adapter_remove(struct mana_adapter *adapter);

/* Stops the device for reboot or kexec and leaves everything else alone. */
void mana_adapter_shutdown(struct mana_adapter *adapter);

/* Around a power transition or a reset of the function: stops the device and everything on it, and
 * brings it back with the ports as they were. A resume that fails leaves ports without a link. */
void mana_adapter_suspend(struct mana_adapter *adapter);
int mana_adapter_resume(struct mana_adapter *adapter);

/* --- devlink; process context without RTNL --- */

struct shim_versions {
	char registers[24]; /* of the register map */
	char protocol[24];
};
void mana_adapter_versions(struct mana_adapter *adapter, struct shim_versions *versions);

/* What a reporter looks after: its state in short, and all there is to know. 0 or a negative errno.
 */
int mana_adapter_diagnose(struct mana_adapter *adapter, enum shim_reporter which,
			  struct shim_text *text);
int mana_adapter_dump(struct mana_adapter *adapter, enum shim_reporter which,
		      struct shim_text *text);

/* Somebody asks for a repair. */
int mana_adapter_recover(struct mana_adapter *adapter, enum shim_reporter which,
			 struct netlink_ext_ack *ack);

/* --- interrupts; hard interrupt context --- */

void mana_hwc_interrupt(struct mana_hwc *hwc);
void mana_eq_interrupt(struct mana_eq *eq);

/* --- netdev; under RTNL, process context, unless said --- */

int mana_port_open(struct mana_port *port);
int mana_port_stop(struct mana_port *port);
int mana_port_set_mtu(struct mana_port *port, u32 mtu, struct netlink_ext_ack *ack);
void mana_port_get_stats(struct mana_port *port, struct shim_link_stats *stats); /* any context */
void mana_port_tx_timeout(struct mana_port *port, u32 queue); /* softirq */

/* Softirq, under the queue's lock. True if the skb was taken (sent or dropped), false if the queue
 * is full and the stack keeps it. */
bool mana_port_transmit(struct mana_port *port, struct sk_buff *skb, u32 queue);

/* Softirq. True if the adapter can do what the skb asks for: checksum, and segmentation. */
bool mana_port_can_checksum(struct mana_port *port, struct sk_buff *skb);
bool mana_port_can_segment(struct mana_port *port, struct sk_buff *skb);

/* Replaces the XDP program; on success the port owns the reference. */
int mana_port_set_xdp(struct mana_port *port, struct bpf_prog *program,
		      struct netlink_ext_ack *ack);

/* Softirq. The number of frames taken from the front, or a negative errno. */
int mana_port_xdp_transmit(struct mana_port *port, int count, struct xdp_frame **frames,
			   bool flush);

/* Softirq, from inside of an XDP program: what the device says about the frame. False if it does
 * not say, or nobody wants to know. `kinds`: bits of enum shim_hash_kind. */
bool mana_rx_hint_hash(const struct mana_rx_completion *completion, u32 *hash, u32 *kinds);
bool mana_rx_hint_vlan(const struct mana_rx_completion *completion, u16 *tci);

/* Softirq: one NAPI poll; never returns more than `budget`. */
int mana_channel_poll(struct mana_channel *channel, int budget);

/* Process context, without RTNL: what dynamic interrupt moderation decided. */
void mana_moderator_adapt(struct mana_moderator *moderator, const struct shim_wait *wait);

/* --- statistics of live queues, and the rest; under RTNL --- */

void mana_port_rx_queue_stats(struct mana_port *port, u32 queue, struct shim_rx_queue_stats *stats);
void mana_port_tx_queue_stats(struct mana_port *port, u32 queue, struct shim_tx_queue_stats *stats);
void mana_port_base_stats(struct mana_port *port, struct shim_rx_queue_stats *rx,
			  struct shim_tx_queue_stats *tx);

/* --- ethtool; under RTNL --- */

u32 mana_port_stat_count(struct mana_port *port);
void mana_port_stat_names(struct mana_port *port, u8 *names);
void mana_port_stat_values(struct mana_port *port, u64 *values);
void mana_port_mac_stats(struct mana_port *port, struct shim_mac_stats *stats);
void mana_port_firmware(struct mana_port *port, char *text, u32 bytes);
/* The register dump (Documentation/register-dump.md): its length, and it, in 32-bit words. */
u32 mana_port_dump_words(struct mana_port *port);
void mana_port_dump(struct mana_port *port, u32 *words);
bool mana_port_self_test(struct mana_port *port, u64 results[SHIM_SELF_TESTS]);
bool mana_port_rx_scatter(struct mana_port *port);
int mana_port_set_rx_scatter(struct mana_port *port, bool on);
void mana_port_get_rings(struct mana_port *port, struct shim_rings *rings);
int mana_port_set_rings(struct mana_port *port, u32 rx, u32 tx, struct netlink_ext_ack *ack);
void mana_port_get_channels(struct mana_port *port, struct shim_channels *channels);
int mana_port_set_channels(struct mana_port *port, u32 combined, struct netlink_ext_ack *ack);
void mana_port_get_coalesce(struct mana_port *port, struct shim_coalesce *coalesce);
int mana_port_set_coalesce(struct mana_port *port, const struct shim_coalesce *coalesce,
			   struct netlink_ext_ack *ack);
/* Received packets in a completion: 0 (each has its own), 4 or 8. */
u32 mana_port_rx_coalescing(struct mana_port *port);
int mana_port_set_rx_coalescing(struct mana_port *port, u32 packets);
u32 mana_port_rss_entries(struct mana_port *port);
void mana_port_get_rss(struct mana_port *port, struct shim_rss *rss);
int mana_port_set_rss(struct mana_port *port, const struct shim_rss *rss,
		      struct netlink_ext_ack *ack);
u32 mana_port_link_speed(struct mana_port *port); /* Mb/s, 0 if unknown */
bool mana_port_link_up(struct mana_port *port);

SHIM_END

#endif
