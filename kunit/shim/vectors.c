// SPDX-License-Identifier: GPL-2.0
/*
 * In place of src/shim/vectors.c: MSI-X vectors of a function in software. Each is an interrupt
 * like any other to the kernel; what raises it is irq_work, which runs in hard interrupt context on
 * the CPU that the vector is bound to.
 */

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/pci.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include <asm/pci.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/faults.h"
#include "kunit/shim/function_internal.h"
#include "shim/vectors.h"

static int set_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	unsigned int cpu = cpumask_first_and(mask, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
	return IRQ_SET_MASK_OK;
}

static void nothing(struct irq_data *data)
{
}

static struct irq_chip chip = {
	.name = "mana_kunit",
	.irq_ack = nothing,
	.irq_mask = nothing,
	.irq_unmask = nothing,
	.irq_set_affinity = set_affinity,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int map_vector(struct irq_domain *domain, unsigned int irq, irq_hw_number_t vector)
{
	irq_set_chip_and_handler(irq, &chip, handle_simple_irq);
	irq_modify_status(irq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	return 0;
}

static const struct irq_domain_ops domain_ops = {.map = map_vector};

static void deliver_here(struct irq_work *work)
{
	generic_handle_irq(container_of(work, struct kunit_vector, here)->irq);
}

static void deliver_there(void *vector)
{
	generic_handle_irq(((struct kunit_vector *)vector)->irq);
}

/* Under the function's lock. Like messages, requests that have not been served yet merge. */
void kunit_raise(struct kunit_function *function, u32 vector)
{
	struct kunit_vector *to = &function->vector[vector];
	unsigned int cpu;

	if (vector >= function->vectors)
		return;
	atomic_inc(&function->activity);
	cpu = cpumask_first_and(irq_data_get_effective_affinity_mask(irq_get_irq_data(to->irq)),
				cpu_online_mask);
	if (cpu >= nr_cpu_ids || cpu == smp_processor_id())
		irq_work_queue(&to->here);
	else
		smp_call_function_single_async(cpu, &to->there);
}

static void free_vectors(struct kunit_function *function)
{
	unsigned long flags = kunit_function_lock(function);
	u32 i, count = function->vectors;

	function->vectors = 0;
	kunit_function_unlock(function, flags);
	kick_all_cpus_sync();
	for (i = 0; i < count; i++) {
		irq_work_sync(&function->vector[i].here);
		irq_dispose_mapping(function->vector[i].irq);
	}
	irq_domain_remove(function->domain);
	function->domain = NULL;
}

static irqreturn_t ignore(int irq, void *data)
{
	return IRQ_NONE;
}

/*
 * The kernel makes a directory in /proc for an interrupt when it is first requested, does without
 * it if there is no memory, and then warns when it is removed. Not our subject: make them in
 * advance.
 */
static int make_vector(struct kunit_function *function, u32 vector)
{
	int irq = irq_create_mapping(function->domain, vector);

	if (irq && !request_irq(irq, ignore, 0, "mana_kunit", function))
		free_irq(irq, function);
	return irq;
}

int shim_vectors_alloc(struct pci_dev *pdev, u32 minimum, u32 maximum)
{
	struct kunit_function *function = kunit_function_of(pdev);
	u32 count = min3(maximum, function->config.vectors, (u32)KUNIT_MAX_VECTORS);
	unsigned long flags;
	u32 i, paused;

	if (count < minimum)
		return -ENOSPC;
	paused = kunit_faults_pause();
	function->domain = irq_domain_add_linear(NULL, count, &domain_ops, function);
	if (!function->domain)
		goto resume;
	for (i = 0; i < count; i++) {
		int irq = make_vector(function, i);

		if (!irq)
			goto undo;
		function->vector[i].irq = irq;
		init_irq_work(&function->vector[i].here, deliver_here);
		INIT_CSD(&function->vector[i].there, deliver_there, &function->vector[i]);
	}
	flags = kunit_function_lock(function);
	function->vectors = count;
	kunit_function_unlock(function, flags);
	kunit_faults_resume(paused);
	return count;

undo:
	while (i--)
		irq_dispose_mapping(function->vector[i].irq);
	irq_domain_remove(function->domain);
	function->domain = NULL;
resume:
	kunit_faults_resume(paused);
	return -ENOMEM;
}

void shim_vectors_free(struct pci_dev *pdev)
{
	free_vectors(kunit_function_of(pdev));
}

int shim_vector_irq(struct pci_dev *pdev, u32 vector)
{
	struct kunit_function *function = kunit_function_of(pdev);

	return vector < function->vectors ? function->vector[vector].irq : -EINVAL;
}

void kunit_vectors_audit(struct kunit_function *function)
{
	if (!function->domain)
		return;
	kunit_fail(__FILE__, __LINE__, "interrupt vectors are still allocated");
	free_vectors(function);
}
