// SPDX-License-Identifier: GPL-2.0
/* The IOMMU of a function in software: iommu.h. */

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <asm/pci.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/faults.h"
#include "kunit/shim/function_internal.h"
#include "kunit/shim/iommu.h"

/* More than 32 bits, so that every half of an address counts. */
#define FIRST_ADDRESS 0x123400000000ull
#define GRANULE 64
#define POISON 0xa5

struct mapping {
	u64 address;
	size_t bytes;
	void *memory; /* the CPU's */
	void *copy; /* the device's; the same as memory if coherent */
	enum dma_data_direction direction;
	bool coherent;
	struct list_head spare;
	unsigned long cpu_owned[]; /* bit n: granule n is the CPU's */
};

struct kunit_iommu {
	spinlock_t lock; /* inside the function's */
	struct xarray frames; /* mapping of each 4 KiB of addresses */
	u64 next;
	/* Of streaming mappings that are gone, with copies of a page each: allocating is what takes
	 * longest here, because KASAN and kmemleak remember the stack every time. */
	struct list_head spare;
	u32 coherent;
	u32 streaming;
	u32 fail_in;
	size_t largest; /* coherent, in one piece; 0: any */
	bool fail_all;
	bool faults_allowed;
	u64 faults;
	struct kunit_dma_calls calls;
};

static struct kunit_iommu *iommu_of(struct device *dev)
{
	return kunit_function_of(to_pci_dev(dev))->iommu;
}

static u64 first_frame(const struct mapping *mapping)
{
	return mapping->address >> PAGE_SHIFT;
}

static u64 last_frame(const struct mapping *mapping)
{
	return (mapping->address + mapping->bytes - 1) >> PAGE_SHIFT;
}

static void erase(struct kunit_iommu *iommu, struct mapping *mapping, u64 end)
{
	for (u64 frame = first_frame(mapping); frame < end; frame++)
		xa_erase(&iommu->frames, frame);
}

/* Under the lock, as everything below that has no other comment. */
static bool insert(struct kunit_iommu *iommu, struct mapping *mapping, u32 offset)
{
	u32 paused = kunit_faults_pause();
	u64 frame;

	mapping->address = iommu->next + offset;
	for (frame = first_frame(mapping); frame <= last_frame(mapping); frame++) {
		if (xa_err(xa_store(&iommu->frames, frame, mapping, GFP_ATOMIC))) {
			erase(iommu, mapping, frame);
			kunit_faults_resume(paused);
			return false;
		}
	}
	kunit_faults_resume(paused);
	/* A frame that is never mapped between any two. */
	iommu->next = (last_frame(mapping) + 2) << PAGE_SHIFT;
	return true;
}

static struct mapping *find(struct kunit_iommu *iommu, u64 address, u64 bytes)
{
	struct mapping *mapping = xa_load(&iommu->frames, address >> PAGE_SHIFT);

	if (!mapping || address < mapping->address || bytes > mapping->bytes ||
	    address - mapping->address > mapping->bytes - bytes)
		return NULL;
	return mapping;
}

static struct mapping *new_mapping(size_t bytes, gfp_t gfp)
{
	struct mapping *mapping;
	size_t longs = BITS_TO_LONGS(DIV_ROUND_UP(bytes, GRANULE));
	u32 paused = kunit_faults_pause();

	mapping = kzalloc(struct_size(mapping, cpu_owned, longs), gfp);
	kunit_faults_resume(paused);
	if (mapping)
		mapping->bytes = bytes;
	return mapping;
}

static struct mapping *take_spare(struct kunit_iommu *iommu)
{
	struct mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&iommu->lock, flags);
	mapping = list_first_entry_or_null(&iommu->spare, struct mapping, spare);
	if (mapping)
		list_del(&mapping->spare);
	spin_unlock_irqrestore(&iommu->lock, flags);
	return mapping;
}

/* With a copy, and all of it the device's. */
static struct mapping *new_streaming(struct kunit_iommu *iommu, size_t bytes)
{
	size_t room = max_t(size_t, bytes, PAGE_SIZE);
	struct mapping *mapping = room == PAGE_SIZE ? take_spare(iommu) : NULL;
	u32 paused;

