// SPDX-License-Identifier: GPL-2.0
/* What ethtool and netdev-genl ask of a netdev: ethtool.h. */

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vmalloc.h>
#include <net/netdev_queues.h>
#include <net/netdev_rx_queue.h>

#include "kunit/shim/ethtool.h"

void kunit_ethtool_identity(struct net_device *netdev, struct kunit_identity *identity)
{
	struct ethtool_drvinfo info = {};

	rtnl_lock();
	netdev->ethtool_ops->get_drvinfo(netdev, &info);
	rtnl_unlock();
	strscpy(identity->version, info.version, sizeof(identity->version));
	strscpy(identity->firmware, info.fw_version, sizeof(identity->firmware));
}

void kunit_ethtool_link(struct net_device *netdev, struct kunit_link_settings *settings)
{
	struct ethtool_link_ksettings link = {};
	struct ethtool_pauseparam pause = {};

	rtnl_lock();
	netdev->ethtool_ops->get_link_ksettings(netdev, &link);
	netdev->ethtool_ops->get_pauseparam(netdev, &pause);
	rtnl_unlock();
	*settings = (struct kunit_link_settings){
		.speed = link.base.speed,
		.full_duplex = link.base.duplex == DUPLEX_FULL,
		.other_port = link.base.port == PORT_OTHER,
		.pause = pause.autoneg || pause.rx_pause || pause.tx_pause,
	};
}

int kunit_ethtool_flow_hash(struct net_device *netdev, enum kunit_flow flow, bool *addresses,
			    bool *ports)
{
	static const u32 types[] = {
		[KUNIT_FLOW_TCP4] = TCP_V4_FLOW,
		[KUNIT_FLOW_UDP6] = UDP_V6_FLOW,
		[KUNIT_FLOW_IPV4] = IPV4_FLOW,
		[KUNIT_FLOW_ETHER] = ETHER_FLOW,
	};
	struct ethtool_rxnfc what = {.cmd = ETHTOOL_GRXFH, .flow_type = types[flow]};
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->get_rxnfc(netdev, &what, NULL);
	rtnl_unlock();
	*addresses = (what.data & (RXH_IP_SRC | RXH_IP_DST)) == (RXH_IP_SRC | RXH_IP_DST);
	*ports = (what.data & (RXH_L4_B_0_1 | RXH_L4_B_2_3)) == (RXH_L4_B_0_1 | RXH_L4_B_2_3);
	return error;
}

u32 kunit_ethtool_dump(struct net_device *netdev, u32 *words, u32 room, u32 *version)
{
	struct ethtool_regs regs = {};
	void *dump;
	int bytes;

	rtnl_lock();
	bytes = netdev->ethtool_ops->get_regs_len(netdev);
	dump = vzalloc(bytes);
	if (dump) {
		regs.len = bytes;
		netdev->ethtool_ops->get_regs(netdev, &regs, dump);
		memcpy(words, dump, min_t(u32, bytes, room * sizeof(u32)));
	}
	rtnl_unlock();
	vfree(dump);
	*version = regs.version;
	return bytes / sizeof(u32);
}

bool kunit_ethtool_self_test(struct net_device *netdev, u64 *results, u32 room, u32 *count)
{
	struct ethtool_test test = {};

	rtnl_lock();
	*count = netdev->ethtool_ops->get_sset_count(netdev, ETH_SS_TEST);
	test.len = *count;
	if (*count <= room)
		netdev->ethtool_ops->self_test(netdev, &test, results);
	rtnl_unlock();
	return *count <= room && !(test.flags & ETH_TEST_FL_FAILED);
}

bool kunit_ethtool_test_name(struct net_device *netdev, u32 number, char name[32])
{
	char names[8][ETH_GSTRING_LEN] = {};
	int count = netdev->ethtool_ops->get_sset_count(netdev, ETH_SS_TEST);

	if (count > (int)ARRAY_SIZE(names) || number >= count)
		return false;
	netdev->ethtool_ops->get_strings(netdev, ETH_SS_TEST, (u8 *)names);
	memcpy(name, names[number], ETH_GSTRING_LEN);
	return true;
}

void kunit_ethtool_mac(struct net_device *netdev, struct kunit_mac_counts *counts)
{
	const struct ethtool_rmon_hist_range *ranges = NULL;
	struct ethtool_eth_mac_stats mac;
	struct ethtool_rmon_stats rmon;

	/* As the core does: what stays so is not shown. */
	memset(&mac, 0xff, sizeof(mac));
	memset(&rmon, 0xff, sizeof(rmon));
	rtnl_lock();
	netdev->ethtool_ops->get_eth_mac_stats(netdev, &mac);
	netdev->ethtool_ops->get_rmon_stats(netdev, &rmon, &ranges);
	rtnl_unlock();
	*counts = (struct kunit_mac_counts){
		.tx_frames = mac.FramesTransmittedOK,
		.rx_frames = mac.FramesReceivedOK,
		.rx_too_long = mac.FrameTooLongErrors,
		.rx_multicast = mac.MulticastFramesReceivedOK,
		.oversize = rmon.oversize_pkts,
		.alignment_errors = mac.AlignmentErrors,
	};
}

int kunit_ethtool_rings(struct net_device *netdev, u32 rx, u32 tx, const char **sentence)
{
	struct ethtool_ringparam rings = {.rx_pending = rx, .tx_pending = tx};
	struct kernel_ethtool_ringparam kernel_rings = {};
	struct netlink_ext_ack ack = {};
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->set_ringparam(netdev, &rings, &kernel_rings, &ack);
	rtnl_unlock();
	*sentence = ack._msg;
	return error;
}

