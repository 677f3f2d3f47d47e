// SPDX-License-Identifier: GPL-2.0
/* netdevs, as users of them have them: stack.h. Frames are in packets.c, programs in programs.c. */

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "kunit/shim/stack.h"
#include "shim/ops.h"

struct net_device *kunit_netdev(struct pci_dev *pdev, u32 port)
{
	struct net_device *netdev, *found = NULL;

	rtnl_lock();
	for_each_netdev(&init_net, netdev) if (netdev->dev.parent == &pdev->dev &&
					       netdev->dev_port == port) found = netdev;
	rtnl_unlock();
	return found;
}

struct mana_port *kunit_netdev_port(struct net_device *netdev)
{
	return shim_port_of(netdev);
}

int kunit_netdev_index(const struct net_device *netdev)
{
	return netdev->ifindex;
}

u32 kunit_netdev_queues(const struct net_device *netdev)
{
	return netdev->real_num_tx_queues;
}

u32 kunit_netdev_mtu(const struct net_device *netdev)
{
	return READ_ONCE(netdev->mtu);
}

bool kunit_netdev_carrier(const struct net_device *netdev)
{
	return netif_carrier_ok(netdev);
}

bool kunit_netdev_running(const struct net_device *netdev)
{
	return netif_running(netdev);
}

bool kunit_netdev_takes_frames(const struct net_device *netdev)
{
	return READ_ONCE(netdev->xdp_features) & NETDEV_XDP_ACT_NDO_XMIT;
}

bool kunit_netdev_sends_fragments(const struct net_device *netdev)
{
	return READ_ONCE(netdev->xdp_features) & NETDEV_XDP_ACT_NDO_XMIT_SG;
}

bool kunit_netdev_gives_fragments(const struct net_device *netdev)
{
	return READ_ONCE(netdev->xdp_features) & NETDEV_XDP_ACT_RX_SG;
}

void kunit_netdev_mac(const struct net_device *netdev, u8 mac[6])
{
	memcpy(mac, netdev->dev_addr, ETH_ALEN);
}

int kunit_netdev_open(struct net_device *netdev)
{
	int error;

	rtnl_lock();
	netdev->priv_flags |= IFF_NO_ADDRCONF;
	error = dev_open(netdev, NULL);
	rtnl_unlock();
	return error;
}

void kunit_netdev_close(struct net_device *netdev)
{
	rtnl_lock();
	dev_close(netdev);
	rtnl_unlock();
}

int kunit_netdev_set_mtu(struct net_device *netdev, u32 mtu)
{
	int error;

	rtnl_lock();
	error = dev_set_mtu(netdev, mtu);
	rtnl_unlock();
	return error;
}

void kunit_netdev_link_stats(struct net_device *netdev, struct shim_link_stats *stats)
{
	struct rtnl_link_stats64 all;

	dev_get_stats(netdev, &all);
	*stats = (struct shim_link_stats){
		.rx_packets = all.rx_packets,
		.rx_bytes = all.rx_bytes,
		.rx_errors = all.rx_errors,
		.rx_dropped = all.rx_dropped,
		.rx_missed = all.rx_missed_errors,
		.rx_length_errors = all.rx_length_errors,
		.tx_packets = all.tx_packets,
		.tx_bytes = all.tx_bytes,
		.tx_errors = all.tx_errors,
		.tx_dropped = all.tx_dropped,
	};
}

int kunit_netdev_set_rings(struct net_device *netdev, u32 rx, u32 tx)
{
	struct kernel_ethtool_ringparam kernel_rings = {};
	struct ethtool_ringparam rings = {};
	int error;

	rtnl_lock();
	netdev->ethtool_ops->get_ringparam(netdev, &rings, &kernel_rings, NULL);
	rings.rx_pending = rx ?: rings.rx_pending;
	rings.tx_pending = tx ?: rings.tx_pending;
	error = netdev->ethtool_ops->set_ringparam(netdev, &rings, &kernel_rings, NULL);
	rtnl_unlock();
	return error;
}

int kunit_netdev_set_scatter(struct net_device *netdev, bool on)
{
	int error;

	rtnl_lock();
	error = netdev->ethtool_ops->set_priv_flags(netdev, on);
	if (!error && netdev->ethtool_ops->get_priv_flags(netdev) != on)
		error = -EIO;
	rtnl_unlock();
	return error;
}

int kunit_netdev_set_channels(struct net_device *netdev, u32 combined)
{
	struct ethtool_channels channels = {};
	int error;

	rtnl_lock();
	netdev->ethtool_ops->get_channels(netdev, &channels);
	channels.combined_count = combined;
	error = netdev->ethtool_ops->set_channels(netdev, &channels);
	rtnl_unlock();
	return error;
}

int kunit_netdev_set_rss(struct net_device *netdev, const u32 *table, const u8 *key)
{
	struct ethtool_rxfh_param rss = {.hfunc = ETH_RSS_HASH_NO_CHANGE};
	int error;

	rtnl_lock();
	if (table) {
		rss.indir = (u32 *)table;
		rss.indir_size = netdev->ethtool_ops->get_rxfh_indir_size(netdev);
	}
	if (key) {
		rss.key = (u8 *)key;
		rss.key_size = netdev->ethtool_ops->get_rxfh_key_size(netdev);
	}
	error = netdev->ethtool_ops->set_rxfh(netdev, &rss, NULL);
	rtnl_unlock();
	return error;
}

u64 kunit_netdev_statistic(struct net_device *netdev, const char *name, bool *known)
{
	struct ethtool_stats what = {.cmd = ETHTOOL_GSTATS};
	u64 *values = NULL, value = 0;
	u8 *names = NULL;
	int count, i;

	*known = false;
	rtnl_lock();
	count = netdev->ethtool_ops->get_sset_count(netdev, ETH_SS_STATS);
	if (count > 0) {
		names = kvcalloc(count, ETH_GSTRING_LEN, GFP_KERNEL);
		values = kvcalloc(count, sizeof(*values), GFP_KERNEL);
	}
	if (names && values) {
		what.n_stats = count;
		netdev->ethtool_ops->get_strings(netdev, ETH_SS_STATS, names);
		netdev->ethtool_ops->get_ethtool_stats(netdev, &what, values);
		for (i = 0; i < count && !*known; i++) {
			*known = !strncmp(names + i * ETH_GSTRING_LEN, name, ETH_GSTRING_LEN);
			if (*known)
				value = values[i];
		}
	}
	rtnl_unlock();
	kvfree(names);
	kvfree(values);
	return value;
}

void kunit_netdev_set_feature(struct net_device *netdev, enum kunit_feature feature, bool on)
{
	static const netdev_features_t bits[] = {
		[KUNIT_FEATURE_RX_CHECKSUM] = NETIF_F_RXCSUM,
		[KUNIT_FEATURE_RX_HASH] = NETIF_F_RXHASH,
		[KUNIT_FEATURE_RX_VLAN] = NETIF_F_HW_VLAN_CTAG_RX,
		[KUNIT_FEATURE_TX_CHECKSUM] = NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM,
		[KUNIT_FEATURE_TSO] = NETIF_F_TSO | NETIF_F_TSO6,
		[KUNIT_FEATURE_GRO] = NETIF_F_GRO,
	};

	rtnl_lock();
	if (on)
		netdev->wanted_features |= bits[feature];
	else
		netdev->wanted_features &= ~bits[feature];
	netdev_update_features(netdev);
	rtnl_unlock();
}

void kunit_rtnl_lock(void)
{
	rtnl_lock();
}

void kunit_rtnl_unlock(void)
{
	rtnl_unlock();
}