	if (mapping) {
		bitmap_zero(mapping->cpu_owned, PAGE_SIZE / GRANULE);
	} else {
		mapping = new_mapping(room, GFP_ATOMIC);
		if (!mapping)
			return NULL;
		paused = kunit_faults_pause();
		mapping->copy = kmalloc(room, GFP_ATOMIC);
		kunit_faults_resume(paused);
		if (!mapping->copy) {
			kfree(mapping);
			return NULL;
		}
	}
	mapping->bytes = bytes;
	memset(mapping->copy, POISON, bytes);
	return mapping;
}

/* Anything may run at the same time, except that nobody finds the mapping any more. */
static void free_streaming(struct kunit_iommu *iommu, struct mapping *mapping)
{
	unsigned long flags;

	if (mapping->bytes <= PAGE_SIZE) {
		spin_lock_irqsave(&iommu->lock, flags);
		list_add(&mapping->spare, &iommu->spare);
		spin_unlock_irqrestore(&iommu->lock, flags);
		return;
	}
	kfree(mapping->copy);
	kfree(mapping);
}

/* --- what the kernel calls --- */

static void *iommu_alloc(struct device *dev, size_t bytes, dma_addr_t *address, gfp_t gfp,
			 unsigned long attrs)
{
	struct kunit_iommu *iommu = iommu_of(dev);
	struct mapping *mapping;
	unsigned long flags;
	bool inserted;

	if (iommu->largest && bytes > iommu->largest)
		return NULL;
	mapping = new_mapping(bytes, gfp);
	if (!mapping)
		return NULL;
	mapping->coherent = true;
	mapping->direction = DMA_BIDIRECTIONAL;
	mapping->memory = alloc_pages_exact(bytes, gfp | __GFP_ZERO);
	if (!mapping->memory)
		goto free;
	mapping->copy = mapping->memory;
	spin_lock_irqsave(&iommu->lock, flags);
	inserted = insert(iommu, mapping, 0);
	iommu->coherent += inserted;
	spin_unlock_irqrestore(&iommu->lock, flags);
	if (!inserted)
		goto free_pages;
	*address = mapping->address;
	return mapping->memory;

free_pages:
	free_pages_exact(mapping->memory, bytes);
free:
	kfree(mapping);
	return NULL;
}

static void iommu_free(struct device *dev, size_t bytes, void *memory, dma_addr_t address,
		       unsigned long attrs)
{
	struct kunit_iommu *iommu = iommu_of(dev);
	struct mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&iommu->lock, flags);
	mapping = find(iommu, address, bytes);
	if (mapping && mapping->coherent && mapping->memory == memory && mapping->bytes == bytes) {
		erase(iommu, mapping, last_frame(mapping) + 1);
		iommu->coherent--;
	} else {
		mapping = NULL;
	}
	spin_unlock_irqrestore(&iommu->lock, flags);
	if (!mapping) {
		kunit_fail(__FILE__, __LINE__, "coherent memory is freed that does not exist");
		return;
	}
	free_pages_exact(memory, bytes);
	kfree(mapping);
}

static bool mapping_fails(struct kunit_iommu *iommu)
{
	if (iommu->fail_in == KUNIT_ALL_MAPPINGS)
		return true;
	return iommu->fail_all || (iommu->fail_in && --iommu->fail_in == 0);
}

