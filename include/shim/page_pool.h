/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page pools. A pool belongs to one NAPI: alloc() and recycle_direct() only in that NAPI's poll, or
 * in process context while that NAPI is disabled.
 */
#ifndef SHIM_PAGE_POOL_H
#define SHIM_PAGE_POOL_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_page_pool_config {
	struct device *dev;
	struct net_device *netdev;
	struct napi_struct *napi;
	u32 order;       /* pages are 4 KiB << order */
	u32 size;        /* entries of the recycling ring: the queue's number of buffers */
	int node;        /* NUMA node */
	u32 sync_offset; /* bytes of a page that the device never writes, at its start */
	u32 sync_length; /* bytes that it may write after those */
	bool bidirectional; /* the device also reads the pages (XDP_TX) */
};

/* A pool that maps its pages for DMA. 0 and *pool, or a negative errno. Process context. */
int shim_page_pool_create(const struct shim_page_pool_config *config, struct page_pool **pool);

/* Drops the owner's reference; pages still in flight are waited for in the background. */
void shim_page_pool_destroy(struct page_pool *pool);

/* Ends recycling through the pool's NAPI, which goes away before the pool. The NAPI is disabled. */
void shim_page_pool_unlink_napi(struct page_pool *pool);

/* A page (of the pool's order), mapped; NULL without memory. Does not sleep, whatever the context.
 */
struct page *shim_page_pool_alloc(struct page_pool *pool);

/* Divides a page that alloc() just gave into shares, each of which goes back by itself. */
void shim_page_pool_split(struct page *page, u32 shares);

/* Gives a page, or one share of it, back to the pool. put(): any context. */
void shim_page_pool_put(struct page_pool *pool, struct page *page);
void shim_page_pool_recycle_direct(struct page_pool *pool, struct page *page);

/* put() or recycle_direct() to whichever pool the page came from. */
void shim_page_pool_return(struct page *page, bool direct);

void *shim_page_address(struct page *page);
struct page *shim_page_of(const void *address);
u64 shim_page_pool_dma(struct page *page);

/* What the kernel counts of a pool if it was configured to (CONFIG_PAGE_POOL_STATS); the names are
 * those of its statistics. */
struct shim_page_pool_stats {
	u64 alloc_fast;
	u64 alloc_slow;
	u64 alloc_slow_high_order;
	u64 alloc_empty;
	u64 alloc_refill;
	u64 alloc_waive;
	u64 recycle_cached;
	u64 recycle_cache_full;
	u64 recycle_ring;
	u64 recycle_ring_full;
	u64 recycle_released_refcnt;
};
bool shim_page_pool_counts(void);
/* Adds a pool's counters to *stats, or nothing if the kernel does not count. Process context. */
void shim_page_pool_add_stats(const struct page_pool *pool, struct shim_page_pool_stats *stats);

/* Pages that the pool took from the page allocator, and gave back to it, since its creation
 * (modulo 2^32). Their difference is what is cached or in flight. Any context. */
u32 shim_page_pool_taken(const struct page_pool *pool);
u32 shim_page_pool_released(const struct page_pool *pool);

SHIM_END

#endif
