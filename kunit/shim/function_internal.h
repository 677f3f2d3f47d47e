/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of one function share; after the kernel's headers. */
#ifndef KUNIT_FUNCTION_INTERNAL_H
#define KUNIT_FUNCTION_INTERNAL_H

#include "kunit/shim/function.h"
#include "kunit/shim/vectors.h"

#define KUNIT_MAX_VECTORS 64
#define KUNIT_MAX_FUNCTIONS 4

struct kunit_vector {
	struct irq_work here; /* for this CPU */
	call_single_data_t there; /* for another one */
	int irq;
};

struct kunit_function {
	struct kunit_function_config config;
	u32 id;
	spinlock_t lock; /* one call into the device at a time */

	/* bus */
	struct pci_sysdata sysdata;
	struct resource window;
	struct pci_host_bridge *bridge;
	struct pci_bus *bus;
	struct pci_dev *pdev;
	u32 config_space[64];
	u64 resets;
	u8 reset_method; /* while resets are not allowed */

	/* registers */
	bool mapped;

	/* pace */
	enum kunit_pace pace;
	bool wanted; /* the device asked for a run; under the lock */
	bool running;
	struct work_struct run;
	struct hrtimer timer;
	atomic_t activity; /* grows with whatever happens */

	/* interrupts */
	struct irq_domain *domain;
	u32 vectors;
	struct kunit_vector vector[KUNIT_MAX_VECTORS];

	struct kunit_iommu *iommu;
};

/* By the number in a BAR's address; NULL if there is none. */
struct kunit_function *kunit_function_by_id(u32 id);

#endif
