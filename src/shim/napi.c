// SPDX-License-Identifier: GPL-2.0
/* NAPI contexts: include/shim/napi.h. */

#include <linux/bottom_half.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "shim/entry.h"
#include "shim/napi.h"

struct mana_napi {
	struct napi_struct napi;
	struct mana_channel *channel;
	struct rcu_head rcu;
};

static int mana_napi_poll(struct napi_struct *napi, int budget)
{
	struct mana_napi *self = container_of(napi, struct mana_napi, napi);

	return mana_channel_poll(self->channel, budget);
}

struct napi_struct *shim_napi_create(struct net_device *netdev, struct mana_channel *channel)
{
	struct mana_napi *self = kzalloc(sizeof(*self), GFP_KERNEL);

	if (!self)
		return NULL;
	self->channel = channel;
	netif_napi_add(netdev, &self->napi, mana_napi_poll);
	return &self->napi;
}

void shim_napi_destroy(struct napi_struct *napi)
{
	/* Freed after a grace period, when nobody who found it under RCU is left; waiting for one
	 * here would cost a port as many grace periods as it has queues. Until then it is disabled,
	 * so that nobody polls it. */
	__netif_napi_del(napi);
	kfree_rcu(container_of(napi, struct mana_napi, napi), rcu);
}

void shim_napi_link(struct napi_struct *napi, u32 queue, int irq)
{
	netif_napi_set_irq(napi, irq);
	netif_queue_set_napi(napi->dev, queue, NETDEV_QUEUE_TYPE_RX, napi);
	netif_queue_set_napi(napi->dev, queue, NETDEV_QUEUE_TYPE_TX, napi);
}

void shim_napi_unlink(struct napi_struct *napi, u32 queue)
{
	netif_queue_set_napi(napi->dev, queue, NETDEV_QUEUE_TYPE_RX, NULL);
	netif_queue_set_napi(napi->dev, queue, NETDEV_QUEUE_TYPE_TX, NULL);
	netif_napi_set_irq(napi, -1);
}

void shim_napi_enable(struct napi_struct *napi)
{
	napi_enable(napi);
}

void shim_napi_disable(struct napi_struct *napi)
{
	napi_disable(napi);
}

void shim_napi_schedule_irq(struct napi_struct *napi)
{
	napi_schedule_irqoff(napi);
}

void shim_napi_schedule(struct napi_struct *napi)
{
	/* Enabling bottom halves again is what runs the poll at once. */
	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
}

bool shim_napi_complete(struct napi_struct *napi, int work_done)
{
	return napi_complete_done(napi, work_done);
}

void shim_napi_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	napi_gro_receive(napi, skb);
}
