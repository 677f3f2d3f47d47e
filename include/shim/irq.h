/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts: one handler of the driver for each MSI-X vector. Process context. */
#ifndef SHIM_IRQ_H
#define SHIM_IRQ_H

#include "shim/types.h"

SHIM_BEGIN

/* After a request the vector's interrupts call mana_hwc_interrupt() or mana_eq_interrupt() of
 * entry.h with the given object, in hard interrupt context, until free() returned. `name` is what
 * /proc/interrupts shows and must live as long. 0 or a negative errno. */
int shim_irq_request_hwc(struct pci_dev *pdev, u32 vector, const char *name, struct mana_hwc *hwc);
int shim_irq_request_eq(struct pci_dev *pdev, u32 vector, const char *name, struct mana_eq *eq);
void shim_irq_free_hwc(struct pci_dev *pdev, u32 vector, struct mana_hwc *hwc);
void shim_irq_free_eq(struct pci_dev *pdev, u32 vector, struct mana_eq *eq);

/* Waits until a handler that is running now has returned. */
void shim_irq_synchronize(struct pci_dev *pdev, u32 vector);

/* Asks for the vector to be served close to the n-th online CPU of the device's node. */
void shim_irq_spread(struct pci_dev *pdev, u32 vector, u32 n);

SHIM_END

#endif
