// SPDX-License-Identifier: GPL-2.0
/* What the stack calls in a network device. */

#include <linux/bpf.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <net/xdp.h>

#include "ops.h"
#include "shim/entry.h"
#include "shim/netdev.h"

static int mana_ndo_open(struct net_device *netdev)
{
	return mana_port_open(shim_port_of(netdev));
}

static int mana_ndo_stop(struct net_device *netdev)
{
	return mana_port_stop(shim_port_of(netdev));
}

static netdev_tx_t mana_ndo_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	bool taken = mana_port_transmit(shim_port_of(netdev), skb, skb_get_queue_mapping(skb));

	return likely(taken) ? NETDEV_TX_OK : NETDEV_TX_BUSY;
}

static netdev_features_t mana_ndo_features_check(struct sk_buff *skb, struct net_device *netdev,
						 netdev_features_t features)
{
	struct mana_port *port = shim_port_of(netdev);

	if (unlikely(skb_vlan_tag_present(skb) || eth_type_vlan(skb->protocol)))
		features = vlan_features_check(skb, features);
	if (unlikely(!mana_port_can_checksum(port, skb)))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	if (unlikely(!mana_port_can_segment(port, skb)))
		features &= ~NETIF_F_GSO_MASK;
	return features;
}

static int mana_ndo_change_mtu(struct net_device *netdev, int mtu)
{
	return mana_port_set_mtu(shim_port_of(netdev), mtu, NULL);
}

static void mana_ndo_get_stats64(struct net_device *netdev, struct rtnl_link_stats64 *stats)
{
	struct shim_link_stats port = {};

	mana_port_get_stats(shim_port_of(netdev), &port);
	stats->rx_packets = port.rx_packets;
	stats->rx_bytes = port.rx_bytes;
	stats->rx_errors = port.rx_errors;
	stats->rx_dropped = port.rx_dropped;
	stats->rx_missed_errors = port.rx_missed;
	stats->rx_length_errors = port.rx_length_errors;
	stats->tx_packets = port.tx_packets;
	stats->tx_bytes = port.tx_bytes;
	stats->tx_errors = port.tx_errors;
	stats->tx_dropped = port.tx_dropped;
}

static void mana_ndo_tx_timeout(struct net_device *netdev, unsigned int queue)
{
	mana_port_tx_timeout(shim_port_of(netdev), queue);
}

static int mana_ndo_bpf(struct net_device *netdev, struct netdev_bpf *command)
{
	switch (command->command) {
	case XDP_SETUP_PROG:
		return mana_port_set_xdp(shim_port_of(netdev), command->prog, command->extack);
	case XDP_SETUP_PROG_HW:
		shim_refuse(command->extack,
			    "The device runs no XDP programs; the driver does (xdpdrv).");
		return -EOPNOTSUPP;
	default:
		return -EOPNOTSUPP;
	}
}

static int mana_ndo_xdp_xmit(struct net_device *netdev, int count, struct xdp_frame **frames,
			     u32 flags)
{
	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	return mana_port_xdp_transmit(shim_port_of(netdev), count, frames, flags & XDP_XMIT_FLUSH);
}

/* No ndo_set_mac_address: the address is the device's, and nothing can change it. */
static const struct net_device_ops mana_netdev_ops = {
	.ndo_open = mana_ndo_open,
	.ndo_stop = mana_ndo_stop,
	.ndo_start_xmit = mana_ndo_start_xmit,
	.ndo_features_check = mana_ndo_features_check,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = mana_ndo_change_mtu,
	.ndo_get_stats64 = mana_ndo_get_stats64,
	.ndo_tx_timeout = mana_ndo_tx_timeout,
	.ndo_bpf = mana_ndo_bpf,
	.ndo_xdp_xmit = mana_ndo_xdp_xmit,
};

void shim_set_netdev_ops(struct net_device *netdev)
{
	netdev->netdev_ops = &mana_netdev_ops;
}
