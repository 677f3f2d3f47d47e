// SPDX-License-Identifier: GPL-2.0
/* MSI-X vectors: include/shim/vectors.h. */

#include <linux/pci.h>

#include "shim/vectors.h"

int shim_vectors_alloc(struct pci_dev *pdev, u32 minimum, u32 maximum)
{
	return pci_alloc_irq_vectors(pdev, minimum, maximum, PCI_IRQ_MSIX);
}

void shim_vectors_free(struct pci_dev *pdev)
{
	pci_free_irq_vectors(pdev);
}

int shim_vector_irq(struct pci_dev *pdev, u32 vector)
{
	return pci_irq_vector(pdev, vector);
}
