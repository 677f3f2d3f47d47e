// SPDX-License-Identifier: GPL-2.0
/* What ethtool calls in a network device; driver and bus name are filled in by the core. */

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/stdarg.h>

#include "ops.h"
#include "shim/entry.h"
#include "shim/ethtool.h"
#include "shim/netdev.h"
#include "shim/version.h"

#define RSS_KEY_BYTES 40
#define DUMP_VERSION 1 /* Documentation/register-dump.md */

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

/* --- identity --- */

static void mana_ethtool_get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	strscpy(info->version, MANA_VERSION, sizeof(info->version));
	mana_port_firmware(shim_port_of(netdev), info->fw_version, sizeof(info->fw_version));
}

static int mana_ethtool_get_regs_len(struct net_device *netdev)
{
	return mana_port_dump_words(shim_port_of(netdev)) * sizeof(u32);
}

static void mana_ethtool_get_regs(struct net_device *netdev, struct ethtool_regs *regs, void *words)
{
	regs->version = DUMP_VERSION;
	mana_port_dump(shim_port_of(netdev), words);
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

/* A vPort neither sends pause frames nor heeds them, and nothing can change that: all zero. */
static void mana_ethtool_get_pauseparam(struct net_device *netdev, struct ethtool_pauseparam *param)
{
}

static void mana_ethtool_get_pause_stats(struct net_device *netdev,
					 struct ethtool_pause_stats *stats)
{
	stats->tx_pause_frames = 0;
	stats->rx_pause_frames = 0;
}

/* --- statistics --- */

static const char mana_self_tests[SHIM_SELF_TESTS][ETH_GSTRING_LEN] = {
	[SHIM_TEST_REGISTERS] = "registers (0 ok 1 bad)",
	[SHIM_TEST_CHANNEL] = "hw channel (0 ok 1 bad)",
	[SHIM_TEST_INTERRUPTS] = "events (0 ok 1 bad 2 skipped)",
	[SHIM_TEST_LOOPBACK] = "loopback (0 ok 1 bad 2 skipped)",
};

static const char mana_private_flags[][ETH_GSTRING_LEN] = {
	"rx-scatter",
	"rx-cqe-coalescing-4",
	"rx-cqe-coalescing-8",
};
#define FLAG_SCATTER BIT(0)
#define FLAG_COALESCING_4 BIT(1)
#define FLAG_COALESCING_8 BIT(2)
#define FLAGS_COALESCING (FLAG_COALESCING_4 | FLAG_COALESCING_8)

static int mana_ethtool_get_sset_count(struct net_device *netdev, int set)
{
	switch (set) {
	case ETH_SS_STATS:
		return mana_port_stat_count(shim_port_of(netdev));
	case ETH_SS_TEST:
		return SHIM_SELF_TESTS;
	case ETH_SS_PRIV_FLAGS:
		return ARRAY_SIZE(mana_private_flags);
	default:
		return -EOPNOTSUPP;
	}
}

static void mana_ethtool_get_strings(struct net_device *netdev, u32 set, u8 *strings)
{
	switch (set) {
	case ETH_SS_STATS:
		mana_port_stat_names(shim_port_of(netdev), strings);
		break;
	case ETH_SS_TEST:
		memcpy(strings, mana_self_tests, sizeof(mana_self_tests));
		break;
	case ETH_SS_PRIV_FLAGS:
		memcpy(strings, mana_private_flags, sizeof(mana_private_flags));
		break;
	}
}

static void mana_ethtool_get_eth_mac_stats(struct net_device *netdev,
					   struct ethtool_eth_mac_stats *stats)
{
	struct shim_mac_stats mac = {};

	mana_port_mac_stats(shim_port_of(netdev), &mac);
	stats->FramesTransmittedOK = mac.tx_frames;
	stats->OctetsTransmittedOK = mac.tx_octets;
	stats->FramesReceivedOK = mac.rx_frames;
	stats->OctetsReceivedOK = mac.rx_octets;
	stats->FrameTooLongErrors = mac.rx_too_long;
	if (!mac.knows_kinds)
		return;
	stats->MulticastFramesXmittedOK = mac.tx_multicast;
	stats->BroadcastFramesXmittedOK = mac.tx_broadcast;
	stats->MulticastFramesReceivedOK = mac.rx_multicast;
	stats->BroadcastFramesReceivedOK = mac.rx_broadcast;
}

static void mana_ethtool_get_rmon_stats(struct net_device *netdev, struct ethtool_rmon_stats *stats,
					const struct ethtool_rmon_hist_range **ranges)
{
	struct shim_mac_stats mac = {};

	mana_port_mac_stats(shim_port_of(netdev), &mac);
	stats->oversize_pkts = mac.rx_too_long;
}

/* --- self test --- */

static void mana_ethtool_self_test(struct net_device *netdev, struct ethtool_test *test,
				   u64 *results)
{
	if (!mana_port_self_test(shim_port_of(netdev), results))
		test->flags |= ETH_TEST_FL_FAILED;
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

/* --- coalescing --- */

static int mana_ethtool_get_coalesce(struct net_device *netdev, struct ethtool_coalesce *param,
				     struct kernel_ethtool_coalesce *kernel_param,
				     struct netlink_ext_ack *ack)
{
	struct shim_coalesce coalesce = {};

	mana_port_get_coalesce(shim_port_of(netdev), &coalesce);
	param->rx_coalesce_usecs = coalesce.rx.usecs;
	param->rx_max_coalesced_frames = coalesce.rx.frames;
	param->use_adaptive_rx_coalesce = coalesce.rx.adaptive;
	param->tx_coalesce_usecs = coalesce.tx.usecs;
	param->tx_max_coalesced_frames = coalesce.tx.frames;
	param->use_adaptive_tx_coalesce = coalesce.tx.adaptive;
	return 0;
}

static int mana_ethtool_set_coalesce(struct net_device *netdev, struct ethtool_coalesce *param,
				     struct kernel_ethtool_coalesce *kernel_param,
				     struct netlink_ext_ack *ack)
{
	const struct shim_coalesce coalesce = {
		.rx =
			{
				.usecs = param->rx_coalesce_usecs,
				.frames = param->rx_max_coalesced_frames,
				.adaptive = param->use_adaptive_rx_coalesce,
			},
		.tx =
			{
				.usecs = param->tx_coalesce_usecs,
				.frames = param->tx_max_coalesced_frames,
				.adaptive = param->use_adaptive_tx_coalesce,
			},
	};

	return mana_port_set_coalesce(shim_port_of(netdev), &coalesce, ack);
}

/* --- private flags --- */

static u32 coalescing_flag(struct net_device *netdev)
{
	switch (mana_port_rx_coalescing(shim_port_of(netdev))) {
	case 4:
		return FLAG_COALESCING_4;
	case 8:
		return FLAG_COALESCING_8;
	default:
		return 0;
	}
}

static u32 mana_ethtool_get_priv_flags(struct net_device *netdev)
{
	return coalescing_flag(netdev) |
	       (mana_port_rx_scatter(shim_port_of(netdev)) ? FLAG_SCATTER : 0);
}

static int mana_ethtool_set_priv_flags(struct net_device *netdev, u32 flags)
{
	u32 coalescing = flags & FLAGS_COALESCING;
	int error;

	/* One of two, or none: which is switched on last counts. */
	if (coalescing == FLAGS_COALESCING)
		coalescing &= ~coalescing_flag(netdev);
	error = mana_port_set_rx_coalescing(shim_port_of(netdev), coalescing & FLAG_COALESCING_8 ? 8
								  : coalescing                   ? 4
									       : 0);
	return error ?: mana_port_set_rx_scatter(shim_port_of(netdev), flags & FLAG_SCATTER);
}

/* --- receive side scaling --- */

/* What the device hashes; it cannot be changed. */
static int hash_fields(u32 flow_type, u64 *fields)
{
	switch (flow_type) {
	case TCP_V4_FLOW:
	case TCP_V6_FLOW:
	case UDP_V4_FLOW:
	case UDP_V6_FLOW:
		*fields = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;
		return 0;
	case IPV4_FLOW:
	case IPV6_FLOW:
	case SCTP_V4_FLOW:
	case SCTP_V6_FLOW:
		*fields = RXH_IP_SRC | RXH_IP_DST;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int mana_ethtool_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *command,
				  u32 *rules)
{
	switch (command->cmd) {
	case ETHTOOL_GRXRINGS:
		command->data = netdev->real_num_rx_queues;
		return 0;
	case ETHTOOL_GRXFH:
		return hash_fields(command->flow_type, &command->data);
	default:
		return -EOPNOTSUPP;
	}
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
	const struct shim_rss rss = {
		.table = param->indir,
		.key = param->key,
		.other_function =
			param->hfunc != ETH_RSS_HASH_NO_CHANGE && param->hfunc != ETH_RSS_HASH_TOP,
	};

	/* Further contexts are refused by the core: no operation makes one. */
	return mana_port_set_rss(shim_port_of(netdev), &rss, ack);
}

static const struct ethtool_ops mana_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_USECS | ETHTOOL_COALESCE_MAX_FRAMES |
				     ETHTOOL_COALESCE_USE_ADAPTIVE,
	.get_drvinfo = mana_ethtool_get_drvinfo,
	.get_regs_len = mana_ethtool_get_regs_len,
	.get_regs = mana_ethtool_get_regs,
	.get_link = mana_ethtool_get_link,
	.get_link_ksettings = mana_ethtool_get_link_ksettings,
	.get_sset_count = mana_ethtool_get_sset_count,
	.get_strings = mana_ethtool_get_strings,
	.get_ethtool_stats = mana_ethtool_get_ethtool_stats,
	.get_pauseparam = mana_ethtool_get_pauseparam,
	.get_pause_stats = mana_ethtool_get_pause_stats,
	.get_eth_mac_stats = mana_ethtool_get_eth_mac_stats,
	.get_rmon_stats = mana_ethtool_get_rmon_stats,
	.self_test = mana_ethtool_self_test,
	.get_ringparam = mana_ethtool_get_ringparam,
	.set_ringparam = mana_ethtool_set_ringparam,
	.get_channels = mana_ethtool_get_channels,
	.set_channels = mana_ethtool_set_channels,
	.get_coalesce = mana_ethtool_get_coalesce,
	.set_coalesce = mana_ethtool_set_coalesce,
	.get_priv_flags = mana_ethtool_get_priv_flags,
	.set_priv_flags = mana_ethtool_set_priv_flags,
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
