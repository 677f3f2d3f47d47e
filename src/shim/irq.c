// SPDX-License-Identifier: GPL-2.0
/* Interrupts: include/shim/irq.h. */

#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/pci.h>

#include "shim/entry.h"
#include "shim/irq.h"
#include "shim/vectors.h"

static irqreturn_t mana_irq_hwc(int irq, void *hwc)
{
	mana_hwc_interrupt(hwc);
	return IRQ_HANDLED;
}

static irqreturn_t mana_irq_eq(int irq, void *eq)
{
	mana_eq_interrupt(eq);
	return IRQ_HANDLED;
}

static int irq_request(struct pci_dev *pdev, u32 vector, const char *name, irq_handler_t handler,
		       void *object)
{
	int irq = shim_vector_irq(pdev, vector);

	return irq < 0 ? irq : request_irq(irq, handler, 0, name, object);
}

static void irq_release(struct pci_dev *pdev, u32 vector, void *object)
{
	int irq = shim_vector_irq(pdev, vector);

	irq_update_affinity_hint(irq, NULL);
	free_irq(irq, object);
}

int shim_irq_request_hwc(struct pci_dev *pdev, u32 vector, const char *name, struct mana_hwc *hwc)
{
	return irq_request(pdev, vector, name, mana_irq_hwc, hwc);
}

int shim_irq_request_eq(struct pci_dev *pdev, u32 vector, const char *name, struct mana_eq *eq)
{
	return irq_request(pdev, vector, name, mana_irq_eq, eq);
}

void shim_irq_free_hwc(struct pci_dev *pdev, u32 vector, struct mana_hwc *hwc)
{
	irq_release(pdev, vector, hwc);
}

void shim_irq_free_eq(struct pci_dev *pdev, u32 vector, struct mana_eq *eq)
{
	irq_release(pdev, vector, eq);
}

void shim_irq_synchronize(struct pci_dev *pdev, u32 vector)
{
	synchronize_irq(shim_vector_irq(pdev, vector));
}

void shim_irq_spread(struct pci_dev *pdev, u32 vector, u32 n)
{
	unsigned int cpu = cpumask_local_spread(n, dev_to_node(&pdev->dev));

	irq_set_affinity_and_hint(shim_vector_irq(pdev, vector), cpumask_of(cpu));
}
