/* SPDX-License-Identifier: GPL-2.0 */
/* Between netdev.c and the files with the op tables; after <linux/netdevice.h>. */
#ifndef SHIM_OPS_H
#define SHIM_OPS_H

struct mana_port;

/* The private area of a netdev. */
struct mana_netdev {
	struct mana_port *port;
};

static inline struct mana_port *shim_port_of(const struct net_device *netdev)
{
	const struct mana_netdev *priv = netdev_priv(netdev);

	return priv->port;
}

void shim_set_netdev_ops(struct net_device *netdev);
void shim_set_ethtool_ops(struct net_device *netdev);
void shim_set_stat_ops(struct net_device *netdev);

#endif
