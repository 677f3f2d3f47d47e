/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The network stack around the driver's netdevs, for cases. Process context unless said; what needs
 * RTNL takes it.
 */
#ifndef KUNIT_STACK_H
#define KUNIT_STACK_H

#include "shim/ethtool.h"
#include "shim/types.h"
#include "shim/xdp.h"

SHIM_BEGIN

struct kunit_tap;

/* The netdev of a port of a function, or NULL. No reference: only while the driver is bound. */
struct net_device *kunit_netdev(struct pci_dev *pdev, u32 port);
struct mana_port *kunit_netdev_port(struct net_device *netdev);
int kunit_netdev_index(const struct net_device *netdev);
u32 kunit_netdev_queues(const struct net_device *netdev);
u32 kunit_netdev_mtu(const struct net_device *netdev);
bool kunit_netdev_carrier(const struct net_device *netdev);
bool kunit_netdev_running(const struct net_device *netdev);
bool kunit_netdev_takes_frames(const struct net_device *netdev); /* a target for XDP redirects */
bool kunit_netdev_sends_fragments(const struct net_device *netdev); /* also of frames in pieces */
bool kunit_netdev_gives_fragments(const struct net_device *netdev); /* to XDP programs */
void kunit_netdev_mac(const struct net_device *netdev, u8 mac[6]);

/* 0 or a negative errno. No protocol speaks through the netdev on its own. */
int kunit_netdev_open(struct net_device *netdev);
void kunit_netdev_close(struct net_device *netdev);
int kunit_netdev_set_mtu(struct net_device *netdev, u32 mtu);
void kunit_netdev_link_stats(struct net_device *netdev, struct shim_link_stats *stats);
/* As ethtool -G, -L, -X, -K do. NULL where nothing is to change. */
int kunit_netdev_set_rings(struct net_device *netdev, u32 rx, u32 tx);
int kunit_netdev_set_channels(struct net_device *netdev, u32 combined);
int kunit_netdev_set_scatter(struct net_device *netdev, bool on);
int kunit_netdev_set_rss(struct net_device *netdev, const u32 *table, const u8 *key);
u64 kunit_netdev_statistic(struct net_device *netdev, const char *name, bool *known);

enum kunit_feature {
	KUNIT_FEATURE_RX_CHECKSUM,
	KUNIT_FEATURE_RX_HASH,
	KUNIT_FEATURE_RX_VLAN,
	KUNIT_FEATURE_TX_CHECKSUM,
	KUNIT_FEATURE_TSO,
	KUNIT_FEATURE_GRO,
};
void kunit_netdev_set_feature(struct net_device *netdev, enum kunit_feature feature, bool on);

/* RTNL, for cases that call the driver themselves. */
void kunit_rtnl_lock(void);
void kunit_rtnl_unlock(void);

/* --- transmit --- */

/* What to make an skb from. */
struct kunit_packet {
	const u8 *bytes;
	u32 length;
	u32 linear; /* bytes of them in the linear part; the rest is in fragments */
	u32 fragment; /* bytes of each fragment; 0: as few as possible */
	u32 gso_size; /* TCP segmentation, if not 0 */
	u32 checksum_start; /* of the L4 header, if a checksum is wanted, else 0 */
	u32 checksum_offset;
	bool vlan; /* tag beside the data */
	u16 tci;
	u32 headroom; /* 0: as the stack would */
};
struct sk_buff *kunit_skb(struct net_device *netdev, const struct kunit_packet *packet);
struct sk_buff *kunit_skb_clone(struct sk_buff *skb); /* shares the data; NULL without memory */
void kunit_skb_free(struct sk_buff *skb);

/* Through the queue's discipline, as sockets send. */
void kunit_send(struct sk_buff *skb);
/* Straight into one queue, features checked, as AF_PACKET with QDISC_BYPASS does. True if the
 * driver took it; else it is gone. */
