// SPDX-License-Identifier: GPL-2.0
/* What netdev-genl calls for the statistics of queues. Members that are not set are not shown. */

#include <linux/netdevice.h>
#include <net/netdev_queues.h>

#include "ops.h"
#include "shim/entry.h"

static void put_rx(struct netdev_queue_stats_rx *stats, const struct shim_rx_queue_stats *queue)
{
	stats->packets = queue->packets;
	stats->bytes = queue->bytes;
	stats->alloc_fail = queue->alloc_fail;
	stats->csum_unnecessary = queue->csum_unnecessary;
	stats->csum_none = queue->csum_none;
	stats->csum_bad = queue->csum_bad;
}

static void put_tx(struct netdev_queue_stats_tx *stats, const struct shim_tx_queue_stats *queue)
{
	stats->packets = queue->packets;
	stats->bytes = queue->bytes;
	stats->hw_drops = queue->hw_drops;
	stats->hw_drop_errors = queue->hw_drops;
	stats->needs_csum = queue->needs_csum;
	stats->hw_gso_packets = queue->gso_packets;
	stats->hw_gso_bytes = queue->gso_bytes;
	stats->hw_gso_wire_packets = queue->gso_wire_packets;
	stats->stop = queue->stop;
	stats->wake = queue->wake;
}

static void mana_stat_rx(struct net_device *netdev, int queue, struct netdev_queue_stats_rx *stats)
{
	struct shim_rx_queue_stats rx = {};

	mana_port_rx_queue_stats(shim_port_of(netdev), queue, &rx);
	put_rx(stats, &rx);
}

static void mana_stat_tx(struct net_device *netdev, int queue, struct netdev_queue_stats_tx *stats)
{
	struct shim_tx_queue_stats tx = {};

	mana_port_tx_queue_stats(shim_port_of(netdev), queue, &tx);
	put_tx(stats, &tx);
}

static void mana_stat_base(struct net_device *netdev, struct netdev_queue_stats_rx *rx_stats,
			   struct netdev_queue_stats_tx *tx_stats)
{
	struct shim_rx_queue_stats rx = {};
	struct shim_tx_queue_stats tx = {};

	mana_port_base_stats(shim_port_of(netdev), &rx, &tx);
	put_rx(rx_stats, &rx);
	put_tx(tx_stats, &tx);
}

static const struct netdev_stat_ops mana_stat_ops = {
	.get_queue_stats_rx = mana_stat_rx,
	.get_queue_stats_tx = mana_stat_tx,
	.get_base_stats = mana_stat_base,
};

void shim_set_stat_ops(struct net_device *netdev)
{
	netdev->stat_ops = &mana_stat_ops;
}
