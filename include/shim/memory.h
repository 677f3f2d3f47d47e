/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel memory. */
#ifndef SHIM_MEMORY_H
#define SHIM_MEMORY_H

#include "shim/types.h"

SHIM_BEGIN

/* Zeroed memory close to a NUMA node (-1: anywhere), or NULL. Physically contiguous only if small.
 * Process context; may sleep (GFP_KERNEL). The caller owns it. */
void *shim_alloc(size_t bytes, int node);

/* Gives back what shim_alloc() returned; NULL is allowed. Process context. */
void shim_free(void *memory);

/* Asks for the cache line at an address that will be read soon. Any address. */
void shim_prefetch(const void *address);

SHIM_END

#endif