static dma_addr_t map_page(struct device *dev, struct page *page, unsigned long offset,
			   size_t bytes, enum dma_data_direction direction, unsigned long attrs)
{
	struct kunit_iommu *iommu = iommu_of(dev);
	struct mapping *mapping = new_streaming(iommu, bytes);
	dma_addr_t address = DMA_MAPPING_ERROR;
	unsigned long flags;

	if (!mapping)
		return address;
	mapping->direction = direction;
	mapping->memory = page_address(page) + offset;
	if (direction != DMA_FROM_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memcpy(mapping->copy, mapping->memory, bytes);
	spin_lock_irqsave(&iommu->lock, flags);
	if (!mapping_fails(iommu) && insert(iommu, mapping, offset_in_page(offset))) {
		address = mapping->address;
		iommu->streaming++;
		iommu->calls.maps++;
	}
	spin_unlock_irqrestore(&iommu->lock, flags);
	if (address == DMA_MAPPING_ERROR)
		free_streaming(iommu, mapping);
	return address;
}

static void unmap_page(struct device *dev, dma_addr_t address, size_t bytes,
		       enum dma_data_direction direction, unsigned long attrs)
{
	struct kunit_iommu *iommu = iommu_of(dev);
	struct mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&iommu->lock, flags);
	mapping = find(iommu, address, bytes);
	if (mapping && !mapping->coherent && mapping->address == address &&
	    mapping->bytes == bytes && mapping->direction == direction) {
		erase(iommu, mapping, last_frame(mapping) + 1);
		iommu->streaming--;
		iommu->calls.unmaps++;
	} else {
		mapping = NULL;
	}
	spin_unlock_irqrestore(&iommu->lock, flags);
	if (!mapping) {
		kunit_fail(__FILE__, __LINE__, "unmapping of what is not mapped so");
		return;
	}
	if (direction != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memcpy(mapping->memory, mapping->copy, bytes);
	free_streaming(iommu, mapping);
}

static void sync(struct device *dev, dma_addr_t address, size_t bytes, bool for_cpu)
{
	struct kunit_iommu *iommu = iommu_of(dev);
	struct mapping *mapping;
	unsigned long flags;
	u32 first, last;
	u64 offset;

	spin_lock_irqsave(&iommu->lock, flags);
	mapping = find(iommu, address, bytes);
	if (!mapping || mapping->coherent)
		goto bad;
	if (!bytes)
		goto out;
	offset = address - mapping->address;
	first = offset / GRANULE;
	last = (offset + bytes - 1) / GRANULE;
	if (for_cpu) {
		iommu->calls.syncs_for_cpu++;
		if (mapping->direction != DMA_TO_DEVICE)
			memcpy(mapping->memory + offset, mapping->copy + offset, bytes);
		bitmap_set(mapping->cpu_owned, first, last - first + 1);
	} else {
		iommu->calls.syncs_for_device++;
		if (mapping->direction != DMA_FROM_DEVICE)
			memcpy(mapping->copy + offset, mapping->memory + offset, bytes);
		bitmap_clear(mapping->cpu_owned, first, last - first + 1);
	}
out:
	spin_unlock_irqrestore(&iommu->lock, flags);
	return;

bad:
	spin_unlock_irqrestore(&iommu->lock, flags);
	kunit_fail(__FILE__, __LINE__, "sync of what is not mapped so");
}

static void sync_for_cpu(struct device *dev, dma_addr_t address, size_t bytes,
			 enum dma_data_direction direction)
{
	sync(dev, address, bytes, true);
}

static void sync_for_device(struct device *dev, dma_addr_t address, size_t bytes,
			    enum dma_data_direction direction)
{
	sync(dev, address, bytes, false);
}

static int supported(struct device *dev, u64 mask)
{
	return mask == DMA_BIT_MASK(64);
}

static const struct dma_map_ops iommu_ops = {
	.alloc = iommu_alloc,
	.free = iommu_free,
	.map_page = map_page,
	.unmap_page = unmap_page,
	.sync_single_for_cpu = sync_for_cpu,
	.sync_single_for_device = sync_for_device,
	.dma_supported = supported,
};

/* --- what the device calls --- */

static const char *fault(const struct mapping *mapping, u64 address, size_t bytes, bool write)
{
	u64 offset;

	if (!mapping)
		return "an address that is not mapped";
	if (mapping->direction == (write ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
		return "an address that is mapped for the other direction";
	offset = address - mapping->address;
	if (bytes && find_next_bit(mapping->cpu_owned, (offset + bytes - 1) / GRANULE + 1,
				   offset / GRANULE) <= (offset + bytes - 1) / GRANULE)
		return "a buffer that was not given back with a sync";
	return NULL;
}

static bool access(struct kunit_function *function, u64 address, void *to, const void *from,
		   size_t bytes)
{
	struct kunit_iommu *iommu = function->iommu;
	const char *why = NULL;
	unsigned long flags;

	spin_lock_irqsave(&iommu->lock, flags);
	while (bytes && !why) {
		struct mapping *mapping = find(iommu, address, 1);
		size_t part = bytes;

		if (mapping)
			part = min(bytes, mapping->bytes - (size_t)(address - mapping->address));
		why = fault(mapping, address, part, from);
		if (why)
			break;
		if (to) {
			memcpy(to, mapping->copy + (address - mapping->address), part);
			to += part;
		} else {
			memcpy(mapping->copy + (address - mapping->address), from, part);
			from += part;
		}
		address += part;
		bytes -= part;
	}
	if (why)
		iommu->faults++;
	spin_unlock_irqrestore(&iommu->lock, flags);
	if (why && !READ_ONCE(iommu->faults_allowed))
		kunit_fail(__FILE__, __LINE__, "the device was led to %s: %s of %zu bytes at %#llx",
			   why, from ? "write" : "read", bytes, address);
	return !why;
}

bool kunit_dma_read(struct kunit_function *function, u64 address, void *to, size_t bytes)
{
	return access(function, address, to, NULL, bytes);
}

bool kunit_dma_write(struct kunit_function *function, u64 address, const void *from, size_t bytes)
{
	return access(function, address, NULL, from, bytes);
}

bool kunit_dma_valid(struct kunit_function *function, u64 address, u64 bytes)
{
	struct kunit_iommu *iommu = function->iommu;
	unsigned long flags;
	bool valid = true;

	spin_lock_irqsave(&iommu->lock, flags);
	while (bytes && valid) {
		struct mapping *mapping = find(iommu, address, 1);
		u64 part;

		valid = mapping;
		if (!valid)
			break;
		part = min(bytes, mapping->bytes - (address - mapping->address));
		address += part;
		bytes -= part;
	}
	spin_unlock_irqrestore(&iommu->lock, flags);
	return valid;
}

/* --- what cases call --- */

void kunit_dma_allow_faults(struct kunit_function *function)
{
	WRITE_ONCE(function->iommu->faults_allowed, true);
}

u64 kunit_dma_faults(const struct kunit_function *function)
{
	return READ_ONCE(function->iommu->faults);
}

u32 kunit_dma_coherent(const struct kunit_function *function)
{
	return READ_ONCE(function->iommu->coherent);
}

u32 kunit_dma_streaming(const struct kunit_function *function)
{
	return READ_ONCE(function->iommu->streaming);
}

void *kunit_dma_memory(struct kunit_function *function, u64 address)
{
	struct kunit_iommu *iommu = function->iommu;
	struct mapping *mapping;
	unsigned long flags;
	void *memory = NULL;

	spin_lock_irqsave(&iommu->lock, flags);
	mapping = find(iommu, address, 1);
	if (mapping && mapping->coherent)
		memory = mapping->memory + (address - mapping->address);
	spin_unlock_irqrestore(&iommu->lock, flags);
	return memory;
}

void kunit_dma_get_calls(const struct kunit_function *function, struct kunit_dma_calls *calls)
{
	unsigned long flags;

	spin_lock_irqsave(&function->iommu->lock, flags);
	*calls = function->iommu->calls;
	spin_unlock_irqrestore(&function->iommu->lock, flags);
}

void kunit_dma_fail_nth(struct kunit_function *function, u32 n)
{
	WRITE_ONCE(function->iommu->fail_in, n);
}

void kunit_dma_limit_coherent(struct kunit_function *function, size_t bytes)
{
	function->iommu->largest = bytes;
}

u32 kunit_dma_fail_nth_left(const struct kunit_function *function)
{
	return READ_ONCE(function->iommu->fail_in);
}

void kunit_dma_fail_all(struct kunit_function *function, bool on)
{
	WRITE_ONCE(function->iommu->fail_all, on);
}

/* --- life --- */

struct kunit_iommu *kunit_iommu_create(void)
{
	struct kunit_iommu *iommu = kzalloc(sizeof(*iommu), GFP_KERNEL);

	if (!iommu)
		return NULL;
	spin_lock_init(&iommu->lock);
	xa_init_flags(&iommu->frames, XA_FLAGS_LOCK_IRQ);
	iommu->next = FIRST_ADDRESS;
	INIT_LIST_HEAD(&iommu->spare);
	return iommu;
}

void kunit_iommu_destroy(struct kunit_iommu *iommu)
{
	struct mapping *mapping;

	if (iommu->coherent)
		kunit_fail(__FILE__, __LINE__, "coherent DMA memory is still allocated");
	if (iommu->streaming)
		kunit_fail(__FILE__, __LINE__, "DMA mappings are left, of pages or of skbs");
	/* A mapping that is left stays, as its page may be in use; a later unmap would find
	 * nothing. */
	xa_destroy(&iommu->frames);
	while ((mapping = take_spare(iommu))) {
		kfree(mapping->copy);
		kfree(mapping);
	}
	kfree(iommu);
}

void kunit_iommu_attach(struct kunit_iommu *iommu, struct device *dev)
{
	set_dma_ops(dev, &iommu_ops);
}
