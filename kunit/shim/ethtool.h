/* SPDX-License-Identifier: GPL-2.0 */
/* What ethtool and netdev-genl ask of a netdev, through its op tables. Process context; takes RTNL.
 */
#ifndef KUNIT_ETHTOOL_H
#define KUNIT_ETHTOOL_H

#include "shim/ethtool.h"
#include "shim/types.h"

SHIM_BEGIN

struct kunit_identity {
	char version[32];
	char firmware[32];
};
void kunit_ethtool_identity(struct net_device *netdev, struct kunit_identity *identity);

struct kunit_link_settings {
	u32 speed;
	bool full_duplex;
	bool other_port;
	bool pause; /* autonegotiated, sent or heeded */
};
void kunit_ethtool_link(struct net_device *netdev, struct kunit_link_settings *settings);

enum kunit_flow {
	KUNIT_FLOW_TCP4,
	KUNIT_FLOW_UDP6,
	KUNIT_FLOW_IPV4,
	KUNIT_FLOW_ETHER,
};
/* Whether addresses, and ports, are hashed: 0 or a negative errno. */
int kunit_ethtool_flow_hash(struct net_device *netdev, enum kunit_flow flow, bool *addresses,
			    bool *ports);

/* The dump's length in words, of which as many are copied as there is room for. */
u32 kunit_ethtool_dump(struct net_device *netdev, u32 *words, u32 room, u32 *version);

/* As ethtool -t: false if the device failed. The names' first words tell the results apart. */
bool kunit_ethtool_self_test(struct net_device *netdev, u64 *results, u32 room, u32 *count);
bool kunit_ethtool_test_name(struct net_device *netdev, u32 number, char name[32]);

struct kunit_mac_counts {
	u64 tx_frames;
	u64 rx_frames;
	u64 rx_too_long;
	u64 rx_multicast; /* ~0: not known */
	u64 oversize;
	u64 alignment_errors; /* which nobody counts */
};
void kunit_ethtool_mac(struct net_device *netdev, struct kunit_mac_counts *counts);

/* As -G and -X hfunc: 0 or a negative errno, and the sentence or NULL. */
int kunit_ethtool_rings(struct net_device *netdev, u32 rx, u32 tx, const char **sentence);
int kunit_ethtool_hash_function(struct net_device *netdev, bool toeplitz, const char **sentence);

/* As -c, -C, --show-priv-flags and --set-priv-flags. */
void kunit_ethtool_get_coalesce(struct net_device *netdev, struct shim_coalesce *coalesce);
int kunit_ethtool_set_coalesce(struct net_device *netdev, const struct shim_coalesce *coalesce,
			       const char **sentence);
u32 kunit_ethtool_get_flags(struct net_device *netdev);
int kunit_ethtool_set_flags(struct net_device *netdev, u32 flags);
/* The n-th flag's name; false if there are not so many. */
bool kunit_ethtool_flag_name(struct net_device *netdev, u32 number, char name[32]);

/* netdev-genl's counters: of a queue, and of all but the live ones. ~0: not counted. */
struct kunit_counts {
	u64 rx_packets;
	u64 rx_bytes;
	u64 rx_alloc_fail;
	u64 rx_csum_unnecessary;
	u64 rx_hw_gro_packets;
	u64 tx_packets;
	u64 tx_bytes;
	u64 tx_stop;
	u64 tx_needs_csum;
};
void kunit_queue_counts(struct net_device *netdev, u32 queue, struct kunit_counts *counts);
void kunit_base_counts(struct net_device *netdev, struct kunit_counts *counts);

/* What netdev-genl says of a queue: its NAPI's id (0: none) and that one's interrupt. True if both
 * directions say the same. */
bool kunit_queue_napi(struct net_device *netdev, u32 queue, u32 *id, int *irq);

SHIM_END

#endif
