// SPDX-License-Identifier: GPL-2.0
/* The module. */

#include <linux/module.h>
#include <linux/pci.h>

#include "pci_driver.h"
#include "shim/version.h"

const struct pci_device_id mana_pci_ids[] = {{PCI_DEVICE(PCI_VENDOR_ID_MICROSOFT, 0x00ba)}, {}};
MODULE_DEVICE_TABLE(pci, mana_pci_ids);
module_pci_driver(mana_pci_driver);

MODULE_AUTHOR("The mana.ko authors");
MODULE_DESCRIPTION("Microsoft Azure Network Adapter");
MODULE_VERSION(MANA_VERSION);
MODULE_LICENSE("GPL");
