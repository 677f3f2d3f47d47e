/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function that is made of software: on a bus of its own, with configuration space, BAR 0,
 * interrupt vectors, an IOMMU (iommu.h), and a device behind it. To the kernel it is as real as
 * any.
 *
 * The device is called with the function's lock held and interrupts off, one call at a time, and
 * may call back only what is said to be for devices.
 */
#ifndef KUNIT_FUNCTION_H
#define KUNIT_FUNCTION_H

#include "shim/types.h"

SHIM_BEGIN

struct kunit_function;

struct kunit_device_ops {
	u64 (*read)(void *device, u64 offset, u32 size);
	void (*write)(void *device, u64 offset, u64 value, u32 size);
	void (*run)(void *device); /* after kunit_schedule(), or at kunit_run_at()'s time */
	void (*reset)(void *device); /* function level reset */
};

/* When the device runs. */
enum kunit_pace {
	KUNIT_PACE_LATER, /* soon after it was written to, on some CPU */
	KUNIT_PACE_AT_ONCE, /* inside the write: it sees memory exactly as it was then */
	KUNIT_PACE_MANUAL, /* when the case says so */
};

struct kunit_function_config {
	const struct kunit_device_ops *ops;
	void *device;
	u64 bar_bytes; /* a power of two */
	u32 vectors; /* MSI-X vectors that the function has */
	bool bind; /* let the driver core bind the driver */
	/* Called before anything touches the device. */
	void (*announce)(void *device, struct kunit_function *function);
};

/* Process context. NULL if it cannot be made. destroy() unbinds the driver first. */
struct kunit_function *kunit_function_create(const struct kunit_function_config *config);
void kunit_function_destroy(struct kunit_function *function);

struct pci_dev *kunit_function_pdev(struct kunit_function *function);
struct kunit_function *kunit_function_of(struct pci_dev *pdev); /* NULL if it is not one */
struct mana_adapter *kunit_function_adapter(struct kunit_function *function); /* if bound */

/* What the driver core would do, without it: 0 and *adapter, or probe's errno. Process context. */
int kunit_function_probe(struct kunit_function *function, struct mana_adapter **adapter);
void kunit_function_remove(struct kunit_function *function, struct mana_adapter *adapter);

/* Around what needs the device's lock: suspend, resume, shutdown. Process context. */
void kunit_function_lock_driver(struct kunit_function *function);
void kunit_function_unlock_driver(struct kunit_function *function);

/* Keeps the device still, to look at it or change it. lock() returns what unlock() needs. */
unsigned long kunit_function_lock(struct kunit_function *function);
void kunit_function_unlock(struct kunit_function *function, unsigned long flags);

void kunit_function_set_pace(struct kunit_function *function, enum kunit_pace pace);
/* One run of the device, whatever the pace. Not with the lock held. */
void kunit_function_run(struct kunit_function *function);
/* Until device, interrupts and deferred work are quiet; at most `milliseconds`. False if they were
 * not. Process context. */
bool kunit_function_settle(struct kunit_function *function, u32 milliseconds);
u64 kunit_function_resets(const struct kunit_function *function);
/* Whether the function can be reset at all; it can at first. */
void kunit_function_allow_resets(struct kunit_function *function, bool allow);

/* --- for devices --- */

void kunit_schedule(struct kunit_function *function);
void kunit_run_at(struct kunit_function *function, u64 deadline_ns); /* ~0: never */
u64 kunit_now_ns(void);
void kunit_raise(struct kunit_function *function, u32 vector);
void *kunit_device_alloc(size_t bytes); /* zeroed; NULL without memory */
void kunit_device_free(void *memory);

SHIM_END

#endif