int kunit_ethtool_hash_function(struct net_device *netdev, bool toeplitz, const char **sentence)
{
	struct ethtool_rxfh_param what = {
		.hfunc = toeplitz ? ETH_RSS_HASH_TOP : ETH_RSS_HASH_XOR,
	};
	struct netlink_ext_ack ack = {};
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->set_rxfh(netdev, &what, &ack);
	rtnl_unlock();
	*sentence = ack._msg;
	return error;
}

void kunit_ethtool_get_coalesce(struct net_device *netdev, struct shim_coalesce *coalesce)
{
	struct kernel_ethtool_coalesce kernel_param = {};
	struct ethtool_coalesce param = {};

	rtnl_lock();
	netdev->ethtool_ops->get_coalesce(netdev, &param, &kernel_param, NULL);
	rtnl_unlock();
	*coalesce = (struct shim_coalesce){
		.rx =
			{
				.usecs = param.rx_coalesce_usecs,
				.frames = param.rx_max_coalesced_frames,
				.adaptive = param.use_adaptive_rx_coalesce,
			},
		.tx =
			{
				.usecs = param.tx_coalesce_usecs,
				.frames = param.tx_max_coalesced_frames,
				.adaptive = param.use_adaptive_tx_coalesce,
			},
	};
}

int kunit_ethtool_set_coalesce(struct net_device *netdev, const struct shim_coalesce *coalesce,
			       const char **sentence)
{
	struct kernel_ethtool_coalesce kernel_param = {};
	struct ethtool_coalesce param = {
		.rx_coalesce_usecs = coalesce->rx.usecs,
		.rx_max_coalesced_frames = coalesce->rx.frames,
		.use_adaptive_rx_coalesce = coalesce->rx.adaptive,
		.tx_coalesce_usecs = coalesce->tx.usecs,
		.tx_max_coalesced_frames = coalesce->tx.frames,
		.use_adaptive_tx_coalesce = coalesce->tx.adaptive,
	};
	struct netlink_ext_ack ack = {};
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->set_coalesce(netdev, &param, &kernel_param, &ack);
	rtnl_unlock();
	*sentence = ack._msg;
	return error;
}

u32 kunit_ethtool_get_flags(struct net_device *netdev)
{
	u32 flags;

	rtnl_lock();
	flags = netdev->ethtool_ops->get_priv_flags(netdev);
	rtnl_unlock();
	return flags;
}

int kunit_ethtool_set_flags(struct net_device *netdev, u32 flags)
{
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->set_priv_flags(netdev, flags);
	rtnl_unlock();
	return error;
}

bool kunit_ethtool_flag_name(struct net_device *netdev, u32 number, char name[32])
{
	const struct ethtool_ops *ops = netdev->ethtool_ops;
	u8 names[4 * ETH_GSTRING_LEN];
	int count;

	rtnl_lock();
	count = ops->get_sset_count(netdev, ETH_SS_PRIV_FLAGS);
	if (count > 0 && count <= 4)
		ops->get_strings(netdev, ETH_SS_PRIV_FLAGS, names);
	rtnl_unlock();
	if (count > 4 || (int)number >= count)
		return false;
	strscpy(name, names + number * ETH_GSTRING_LEN, 32);
	return true;
}

static void put(struct kunit_counts *counts, const struct netdev_queue_stats_rx *rx,
		const struct netdev_queue_stats_tx *tx)
{
	*counts = (struct kunit_counts){
		.rx_packets = rx->packets,
		.rx_bytes = rx->bytes,
		.rx_alloc_fail = rx->alloc_fail,
		.rx_csum_unnecessary = rx->csum_unnecessary,
		.rx_hw_gro_packets = rx->hw_gro_packets,
		.tx_packets = tx->packets,
		.tx_bytes = tx->bytes,
		.tx_stop = tx->stop,
		.tx_needs_csum = tx->needs_csum,
	};
}

void kunit_queue_counts(struct net_device *netdev, u32 queue, struct kunit_counts *counts)
{
	struct netdev_queue_stats_rx rx;
	struct netdev_queue_stats_tx tx;

	memset(&rx, 0xff, sizeof(rx));
	memset(&tx, 0xff, sizeof(tx));
	rtnl_lock();
	netdev->stat_ops->get_queue_stats_rx(netdev, queue, &rx);
	netdev->stat_ops->get_queue_stats_tx(netdev, queue, &tx);
	rtnl_unlock();
	put(counts, &rx, &tx);
}

void kunit_base_counts(struct net_device *netdev, struct kunit_counts *counts)
{
	struct netdev_queue_stats_rx rx;
	struct netdev_queue_stats_tx tx;

	memset(&rx, 0xff, sizeof(rx));
	memset(&tx, 0xff, sizeof(tx));
	rtnl_lock();
	netdev->stat_ops->get_base_stats(netdev, &rx, &tx);
	rtnl_unlock();
	put(counts, &rx, &tx);
}

bool kunit_queue_napi(struct net_device *netdev, u32 queue, u32 *id, int *irq)
{
	struct napi_struct *rx, *tx;

	rtnl_lock();
	rx = __netif_get_rx_queue(netdev, queue)->napi;
	tx = netdev_get_tx_queue(netdev, queue)->napi;
	*id = rx ? rx->napi_id : 0;
	*irq = rx ? rx->irq : -1;
	rtnl_unlock();
	return rx == tx;
}
