// SPDX-License-Identifier: GPL-2.0
/* DMA memory and mappings: include/shim/dma.h. */

#include <linux/cc_platform.h>
#include <linux/dma-mapping.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "shim/dma.h"

static u64 checked(struct device *dev, dma_addr_t address)
{
	return dma_mapping_error(dev, address) ? SHIM_DMA_ERROR : address;
}

void *shim_dma_alloc(struct device *dev, size_t bytes, u64 *address)
{
	gfp_t gfp = bytes > SHIM_DMA_EASY ? GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN : GFP_KERNEL;
	dma_addr_t dma = 0;
	void *memory = dma_alloc_coherent(dev, bytes, &dma, gfp);

	*address = dma;
	return memory;
}

void shim_dma_free(struct device *dev, size_t bytes, void *memory, u64 address)
{
	dma_free_coherent(dev, bytes, memory, address);
}

/* The pages of one allocation are in the kernel's own mapping of memory: an IOMMU is told not to
 * make another, which it would for memory that it scatters by itself. */
static void *alloc_page_of_ring(struct device *dev, u64 *address)
{
	dma_addr_t dma = 0;
	void *page = dma_alloc_attrs(dev, PAGE_SIZE, &dma, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS);

	*address = dma;
	return page;
}

static void free_page_of_ring(struct device *dev, struct page *page, u64 address)
{
	dma_free_attrs(dev, PAGE_SIZE, page_address(page), address, DMA_ATTR_FORCE_CONTIGUOUS);
}

/* Guests with encrypted memory share with the device what is not. */
static pgprot_t protection_of_ring(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT) ? pgprot_decrypted(PAGE_KERNEL)
							  : PAGE_KERNEL;
}

void *shim_dma_alloc_pages(struct device *dev, size_t bytes, u64 *addresses)
{
	u32 count = bytes >> PAGE_SHIFT, i;
	struct page **pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	void *memory = NULL;

	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		void *page = alloc_page_of_ring(dev, &addresses[i]);

		if (!page)
			break;
		pages[i] = virt_to_page(page);
	}
	if (i == count)
		memory = vmap(pages, count, VM_MAP, protection_of_ring());
	if (!memory)
		while (i--)
			free_page_of_ring(dev, pages[i], addresses[i]);
	kvfree(pages);
	return memory;
}

void shim_dma_free_pages(struct device *dev, size_t bytes, void *memory, const u64 *addresses)
{
	u32 count = bytes >> PAGE_SHIFT, i;

	for (i = 0; i < count; i++)
		free_page_of_ring(dev, vmalloc_to_page(memory + i * PAGE_SIZE), addresses[i]);
	vunmap(memory);
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
