// SPDX-License-Identifier: GPL-2.0
/* The page pools of a netdev: pools.h. */

#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <net/netdev_rx_queue.h>
#include <net/page_pool/helpers.h>

#include "kunit/shim/pools.h"

static int queue_of(const struct net_device *netdev, const struct napi_struct *napi)
{
	for (u32 i = 0; napi && i < netdev->real_num_rx_queues; i++)
		if (netdev->_rx[i].napi == napi)
			return i;
	return -1;
}

u32 kunit_pools(struct net_device *netdev)
{
	struct page_pool *pool;
	u32 count = 0;

	rtnl_lock();
	hlist_for_each_entry(pool, &netdev->page_pools, user.list) count++;
	rtnl_unlock();
	return count;
}

/* What was consumed stays in the ring for a while; it lies between tail and head. */
static u32 in_ring(const struct ptr_ring *ring)
{
	int stale = READ_ONCE(ring->consumer_head) - READ_ONCE(ring->consumer_tail);
	u32 count = 0;

	for (int i = 0; i < ring->size; i++)
		count += READ_ONCE(ring->queue[i]) != NULL;
	return count - (stale < 0 ? stale + ring->size : stale);
}

static void look(const struct net_device *netdev, const struct page_pool *from,
		 struct kunit_pool *pool)
{
	struct page_pool_stats stats = {};

	page_pool_get_stats(from, &stats);
	*pool = (struct kunit_pool){
		.id = from->user.id,
		.ended = from->user.detach_time,
		.queue = queue_of(netdev, READ_ONCE(from->p.napi)),
		.napi_id = from->p.napi ? from->p.napi->napi_id : 0,
		.dev = from->p.dev,
		.node = from->p.nid,
		.size = from->p.pool_size,
		.order = from->p.order,
		.sync_offset = from->p.offset,
		.sync_bytes = from->p.max_len,
		.maps = from->slow.flags & PP_FLAG_DMA_MAP,
		.syncs = from->slow.flags & PP_FLAG_DMA_SYNC_DEV,
		.bidirectional = from->p.dma_dir == DMA_BIDIRECTIONAL,
		.memory_id = from->xdp_mem_id,
		.taken = READ_ONCE(from->pages_state_hold_cnt),
		.released = atomic_read(&from->pages_state_release_cnt),
		.fast = stats.alloc_stats.fast,
		.slow = stats.alloc_stats.slow + stats.alloc_stats.slow_high_order,
		.cached = stats.recycle_stats.cached,
		.ringed = stats.recycle_stats.ring,
		.overflowed = stats.recycle_stats.ring_full,
		.shared = stats.recycle_stats.released_refcnt,
	};
	pool->in_flight = (int)(pool->taken - pool->released);
	pool->stored = READ_ONCE(from->alloc.count);
	pool->stored += in_ring(&from->ring);
}

bool kunit_pool_look(struct net_device *netdev, u32 index, struct kunit_pool *to)
{
	struct page_pool *pool;
	u32 count = 0, i = 0;

	rtnl_lock();
	/* The newest comes first there. */
	hlist_for_each_entry(pool, &netdev->page_pools, user.list) count++;
	hlist_for_each_entry(pool, &netdev->page_pools, user.list)
	{
		if (++i + index == count)
			look(netdev, pool, to);
	}
	rtnl_unlock();
	return index < count;
}

bool kunit_no_pools_left(u32 milliseconds)
{
	/* They move there when their netdev goes. */
	const struct hlist_head *left = &init_net.loopback_dev->page_pools;

	for (u32 waited = 0; !hlist_empty(left); waited += 100) {
		if (waited >= milliseconds)
			return false;
		msleep(100);
	}
	return true;
}
