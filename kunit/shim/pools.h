/* SPDX-License-Identifier: GPL-2.0 */
/* The page pools of a netdev, as the kernel keeps them. Process context. */
#ifndef KUNIT_POOLS_H
#define KUNIT_POOLS_H

#include "shim/types.h"

SHIM_BEGIN

struct kunit_pool {
	u32 id;
	bool ended; /* destroyed by its owner; waits for pages */
	int queue; /* whose NAPI it has; -1: of none of the netdev */
	u32 napi_id;

	/* as created */
	const struct device *dev;
	int node;
	u32 size;
	u32 order;
	u32 sync_offset;
	u32 sync_bytes;
	bool maps;
	bool syncs;
	bool bidirectional;
	u32 memory_id; /* of its XDP memory model; 0: none */

	/* in pages */
	u32 taken;
	u32 released;
	int in_flight; /* those that lie in the pool's own stores too */
	u32 stored; /* in the pool, ready to be used again */

	/* allocations: from the stores, and not; in bulk the latter counts once */
	u64 fast;
	u64 slow;
	/* pages that came back: into the cache of the NAPI, into the ring; and not, because the
	 * ring was full or because somebody else held the page */
	u64 cached;
	u64 ringed;
	u64 overflowed;
	u64 shared;
};

/* Pools of the netdev, and the n-th of them, the oldest first. Nobody may return the last page of
 * an ended pool meanwhile. */
u32 kunit_pools(struct net_device *netdev);
bool kunit_pool_look(struct net_device *netdev, u32 index, struct kunit_pool *pool);

/* Waits until no pool is left whose netdev is gone, at most `milliseconds`: if that is so. */
bool kunit_no_pools_left(u32 milliseconds);

SHIM_END

#endif
