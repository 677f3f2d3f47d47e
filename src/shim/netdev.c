// SPDX-License-Identifier: GPL-2.0
/* Network devices: include/shim/netdev.h. */

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/pci.h>
#include <linux/rtnetlink.h>
#include <net/xdp.h>

#include "ops.h"
#include "shim/netdev.h"
#include "shim/xdp.h"

/* What the user may switch; the rest of `features` is how the device works. */
#define USER_FEATURES                                                                              \
	(NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |           \
	 NETIF_F_RXCSUM | NETIF_F_RXHASH | NETIF_F_HW_VLAN_CTAG_TX)

/* The device strips VLAN tags always. */
#define FIXED_FEATURES (NETIF_F_HIGHDMA | NETIF_F_HW_VLAN_CTAG_RX)

#define VLAN_FEATURES                                                                              \
	(NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |           \
	 NETIF_F_RXCSUM | NETIF_F_HIGHDMA)

#define TX_TIMEOUT (15 * HZ)

/* --- life --- */

struct net_device *shim_netdev_create(const struct shim_netdev_config *config)
{
	struct net_device *netdev;
	struct mana_netdev *priv;

	netdev = alloc_etherdev_mqs(sizeof(*priv), config->max_queues, config->max_queues);
	if (!netdev)
		return NULL;

	priv = netdev_priv(netdev);
	priv->port = config->port;

	SET_NETDEV_DEV(netdev, &config->pdev->dev);
	shim_set_netdev_ops(netdev);
	shim_set_ethtool_ops(netdev);
	shim_set_stat_ops(netdev);
	shim_set_xdp_hints(netdev);

	netdev->dev_port = config->index;
	netdev->min_mtu = config->min_mtu;
	netdev->max_mtu = config->max_mtu;
	netdev->watchdog_timeo = TX_TIMEOUT;
	eth_hw_addr_set(netdev, config->mac);

	netdev->hw_features = USER_FEATURES;
	netdev->features = USER_FEATURES | FIXED_FEATURES;
	netdev->vlan_features = VLAN_FEATURES;
	xdp_set_features_flag(netdev, NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT);

	netif_carrier_off(netdev);
	return netdev;
}

void shim_netdev_destroy(struct net_device *netdev)
{
	free_netdev(netdev);
}

int shim_netdev_register(struct net_device *netdev)
{
	return register_netdev(netdev);
}

void shim_netdev_unregister(struct net_device *netdev)
{
	unregister_netdev(netdev);
}

const char *shim_netdev_name(const struct net_device *netdev)
{
	return netdev_name(netdev);
}

bool shim_netdev_running(const struct net_device *netdev)
{
	return netif_running(netdev);
}

void shim_netdev_set_mtu(struct net_device *netdev, u32 mtu)
{
	WRITE_ONCE(netdev->mtu, mtu);
}

int shim_netdev_set_queues(struct net_device *netdev, u32 count)
{
	return netif_set_real_num_queues(netdev, count, count);
}

void shim_netdev_set_redirect_target(struct net_device *netdev, bool on)
{
	if (on)
		xdp_features_set_redirect_target(netdev, true);
	else
		xdp_features_clear_redirect_target(netdev);
}

void shim_netdev_set_rx_frags(struct net_device *netdev, bool on)
{
	xdp_features_t features = netdev->xdp_features & ~NETDEV_XDP_ACT_RX_SG;

	xdp_set_features_flag(netdev, on ? features | NETDEV_XDP_ACT_RX_SG : features);
}

void shim_netdev_detach(struct net_device *netdev)
{
	netif_device_detach(netdev);
}

void shim_netdev_attach(struct net_device *netdev)
{
	netif_device_attach(netdev);
}

void shim_netdev_set_limits(struct net_device *netdev, u32 max_mtu, const u8 mac[6])
{
	netdev->max_mtu = max_mtu;
	eth_hw_addr_set(netdev, mac);
}

void shim_netdev_carrier_on(struct net_device *netdev)
{
	netif_carrier_on(netdev);
}

void shim_netdev_carrier_off(struct net_device *netdev)
{
	netif_carrier_off(netdev);
}

void shim_rtnl_lock(void)
{
	rtnl_lock();
}

bool shim_rtnl_lock_killable(void)
{
	return rtnl_lock_killable() == 0;
}

void shim_rtnl_unlock(void)
{
	rtnl_unlock();
}

void shim_synchronize_net(void)
{
	synchronize_net();
}

bool shim_netdev_rx_checksum(const struct net_device *netdev)
{
	return netdev->features & NETIF_F_RXCSUM;
}

bool shim_netdev_rx_hash(const struct net_device *netdev)
{
	return netdev->features & NETIF_F_RXHASH;
}

/* --- transmit queues --- */

struct netdev_queue *shim_txq(struct net_device *netdev, u32 index)
{
	return netdev_get_tx_queue(netdev, index);
}

/* Wakes and not only starts: packets may have gathered since the queues were disabled. */
void shim_netdev_tx_start(struct net_device *netdev)
{
	netif_tx_wake_all_queues(netdev);
}

void shim_netdev_tx_disable(struct net_device *netdev)
{
	netif_tx_disable(netdev);
}

/* Inlined: on the path of each packet, with more than one caller. */
__attribute__((__always_inline__)) bool shim_txq_sent(struct netdev_queue *txq, u32 bytes,
						      bool more)
{
	return __netdev_tx_sent_queue(txq, bytes, more);
}

void shim_txq_completed(struct netdev_queue *txq, u32 packets, u32 bytes)
{
	netdev_tx_completed_queue(txq, packets, bytes);
}

void shim_txq_reset(struct netdev_queue *txq)
{
	netdev_tx_reset_queue(txq);
}

bool shim_xmit_more(void)
{
	return netdev_xmit_more();
}

void shim_txq_stop(struct netdev_queue *txq)
{
	netif_tx_stop_queue(txq);
	/*
	 * Orders the stop bit, and the ring's head before it, before the caller's second look at
	 * the tail. Pairs with shim_txq_wake_if_stopped().
	 */
	smp_mb__after_atomic();
}

void shim_txq_start(struct netdev_queue *txq)
{
	netif_tx_start_queue(txq);
}

bool shim_txq_wake_if_stopped(struct netdev_queue *txq)
{
	/* Orders the caller's new tail before the look at the stop bit. Pairs with shim_txq_stop().
	 */
	smp_mb();
	if (likely(!netif_tx_queue_stopped(txq)))
		return false;
	netif_tx_wake_queue(txq);
	return true;
}

bool shim_txq_stopped(const struct netdev_queue *txq)
{
	return netif_tx_queue_stopped(txq);
}

void shim_txq_lock(struct netdev_queue *txq)
{
	__netif_tx_lock(txq, smp_processor_id());
}

void shim_txq_unlock(struct netdev_queue *txq)
{
	__netif_tx_unlock(txq);
}

void shim_txq_touch(struct netdev_queue *txq)
{
	txq_trans_cond_update(txq);
}

u32 shim_this_cpu(void)
{
	return smp_processor_id();
}

void shim_refuse(struct netlink_ext_ack *ack, const char *sentence)
{
	do_trace_netlink_extack(sentence);
	if (ack)
		ack->_msg = sentence;
}
