// SPDX-License-Identifier: GPL-2.0
/* The PCI function: include/shim/pci.h. */

#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/utsname.h>
#include <linux/version.h>

#include "shim/pci.h"

int shim_pci_enable(struct pci_dev *pdev)
{
	int error;

	error = pci_enable_device(pdev);
	if (error)
		return error;

	error = pci_request_region(pdev, 0, KBUILD_MODNAME);
	if (error)
		goto disable;

	error = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (error)
		goto release;

	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	pci_set_master(pdev);
	return 0;

release:
	pci_release_region(pdev, 0);
disable:
	pci_disable_device(pdev);
	return error;
}

void shim_pci_disable(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	pci_release_region(pdev, 0);
	pci_disable_device(pdev);
}

/*
 * The variant that neither takes the device's lock, which all callers' callers hold, nor calls the
 * driver's reset_prepare() and reset_done(): it is the driver that asks.
 */
int shim_pci_reset(struct pci_dev *pdev)
{
	int error;

	pci_save_state(pdev);
	error = __pci_reset_function_locked(pdev);
	pci_restore_state(pdev);
	return error;
}

struct device *shim_pci_device(struct pci_dev *pdev)
{
	return &pdev->dev;
}

const char *shim_pci_name(struct pci_dev *pdev)
{
	return pci_name(pdev);
}

int shim_pci_node(struct pci_dev *pdev)
{
	return dev_to_node(&pdev->dev);
}

u32 shim_online_cpus(void)
{
	return num_online_cpus();
}

const char *shim_kernel_release(void)
{
	return init_utsname()->release;
}

const char *shim_kernel_version(void)
{
	return init_utsname()->version;
}

u32 shim_kernel_version_code(void)
{
	return LINUX_VERSION_CODE;
}
