// SPDX-License-Identifier: GPL-2.0
/* DMA memory and mappings: include/shim/dma.h. */

#include <linux/dma-mapping.h>
#include <linux/skbuff.h>
#include <linux/swiotlb.h>

#include "shim/dma.h"

static u64 checked(struct device *dev, dma_addr_t address)
{
	return dma_mapping_error(dev, address) ? SHIM_DMA_ERROR : address;
}

void *shim_dma_alloc(struct device *dev, size_t bytes, u64 *address)
{
	dma_addr_t dma = 0;
	void *memory = dma_alloc_coherent(dev, bytes, &dma, GFP_KERNEL);

	*address = dma;
	return memory;
}

void shim_dma_free(struct device *dev, size_t bytes, void *memory, u64 address)
{
	dma_free_coherent(dev, bytes, memory, address);
}

u64 shim_dma_map(struct device *dev, const void *memory, u32 bytes)
{
	return checked(dev, dma_map_page(dev, virt_to_page(memory), offset_in_page(memory), bytes,
					 DMA_TO_DEVICE));
}

u64 shim_dma_map_frag(struct device *dev, struct sk_buff *skb, u32 index, u32 offset, u32 bytes)
{
	return checked(dev, skb_frag_dma_map(dev, &skb_shinfo(skb)->frags[index], offset, bytes,
					     DMA_TO_DEVICE));
}

void shim_dma_unmap(struct device *dev, u64 address, u32 bytes)
{
	dma_unmap_page(dev, address, bytes, DMA_TO_DEVICE);
}

bool shim_dma_needs_sync(struct device *dev)
{
	return dma_dev_need_sync(dev);
}

bool shim_dma_will_sync(struct device *dev)
{
	return dma_dev_need_sync(dev) || is_swiotlb_force_bounce(dev);
}

void shim_dma_sync_for_device(struct device *dev, u64 address, u32 bytes, bool bidirectional)
{
	dma_sync_single_for_device(dev, address, bytes,
				   bidirectional ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE);
}

void shim_dma_sync_for_cpu(struct device *dev, u64 address, u32 bytes, bool bidirectional)
{
	dma_sync_single_for_cpu(dev, address, bytes,
				bidirectional ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE);
}
