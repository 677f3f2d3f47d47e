// SPDX-License-Identifier: GPL-2.0
/* Interrupts, threads and a NAPI for cases: contexts.h. */

#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "kunit/shim/contexts.h"

struct interrupt_call {
	struct irq_work work;
	void (*call)(void *argument);
	void *argument;
};

static void run_interrupt_call(struct irq_work *work)
{
	struct interrupt_call *self = container_of(work, struct interrupt_call, work);

	self->call(self->argument);
}

void kunit_call_in_interrupt(void (*call)(void *argument), void *argument)
{
	struct interrupt_call self = {
		.work = IRQ_WORK_INIT_HARD(run_interrupt_call),
		.call = call,
		.argument = argument,
	};

	irq_work_queue(&self.work);
	irq_work_sync(&self.work);
}

void kunit_call_in_softirq(void (*call)(void *argument), void *argument)
{
	local_bh_disable();
	call(argument);
	local_bh_enable();
}

void kunit_softirqs_off(void)
{
	local_bh_disable();
}

void kunit_softirqs_on(void)
{
	local_bh_enable();
}

bool kunit_interrupts_off(void)
{
	return irqs_disabled();
}

bool kunit_in_interrupt(void)
{
	return in_hardirq();
}

struct kunit_thread {
	struct completion done;
	void (*run)(void *argument);
	void *argument;
};

static int run_thread(void *self)
{
	struct kunit_thread *thread = self;

	thread->run(thread->argument);
	kthread_complete_and_exit(&thread->done, 0);
}

struct kunit_thread *kunit_thread_start(void (*run)(void *argument), void *argument)
{
	struct kunit_thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);

	if (!thread)
		return NULL;
	init_completion(&thread->done);
	thread->run = run;
	thread->argument = argument;
	if (IS_ERR(kthread_run(run_thread, thread, "mana_kunit"))) {
		kfree(thread);
		return NULL;
	}
	return thread;
}

bool kunit_thread_join(struct kunit_thread *thread)
{
	if (!wait_for_completion_timeout(&thread->done, 60 * HZ))
		return false;
	kfree(thread);
	return true;
}

struct kunit_napi {
	struct napi_struct napi;
	struct net_device *netdev;
	u32 polls;
};

static int poll(struct napi_struct *napi, int budget)
{
	container_of(napi, struct kunit_napi, napi)->polls++;
	napi_complete_done(napi, 0);
	return 0;
}

struct kunit_napi *kunit_napi_create(void)
{
	struct kunit_napi *napi = kzalloc(sizeof(*napi), GFP_KERNEL);

	if (!napi)
		return NULL;
	napi->netdev = alloc_netdev_dummy(0);
	if (!napi->netdev) {
		kfree(napi);
		return NULL;
	}
	netif_napi_add(napi->netdev, &napi->napi, poll);
	napi_enable(&napi->napi);
	return napi;
}

void kunit_napi_destroy(struct kunit_napi *napi)
{
	napi_disable(&napi->napi);
	netif_napi_del(&napi->napi);
	free_netdev(napi->netdev);
	kfree(napi);
}

struct napi_struct *kunit_napi_of(struct kunit_napi *napi)
{
	return &napi->napi;
}

u32 kunit_napi_polls(struct kunit_napi *napi)
{
	napi_synchronize(&napi->napi);
	return napi->polls;
}
