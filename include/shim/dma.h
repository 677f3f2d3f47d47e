/* SPDX-License-Identifier: GPL-2.0 */
/* DMA memory and mappings. */
#ifndef SHIM_DMA_H
#define SHIM_DMA_H

#include "shim/types.h"

SHIM_BEGIN

#define SHIM_DMA_ERROR (~0ull)

/* Zeroed, page aligned, coherent memory; NULL if there is none. Process context; the caller owns
 * it. Of more than SHIM_DMA_EASY bytes the kernel is not pressed for what it does not have. */
#define SHIM_DMA_EASY (32u << 10)
void *shim_dma_alloc(struct device *dev, size_t bytes, u64 *address);
void shim_dma_free(struct device *dev, size_t bytes, void *memory, u64 address);

/* The same made of single pages: in one piece for the CPU, for the device where addresses[] says,
 * one for each 4096 of `bytes`, which is a multiple of that. */
void *shim_dma_alloc_pages(struct device *dev, size_t bytes, u64 *addresses);
void shim_dma_free_pages(struct device *dev, size_t bytes, void *memory, const u64 *addresses);

/* Maps kernel memory (not vmalloc's) for the device to read. Any context. SHIM_DMA_ERROR on
 * failure. */
u64 shim_dma_map(struct device *dev, const void *memory, u32 bytes);

/* Maps bytes [offset, offset + bytes) of fragment `index` of an skb for the device to read. */
u64 shim_dma_map_frag(struct device *dev, struct sk_buff *skb, u32 index, u32 offset, u32 bytes);

/* Ends shim_dma_map() or shim_dma_map_frag(). */
void shim_dma_unmap(struct device *dev, u64 address, u32 bytes);

/* Whether the syncs below do anything: data bounces, or caches do not see the device. Any context.
 * It can become true when something is mapped, never false again. */
bool shim_dma_needs_sync(struct device *dev);
/* Whether that is to be expected, also before anything was mapped. */
bool shim_dma_will_sync(struct device *dev);

/* Hand a part of a mapping over, to the device or to the CPU. Any context. */
void shim_dma_sync_for_device(struct device *dev, u64 address, u32 bytes, bool bidirectional);
void shim_dma_sync_for_cpu(struct device *dev, u64 address, u32 bytes, bool bidirectional);

SHIM_END

#endif
