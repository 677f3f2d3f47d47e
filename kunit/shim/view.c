// SPDX-License-Identifier: GPL-2.0
/* What a netdev says about itself: view.h. */

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

#include "kunit/shim/view.h"

static const struct {
	u32 offload;
	netdev_features_t bits;
} offloads[] = {
	{KUNIT_SG, NETIF_F_SG},
	{KUNIT_IPV4_CHECKSUM, NETIF_F_IP_CSUM},
	{KUNIT_IPV6_CHECKSUM, NETIF_F_IPV6_CSUM},
	{KUNIT_TSO4, NETIF_F_TSO},
	{KUNIT_TSO6, NETIF_F_TSO6},
	{KUNIT_RX_CHECKSUM, NETIF_F_RXCSUM},
	{KUNIT_RX_HASH, NETIF_F_RXHASH},
	{KUNIT_VLAN_TX, NETIF_F_HW_VLAN_CTAG_TX},
	{KUNIT_VLAN_RX, NETIF_F_HW_VLAN_CTAG_RX},
	{KUNIT_HIGHDMA, NETIF_F_HIGHDMA},
	/* What the stack itself does before the driver is asked is not the driver's. */
	{KUNIT_OTHER_SEGMENTATION,
	 NETIF_F_GSO_MASK & ~(NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_GSO_SOFTWARE)},
	{KUNIT_FRAGMENT_LIST, NETIF_F_FRAGLIST},
	{KUNIT_LRO, NETIF_F_LRO | NETIF_F_GRO_HW},
	{KUNIT_VLAN_FILTER, NETIF_F_HW_VLAN_CTAG_FILTER},
	{KUNIT_SERVICE_VLAN, NETIF_F_HW_VLAN_STAG_TX | NETIF_F_HW_VLAN_STAG_RX},
};

static u32 offloads_in(netdev_features_t features)
{
	u32 all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		if (features & offloads[i].bits)
			all |= offloads[i].offload;
	return all;
}

void kunit_netdev_look(struct net_device *netdev, struct kunit_view *view)
{
	*view = (struct kunit_view){
		.port = netdev->dev_port,
		.mtu = READ_ONCE(netdev->mtu),
		.min_mtu = netdev->min_mtu,
		.max_mtu = netdev->max_mtu,
		.queues_made = netdev->num_tx_queues,
		.tx_queues = netdev->real_num_tx_queues,
		.rx_queues = netdev->real_num_rx_queues,
		.features = offloads_in(netdev->features),
		.switchable = offloads_in(netdev->hw_features),
		.vlan_features = offloads_in(netdev->vlan_features),
		.present = netif_device_present(netdev),
		.in_init_net = net_eq(dev_net(netdev), &init_net),
	};
	memcpy(view->mac, netdev->dev_addr, sizeof(view->mac));
}

void kunit_set_offload(struct net_device *netdev, enum kunit_offload offload, bool on)
{
	rtnl_lock();
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		if (offloads[i].offload != offload)
			continue;
		if (on)
			netdev->wanted_features |= offloads[i].bits;
		else
			netdev->wanted_features &= ~offloads[i].bits;
	}
	netdev_update_features(netdev);
	rtnl_unlock();
}

int kunit_set_mac(struct net_device *netdev, const u8 mac[6])
{
	struct sockaddr address = {.sa_family = netdev->type};
	int error;

	memcpy(address.sa_data, mac, 6);
	rtnl_lock();
	error = dev_set_mac_address(netdev, &address, NULL);
	rtnl_unlock();
	return error;
}

bool kunit_queue_full(struct net_device *netdev, u32 queue)
{
	return netif_tx_queue_stopped(netdev_get_tx_queue(netdev, queue));
}

void kunit_queue_lift_limit(struct net_device *netdev, u32 queue)
{
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, queue);

	__netif_tx_lock_bh(txq);
	txq->dql.min_limit = txq->dql.max_limit;
	txq->dql.limit = txq->dql.max_limit;
	txq->dql.adj_limit = txq->dql.num_completed + txq->dql.limit;
	clear_bit(__QUEUE_STATE_STACK_XOFF, &txq->state);
	__netif_tx_unlock_bh(txq);
}
