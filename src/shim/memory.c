// SPDX-License-Identifier: GPL-2.0
/* Kernel memory: include/shim/memory.h. */

#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/slab.h>

#include "shim/memory.h"

void *shim_alloc(size_t bytes, int node)
{
	return kvzalloc_node(bytes, GFP_KERNEL, node);
}

void shim_free(void *memory)
{
	kvfree(memory);
}

void shim_prefetch(const void *address)
{
	prefetch(address);
}
