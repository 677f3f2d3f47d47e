// SPDX-License-Identifier: GPL-2.0
/* Page pools: include/shim/page_pool.h. */

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <net/netmem.h>
#include <net/page_pool/helpers.h>

#include "shim/page_pool.h"

int shim_page_pool_create(const struct shim_page_pool_config *config, struct page_pool **pool)
{
	const struct page_pool_params params = {
		.order = config->order,
		.pool_size = config->size,
		.nid = config->node,
		.dev = config->dev,
		.napi = config->napi,
		.dma_dir = config->bidirectional ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE,
		.max_len = config->sync_length,
		.offset = config->sync_offset,
		.netdev = config->netdev,
		.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV,
	};

	*pool = page_pool_create(&params);
	return PTR_ERR_OR_ZERO(*pool);
}

void shim_page_pool_destroy(struct page_pool *pool)
{
	page_pool_destroy(pool);
}

void shim_page_pool_unlink_napi(struct page_pool *pool)
{
	page_pool_disable_direct_recycling(pool);
}

/*
 * Not GFP_KERNEL even where one could sleep: the pool keeps its mappings in an index, and would
 * sleep for the index's memory with softirqs off.
 */
struct page *shim_page_pool_alloc(struct page_pool *pool)
{
	/* What two calls would do as well; a kernel that counts them is asked. */
	if (!IS_ENABLED(CONFIG_PAGE_POOL_STATS) && likely(pool->alloc.count))
		return netmem_to_page(pool->alloc.cache[--pool->alloc.count]);

	return page_pool_alloc_pages(pool, GFP_ATOMIC | __GFP_NOWARN);
}

void shim_page_pool_split(struct page *page, u32 shares)
{
	page_pool_fragment_page(page, shares);
}

void shim_page_pool_put(struct page_pool *pool, struct page *page)
{
	page_pool_put_full_page(pool, page, false);
}

void shim_page_pool_recycle_direct(struct page_pool *pool, struct page *page)
{
	page_pool_recycle_direct(pool, page);
}

void shim_page_pool_return(struct page *page, bool direct)
{
	page_pool_put_full_page(page->pp, page, direct);
}

void *shim_page_address(struct page *page)
{
	return page_address(page);
}

struct page *shim_page_of(const void *address)
{
	return virt_to_head_page(address);
}

u64 shim_page_pool_dma(struct page *page)
{
	return page_pool_get_dma_addr(page);
}

u32 shim_page_pool_taken(const struct page_pool *pool)
{
	return READ_ONCE(pool->pages_state_hold_cnt);
}

u32 shim_page_pool_released(const struct page_pool *pool)
{
	return atomic_read(&pool->pages_state_release_cnt);
}

#ifdef CONFIG_PAGE_POOL_STATS

bool shim_page_pool_counts(void)
{
	return true;
}

void shim_page_pool_add_stats(const struct page_pool *pool, struct shim_page_pool_stats *stats)
{
	struct page_pool_stats kernel = {};

	page_pool_get_stats(pool, &kernel);
	stats->alloc_fast += kernel.alloc_stats.fast;
	stats->alloc_slow += kernel.alloc_stats.slow;
	stats->alloc_slow_high_order += kernel.alloc_stats.slow_high_order;
	stats->alloc_empty += kernel.alloc_stats.empty;
	stats->alloc_refill += kernel.alloc_stats.refill;
	stats->alloc_waive += kernel.alloc_stats.waive;
	stats->recycle_cached += kernel.recycle_stats.cached;
	stats->recycle_cache_full += kernel.recycle_stats.cache_full;
	stats->recycle_ring += kernel.recycle_stats.ring;
	stats->recycle_ring_full += kernel.recycle_stats.ring_full;
	stats->recycle_released_refcnt += kernel.recycle_stats.released_refcnt;
}

#else

bool shim_page_pool_counts(void)
{
	return false;
}

void shim_page_pool_add_stats(const struct page_pool *pool, struct shim_page_pool_stats *stats)
{
}

#endif
