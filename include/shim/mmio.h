/* SPDX-License-Identifier: GPL-2.0 */
/* Device registers. Any context. A write is ordered after all earlier stores to memory. */
#ifndef SHIM_MMIO_H
#define SHIM_MMIO_H

#include "shim/types.h"

SHIM_BEGIN

u32 shim_read32(const void *address);
u64 shim_read64(const void *address);
void shim_write32(void *address, u32 value);
void shim_write64(void *address, u64 value);

/* Orders earlier loads from DMA memory before later ones. */
void shim_dma_read_barrier(void);

SHIM_END

#endif
