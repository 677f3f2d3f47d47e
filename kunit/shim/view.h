/* SPDX-License-Identifier: GPL-2.0 */
/* What a netdev says about itself to the stack. Process context. */
#ifndef KUNIT_VIEW_H
#define KUNIT_VIEW_H

#include "shim/types.h"

SHIM_BEGIN

enum kunit_offload {
	KUNIT_SG = 1 << 0,
	KUNIT_IPV4_CHECKSUM = 1 << 1,
	KUNIT_IPV6_CHECKSUM = 1 << 2,
	KUNIT_TSO4 = 1 << 3,
	KUNIT_TSO6 = 1 << 4,
	KUNIT_RX_CHECKSUM = 1 << 5,
	KUNIT_RX_HASH = 1 << 6,
	KUNIT_VLAN_TX = 1 << 7,
	KUNIT_VLAN_RX = 1 << 8,
	KUNIT_HIGHDMA = 1 << 9,
	/* What the device cannot do. */
	KUNIT_OTHER_SEGMENTATION = 1 << 10, /* of UDP, tunnels, packets that nobody checked ... */
	KUNIT_FRAGMENT_LIST = 1 << 11,
	KUNIT_LRO = 1 << 12,
	KUNIT_VLAN_FILTER = 1 << 13,
	KUNIT_SERVICE_VLAN = 1 << 14,
};

struct kunit_view {
	u32 port; /* dev_port */
	u32 mtu;
	u32 min_mtu;
	u32 max_mtu;
	u32 queues_made; /* transmit */
	u32 tx_queues; /* in use */
	u32 rx_queues;
	u32 features; /* bits of kunit_offload */
	u32 switchable;
	u32 vlan_features;
	u8 mac[6];
	bool present; /* not detached */
	bool in_init_net;
};
void kunit_netdev_look(struct net_device *netdev, struct kunit_view *view);

/* As ethtool -K; takes RTNL. */
void kunit_set_offload(struct net_device *netdev, enum kunit_offload offload, bool on);
/* Through the stack's checks, as a person would; 0 or a negative errno. */
int kunit_set_mac(struct net_device *netdev, const u8 mac[6]);

/* Stopped by the driver, and not by byte queue limits, which do not limit any more after lift(). */
bool kunit_queue_full(struct net_device *netdev, u32 queue);
void kunit_queue_lift_limit(struct net_device *netdev, u32 queue);

SHIM_END

#endif
