/* SPDX-License-Identifier: GPL-2.0 */
/* The PCI function: enabling, identity, reset. Process context unless said. */
#ifndef SHIM_PCI_H
#define SHIM_PCI_H

#include "shim/types.h"

SHIM_BEGIN

/* Enables the function and its bus mastering, claims BAR 0 and sets a 64-bit DMA mask.
 * 0 or a negative errno with nothing left enabled. */
int shim_pci_enable(struct pci_dev *pdev);
void shim_pci_disable(struct pci_dev *pdev);

/* Function level reset, configuration space restored afterwards. 0 or a negative errno. With the
 * device's lock held, as it is in probe, remove, suspend, resume and shutdown. */
int shim_pci_reset(struct pci_dev *pdev);

struct device *shim_pci_device(struct pci_dev *pdev);
const char *shim_pci_name(struct pci_dev *pdev);
int shim_pci_node(struct pci_dev *pdev);

/* Numbers of online CPUs, for the default number of queues. */
u32 shim_online_cpus(void);

/* The running kernel, for VERIFY_VF_DRIVER_VERSION; the texts live as long as the kernel runs. */
const char *shim_kernel_release(void);
const char *shim_kernel_version(void);
u32 shim_kernel_version_code(void); /* major << 16 | minor << 8 | build */

SHIM_END

#endif
