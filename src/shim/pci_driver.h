/* SPDX-License-Identifier: GPL-2.0 */
/* Between pci_driver.c and the file that makes a module of it; after <linux/pci.h>. */
#ifndef SHIM_PCI_DRIVER_H
#define SHIM_PCI_DRIVER_H

extern const struct pci_device_id mana_pci_ids[]; /* the module's */
extern struct pci_driver mana_pci_driver;

#endif
