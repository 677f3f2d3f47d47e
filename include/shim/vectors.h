/* SPDX-License-Identifier: GPL-2.0 */
/* The function's MSI-X vectors. */
#ifndef SHIM_VECTORS_H
#define SHIM_VECTORS_H

#include "shim/types.h"

SHIM_BEGIN

/* Allocates between `minimum` and `maximum` MSI-X vectors: their number or a negative errno.
 * Process context. Handlers (irq.h) must be gone before free(). */
int shim_vectors_alloc(struct pci_dev *pdev, u32 minimum, u32 maximum);
void shim_vectors_free(struct pci_dev *pdev);

/* The kernel's number of a vector's interrupt, or a negative errno. Any context. */
int shim_vector_irq(struct pci_dev *pdev, u32 vector);

SHIM_END

#endif
