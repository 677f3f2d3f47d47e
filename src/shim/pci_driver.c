// SPDX-License-Identifier: GPL-2.0
/* The PCI driver. */

#include <linux/pci.h>
#include <linux/pm.h>

#include "pci_driver.h"
#include "shim/entry.h"

static int mana_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mana_adapter *adapter = NULL;
	int error = mana_adapter_probe(pdev, &adapter);

	pci_set_drvdata(pdev, adapter);
	return error;
}

static void mana_pci_remove(struct pci_dev *pdev)
{
	mana_adapter_remove(pci_get_drvdata(pdev));
}

static void mana_pci_shutdown(struct pci_dev *pdev)
{
	mana_adapter_shutdown(pci_get_drvdata(pdev));
}

static int mana_pci_suspend(struct device *dev)
{
	mana_adapter_suspend(dev_get_drvdata(dev));
	return 0;
}

static int mana_pci_resume(struct device *dev)
{
	return mana_adapter_resume(dev_get_drvdata(dev));
}

static DEFINE_SIMPLE_DEV_PM_OPS(mana_pm_ops, mana_pci_suspend, mana_pci_resume);

/* Somebody resets the function under us, e.g. by writing to "reset" in sysfs. */
static void mana_pci_reset_prepare(struct pci_dev *pdev)
{
	mana_adapter_suspend(pci_get_drvdata(pdev));
}

static void mana_pci_reset_done(struct pci_dev *pdev)
{
	mana_adapter_resume(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers mana_reset_handlers = {
	.reset_prepare = mana_pci_reset_prepare,
	.reset_done = mana_pci_reset_done,
};

struct pci_driver mana_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = mana_pci_ids,
	.probe = mana_pci_probe,
	.remove = mana_pci_remove,
	.shutdown = mana_pci_shutdown,
	.err_handler = &mana_reset_handlers,
	.driver.pm = pm_sleep_ptr(&mana_pm_ops),
};
