// SPDX-License-Identifier: GPL-2.0
/* What ethtool calls in a network device; driver and bus name are filled in by the core. */

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/stdarg.h>

#include "ops.h"
#include "shim/entry.h"
#include "shim/ethtool.h"

#define RSS_KEY_BYTES 40

static_assert(SHIM_STAT_NAME == ETH_GSTRING_LEN);

/* --- called from C++ --- */

void shim_rss_default_key(u8 *key, u32 bytes)
{
	netdev_rss_key_fill(key, bytes);
}

void shim_stat_name(u8 **cursor, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(*cursor, ETH_GSTRING_LEN, format, arguments);
	va_end(arguments);
	*cursor += ETH_GSTRING_LEN;
}

/* --- link --- */

static u32 mana_ethtool_get_link(struct net_device *netdev)
{
	return mana_port_link_up(shim_port_of(netdev));
}

static int mana_ethtool_get_link_ksettings(struct net_device *netdev,
					   struct ethtool_link_ksettings *settings)
{
	u32 speed = mana_port_link_speed(shim_port_of(netdev));

	settings->base.speed = speed ?: SPEED_UNKNOWN;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	return 0;
}

/* --- statistics --- */

static int mana_ethtool_get_sset_count(struct net_device *netdev, int set)
{
	return set == ETH_SS_STATS ? mana_port_stat_count(shim_port_of(netdev)) : -EOPNOTSUPP;
}

static void mana_ethtool_get_strings(struct net_device *netdev, u32 set, u8 *strings)
{
	if (set == ETH_SS_STATS)
		mana_port_stat_names(shim_port_of(netdev), strings);
}

static void mana_ethtool_get_ethtool_stats(struct net_device *netdev, struct ethtool_stats *stats,
					   u64 *values)
{
	mana_port_stat_values(shim_port_of(netdev), values);
}

/* --- queues --- */

static void mana_ethtool_get_ringparam(struct net_device *netdev, struct ethtool_ringparam *param,
				       struct kernel_ethtool_ringparam *kernel_param,
				       struct netlink_ext_ack *ack)
{
	struct shim_rings rings = {};

	mana_port_get_rings(shim_port_of(netdev), &rings);
	param->rx_pending = rings.rx;
	param->rx_max_pending = rings.rx_max;
	param->tx_pending = rings.tx;
	param->tx_max_pending = rings.tx_max;
}

static int mana_ethtool_set_ringparam(struct net_device *netdev, struct ethtool_ringparam *param,
				      struct kernel_ethtool_ringparam *kernel_param,
				      struct netlink_ext_ack *ack)
{
	return mana_port_set_rings(shim_port_of(netdev), param->rx_pending, param->tx_pending, ack);
}

static void mana_ethtool_get_channels(struct net_device *netdev, struct ethtool_channels *param)
{
	struct shim_channels channels = {};

	mana_port_get_channels(shim_port_of(netdev), &channels);
	param->combined_count = channels.combined;
	param->max_combined = channels.combined_max;
}

static int mana_ethtool_set_channels(struct net_device *netdev, struct ethtool_channels *param)
{
	return mana_port_set_channels(shim_port_of(netdev), param->combined_count, NULL);
}

/* --- receive side scaling --- */

static int mana_ethtool_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *command,
				  u32 *rules)
{
	if (command->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	command->data = netdev->real_num_rx_queues;
	return 0;
}

static u32 mana_ethtool_get_rxfh_key_size(struct net_device *netdev)
{
	return RSS_KEY_BYTES;
}

static u32 mana_ethtool_get_rxfh_indir_size(struct net_device *netdev)
{
	return mana_port_rss_entries(shim_port_of(netdev));
}

static int mana_ethtool_get_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *param)
{
	struct shim_rss rss = {.table = param->indir, .key = param->key};

	param->hfunc = ETH_RSS_HASH_TOP;
	mana_port_get_rss(shim_port_of(netdev), &rss);
	return 0;
}

static int mana_ethtool_set_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *param,
				 struct netlink_ext_ack *ack)
{
	const struct shim_rss rss = {.table = param->indir, .key = param->key};

	if (param->hfunc != ETH_RSS_HASH_NO_CHANGE && param->hfunc != ETH_RSS_HASH_TOP)
		return -EOPNOTSUPP;
	if (param->rss_context)
		return -EOPNOTSUPP;
	return mana_port_set_rss(shim_port_of(netdev), &rss, ack);
}

static const struct ethtool_ops mana_ethtool_ops = {
	.get_link = mana_ethtool_get_link,
	.get_link_ksettings = mana_ethtool_get_link_ksettings,
	.get_sset_count = mana_ethtool_get_sset_count,
	.get_strings = mana_ethtool_get_strings,
	.get_ethtool_stats = mana_ethtool_get_ethtool_stats,
	.get_ringparam = mana_ethtool_get_ringparam,
	.set_ringparam = mana_ethtool_set_ringparam,
	.get_channels = mana_ethtool_get_channels,
	.set_channels = mana_ethtool_set_channels,
	.get_rxnfc = mana_ethtool_get_rxnfc,
	.get_rxfh_key_size = mana_ethtool_get_rxfh_key_size,
	.get_rxfh_indir_size = mana_ethtool_get_rxfh_indir_size,
	.get_rxfh = mana_ethtool_get_rxfh,
	.set_rxfh = mana_ethtool_set_rxfh,
	.get_ts_info = ethtool_op_get_ts_info,
};

void shim_set_ethtool_ops(struct net_device *netdev)
{
	netdev->ethtool_ops = &mana_ethtool_ops;
}
