/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks, completions, deferred work and waiting.
 *
 * C++ embeds these objects without knowing the kernel's layout: each has storage that is large
 * enough for every configuration, lockdep included; src/shim/sync.c asserts it.
 */
#ifndef SHIM_SYNC_H
#define SHIM_SYNC_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_mutex {
	unsigned long storage[32];
};
struct shim_spinlock {
	unsigned long storage[24];
};
struct shim_completion {
	unsigned long storage[24];
};

/* What a mutex protects: its class for lockdep. They nest in this order, outermost first; two of
 * one class are never held at once. */
enum shim_mutex_class {
	SHIM_MUTEX_EVENT_QUEUES,
	SHIM_MUTEX_HWC_REQUEST,
	SHIM_MUTEX_QUARANTINE,
	SHIM_MUTEX_CLASSES
};

/* Mutex: process context, may sleep. Locks must not move after init(). All spinlocks are one class.
 */
void shim_mutex_init(struct shim_mutex *mutex, enum shim_mutex_class mutex_class);
void shim_mutex_lock(struct shim_mutex *mutex);
void shim_mutex_unlock(struct shim_mutex *mutex);

/* Spinlock, also for hard interrupts: any context. lock() returns what unlock() needs. */
void shim_spin_init(struct shim_spinlock *lock);
unsigned long shim_spin_lock(struct shim_spinlock *lock);
void shim_spin_unlock(struct shim_spinlock *lock, unsigned long flags);

/* Completion: complete() in any context, wait() in process context. wait() returns false after
 * `milliseconds`. */
void shim_completion_init(struct shim_completion *completion);
void shim_completion_reset(struct shim_completion *completion);
void shim_complete(struct shim_completion *completion);
bool shim_wait_for_completion(struct shim_completion *completion, u32 milliseconds);

/* Deferred work: `function` runs later in process context with `argument`, never twice at once.
 * create() returns NULL without memory; the caller owns the work until destroy(), which cancels it
 * and waits for a running one (process context; not from the work itself). queue() is allowed in
 * any context and merges with a request that has not started. */
struct shim_work;
struct shim_work *shim_work_create(void (*function)(void *argument), void *argument);
void shim_work_destroy(struct shim_work *work);
void shim_work_queue(struct shim_work *work);

/* Process context, sleeps. */
void shim_sleep_ms(u32 milliseconds);

/* Since boot, monotonic. Any context. */
u64 shim_now_ms(void);
u64 shim_now_us(void);

SHIM_END

#endif