bool kunit_send_direct(struct sk_buff *skb, u32 queue);
/* As a batch: the driver is told "more" for all but the last. The number that the driver took; the
 * others are the caller's still. */
u32 kunit_send_batch(struct sk_buff **skbs, u32 count, u32 queue);
/* Calls the driver, whether or not the queue is stopped. True if taken, else the caller's. */
bool kunit_send_raw(struct sk_buff *skb, u32 queue);
bool kunit_queue_stopped(struct net_device *netdev, u32 queue);
/* Bytes that byte queue limits believe to be in flight. */
u32 kunit_queue_in_flight(struct net_device *netdev, u32 queue);

/* ndo_xdp_xmit of frames over pages of their own: the number taken, or a negative errno. */
int kunit_xdp_send(struct net_device *netdev, const u8 *bytes, u32 length, u32 count);

/* --- receive --- */

/* Keeps every skb that the netdev delivers; NULL without memory. destroy() frees what was kept. */
struct kunit_tap *kunit_tap_create(struct net_device *netdev);
void kunit_tap_destroy(struct kunit_tap *tap);
u32 kunit_tap_count(struct kunit_tap *tap);
struct sk_buff *kunit_tap_take(struct kunit_tap *tap); /* the oldest, or NULL */

struct kunit_received {
	u32 length; /* with the Ethernet header */
	u32 truesize;
	u32 queue; /* ~0: none recorded */
	u32 hash;
	u32 metadata;
	bool has_hash;
	bool hash_l4;
	bool checksum_good;
	bool vlan;
	u16 tci;
	bool recycles; /* its pages go back to a pool */
	u32 fragments;
};
void kunit_skb_look(const struct sk_buff *skb, struct kunit_received *received);
/* Bytes [offset, offset + bytes) of the frame; false if it is shorter. */
bool kunit_skb_copy(const struct sk_buff *skb, u32 offset, void *to, u32 bytes);

/* --- XDP --- */

/* What a program may see of its frame, and do with it. */
struct kunit_xdp {
	u8 *data;
	u32 length;
	u32 headroom; /* bytes before the data */
	u32 tailroom; /* bytes after it, up to the skb_shared_info */
	u32 frame_size;
	u32 queue;
	/* of the queue's registration */
	int netdev; /* ifindex */
	u32 napi_id;
	bool from_pool; /* its memory model is a page pool */
	u32 memory_id;
	/* hints, if the program was attached for this netdev alone */
	bool has_hash;
	u32 hash;
	u32 hash_kinds; /* bits of enum xdp_rss_hash_type */
	bool has_vlan;
	u16 vlan;
	u16 vlan_protocol;
	/* behind the first buffer, to which all else refers */
	u32 fragments;
	u32 fragments_length;
};
/* The program: in the NAPI poll, of any CPU. It may move the frame's start and end: *head and *tail
 * are what to add to them, *metadata how many bytes of metadata are before the data. For
 * SHIM_XDP_REDIRECT *target is the ifindex. Of a frame in fragments the end is the last one's, and
 * what is cut off goes back to its pool at once. */
typedef enum shim_xdp_action (*kunit_xdp_program)(void *context, const struct kunit_xdp *xdp,
						  int *head, int *tail, u32 *metadata, int *target);

/* Attaches the program. At most eight are attached at a time. */
int kunit_xdp_attach(struct net_device *netdev, kunit_xdp_program program, void *context);
enum {
	KUNIT_XDP_BOUND = 1 << 0, /* loaded for this netdev alone: it is given hints */
	KUNIT_XDP_FRAGMENTS = 1 << 1, /* takes frames in several buffers */
};
int kunit_xdp_attach_as(struct net_device *netdev, u32 how, kunit_xdp_program program,
			void *context);
int kunit_xdp_detach(struct net_device *netdev);
u32 kunit_xdp_programs(void); /* references to programs that are left */

SHIM_END

#endif
