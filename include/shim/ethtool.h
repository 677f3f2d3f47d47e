/* SPDX-License-Identifier: GPL-2.0 */
/* What the ethtool callbacks of entry.h exchange. */
#ifndef SHIM_ETHTOOL_H
#define SHIM_ETHTOOL_H

#include "shim/types.h"

#define SHIM_STAT_NAME 32 /* bytes of a statistic's name, ETH_GSTRING_LEN */

/* Counters of a port for `ip -s link`. */
struct shim_link_stats {
	u64 rx_packets;
	u64 rx_bytes;
	u64 rx_errors;
	u64 rx_dropped;
	u64 rx_missed;
	u64 rx_length_errors;
	u64 tx_packets;
	u64 tx_bytes;
	u64 tx_errors;
	u64 tx_dropped;
};

/* Of a queue, or of all that the live queues do not have; netdev-genl's. */
struct shim_rx_queue_stats {
	u64 packets;
	u64 bytes;
	u64 alloc_fail;
	u64 csum_unnecessary;
	u64 csum_none;
	u64 csum_bad;
};

struct shim_tx_queue_stats {
	u64 packets;
	u64 bytes;
	u64 hw_drops; /* refused by the device */
	u64 needs_csum;
	u64 gso_packets;
	u64 gso_bytes; /* payload */
	u64 gso_wire_packets;
	u64 stop;
	u64 wake;
};

/* Of the port in the terms of the Ethernet standard. Kinds of address are only known on a function
 * with one port. */
struct shim_mac_stats {
	u64 tx_frames;
	u64 tx_octets;
	u64 rx_frames;
	u64 rx_octets;
	u64 rx_too_long;
	bool knows_kinds;
	u64 tx_multicast;
	u64 tx_broadcast;
	u64 rx_multicast;
	u64 rx_broadcast;
};

struct shim_rings {
	u32 rx;
	u32 rx_max;
	u32 tx;
	u32 tx_max;
};

struct shim_channels {
	u32 combined;
	u32 combined_max;
};

/* How long interrupts wait. */
struct shim_moderation {
	u32 usecs;
	u32 frames;
	bool adaptive; /* both are found by themselves */
};
struct shim_coalesce {
	struct shim_moderation rx;
	struct shim_moderation tx;
};

/* RSS. Pointers are NULL where nothing is asked for, or to be changed. */
struct shim_rss {
	u32 *table;
	u8 *key;
	bool other_function; /* than Toeplitz is asked for */
};

/* ethtool -t, which runs while the port does. */
enum shim_self_test {
	SHIM_TEST_REGISTERS, /* say what they said at probe */
	SHIM_TEST_CHANNEL, /* a command is answered */
	SHIM_TEST_INTERRUPTS, /* a test event on each event queue arrives */
	SHIM_TEST_LOOPBACK, /* a frame goes through the switch */
	SHIM_SELF_TESTS
};
enum shim_test_result {
	SHIM_TEST_PASSED,
	SHIM_TEST_FAILED,
	SHIM_TEST_SKIPPED,
};

SHIM_BEGIN
/* A random hash key that is the same for all netdevs of this boot. */
void shim_rss_default_key(u8 *key, u32 bytes);

/* One line of a statistics name table: printf into SHIM_STAT_NAME bytes at *cursor, then advance
 * the cursor. */
void shim_stat_name(u8 **cursor, const char *format, ...) SHIM_PRINTF(2, 3);

/* Sends a frame from one netdev to another through their queues, and waits for it there. 0 if it
 * arrived, -ETIMEDOUT if it was sent and did not, else why it was not sent. Process context. */
int shim_loopback(struct net_device *from, struct net_device *to, u32 milliseconds);
SHIM_END

#endif
