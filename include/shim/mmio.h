/* SPDX-License-Identifier: GPL-2.0 */
/* Device registers. */
#ifndef SHIM_MMIO_H
#define SHIM_MMIO_H

#include "shim/types.h"

SHIM_BEGIN

/* Maps the whole of BAR 0; NULL if it cannot be. `bytes` is its length. Process context. */
void *shim_mmio_map(struct pci_dev *pdev, u64 *bytes);
void shim_mmio_unmap(struct pci_dev *pdev, void *bar);

/* Any context. A write is ordered after all earlier stores to memory. */
u32 shim_read32(const void *address);
u64 shim_read64(const void *address);
void shim_write32(void *address, u32 value);
void shim_write64(void *address, u64 value);

/* Orders earlier loads from DMA memory before later ones. */
void shim_dma_read_barrier(void);

SHIM_END

#endif
