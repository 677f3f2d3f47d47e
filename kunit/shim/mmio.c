// SPDX-License-Identifier: GPL-2.0
/*
 * In place of src/shim/mmio.c: registers of a function in software. A BAR is at an address that no
 * instruction can reach, which tells the function and the offset.
 */

#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include <asm/pci.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/function_internal.h"
#include "kunit/shim/mmio.h"
#include "shim/mmio.h"

#define BAR_BASE 0xdead100000000000ul
#define BAR_SHIFT 32

static struct kunit_function *function_at(const void *address, u32 size, u64 *offset)
{
	u64 where = (unsigned long)address - BAR_BASE;
	struct kunit_function *function = kunit_function_by_id(where >> BAR_SHIFT);

	*offset = where & ((1ull << BAR_SHIFT) - 1);
	if (!function || !function->mapped) {
		kunit_fail(__FILE__, __LINE__, "access to a BAR that is not mapped");
		return NULL;
	}
	if (*offset + size > function->config.bar_bytes || *offset % size) {
		kunit_fail(__FILE__, __LINE__, "access outside of BAR 0, or not aligned");
		return NULL;
	}
	return function;
}

void *shim_mmio_map(struct pci_dev *pdev, u64 *bytes)
{
	struct kunit_function *function = kunit_function_of(pdev);

	*bytes = pci_resource_len(pdev, 0);
	function->mapped = true;
	return (void *)(BAR_BASE + ((unsigned long)function->id << BAR_SHIFT));
}

void shim_mmio_unmap(struct pci_dev *pdev, void *bar)
{
	kunit_function_of(pdev)->mapped = false;
}

static u64 read(const void *address, u32 size)
{
	u64 offset;
	struct kunit_function *function = function_at(address, size, &offset);

	return function ? kunit_function_read(function, offset, size) : ~0ull;
}

static void write(const void *address, u64 value, u32 size)
{
	u64 offset;
	struct kunit_function *function = function_at(address, size, &offset);

	/* What writel() and writeq() promise. */
	wmb();
	if (function)
		kunit_function_write(function, offset, value, size);
}

u32 shim_read32(const void *address)
{
	return read(address, sizeof(u32));
}

u64 shim_read64(const void *address)
{
	return read(address, sizeof(u64));
}

void shim_write32(void *address, u32 value)
{
	write(address, value, sizeof(u32));
}

void shim_write64(void *address, u64 value)
{
	write(address, value, sizeof(u64));
}

void shim_dma_read_barrier(void)
{
	dma_rmb();
}
