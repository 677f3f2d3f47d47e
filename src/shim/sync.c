// SPDX-License-Identifier: GPL-2.0
/* Locks, completions, deferred work, waiting: include/shim/sync.h. */

#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "shim/sync.h"

#define FITS(storage_type, kernel_type)                                                            \
	static_assert(sizeof(kernel_type) <= sizeof(storage_type) &&                               \
		      __alignof__(kernel_type) <= __alignof__(storage_type))

FITS(struct shim_mutex, struct mutex);
FITS(struct shim_spinlock, spinlock_t);
FITS(struct shim_completion, struct completion);

static struct mutex *mutex_of(struct shim_mutex *mutex)
{
	return (struct mutex *)mutex->storage;
}

static spinlock_t *spinlock_of(struct shim_spinlock *lock)
{
	return (spinlock_t *)lock->storage;
}

static struct completion *completion_of(struct shim_completion *completion)
{
	return (struct completion *)completion->storage;
}

void shim_mutex_init(struct shim_mutex *mutex, enum shim_mutex_class mutex_class)
{
	static const char *const names[SHIM_MUTEX_CLASSES] = {
		[SHIM_MUTEX_EVENT_QUEUES] = "mana event queues",
		[SHIM_MUTEX_HWC_REQUEST] = "mana hwc request",
		[SHIM_MUTEX_QUARANTINE] = "mana quarantine",
	};
	static struct lock_class_key keys[SHIM_MUTEX_CLASSES];

	__mutex_init(mutex_of(mutex), names[mutex_class], &keys[mutex_class]);
}

void shim_mutex_lock(struct shim_mutex *mutex)
{
	mutex_lock(mutex_of(mutex));
}

void shim_mutex_unlock(struct shim_mutex *mutex)
{
	mutex_unlock(mutex_of(mutex));
}

/* One lockdep class for all of them: no two may be held at once. */
void shim_spin_init(struct shim_spinlock *lock)
{
	spin_lock_init(spinlock_of(lock));
}

unsigned long shim_spin_lock(struct shim_spinlock *lock)
{
	unsigned long flags;

	spin_lock_irqsave(spinlock_of(lock), flags);
	return flags;
}

void shim_spin_unlock(struct shim_spinlock *lock, unsigned long flags)
{
	spin_unlock_irqrestore(spinlock_of(lock), flags);
}

void shim_completion_init(struct shim_completion *completion)
{
	init_completion(completion_of(completion));
}

void shim_completion_reset(struct shim_completion *completion)
{
	reinit_completion(completion_of(completion));
}

void shim_complete(struct shim_completion *completion)
{
	complete(completion_of(completion));
}

bool shim_wait_for_completion(struct shim_completion *completion, u32 milliseconds)
{
	return wait_for_completion_timeout(completion_of(completion),
					   msecs_to_jiffies(milliseconds)) > 0;
}

struct shim_work {
	struct work_struct work;
	void (*function)(void *argument);
	void *argument;
};

static void mana_work_run(struct work_struct *work)
{
	struct shim_work *self = container_of(work, struct shim_work, work);

	self->function(self->argument);
}

struct shim_work *shim_work_create(void (*function)(void *argument), void *argument)
{
	struct shim_work *self = kzalloc(sizeof(*self), GFP_KERNEL);

	if (!self)
		return NULL;
	INIT_WORK(&self->work, mana_work_run);
	self->function = function;
	self->argument = argument;
	return self;
}

void shim_work_destroy(struct shim_work *work)
{
	cancel_work_sync(&work->work);
	kfree(work);
}

void shim_work_queue(struct shim_work *work)
{
	queue_work(system_long_wq, &work->work);
}

void shim_sleep_ms(u32 milliseconds)
{
	msleep(milliseconds);
}

u64 shim_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

u64 shim_now_us(void)
{
	return ktime_to_us(ktime_get());
}
