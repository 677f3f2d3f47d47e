// SPDX-License-Identifier: GPL-2.0
/* Device registers: include/shim/mmio.h. */

#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/pci.h>

#include "shim/mmio.h"

void *shim_mmio_map(struct pci_dev *pdev, u64 *bytes)
{
	*bytes = pci_resource_len(pdev, 0);
	return (__force void *)pci_ioremap_bar(pdev, 0);
}

void shim_mmio_unmap(struct pci_dev *pdev, void *bar)
{
	iounmap((__force void __iomem *)bar);
}

u32 shim_read32(const void *address)
{
	return readl((__force const void __iomem *)address);
}

u64 shim_read64(const void *address)
{
	return readq((__force const void __iomem *)address);
}

void shim_write32(void *address, u32 value)
{
	writel(value, (__force void __iomem *)address);
}

void shim_write64(void *address, u64 value)
{
	writeq(value, (__force void __iomem *)address);
}

void shim_dma_read_barrier(void)
{
	dma_rmb();
}
