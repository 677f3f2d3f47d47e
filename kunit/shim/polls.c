// SPDX-License-Identifier: GPL-2.0
/* The NAPI of a queue: polls.h. */

#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/netpoll.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/busy_poll.h>
#include <net/netdev_rx_queue.h>

#include "kunit/shim/polls.h"

/* --- watching --- */

static struct watch {
	struct napi_struct *napi;
	int (*poll)(struct napi_struct *napi, int budget);
	int weight;
	struct kunit_polls *polls;
} watches[4];

static struct watch *watch_of(const struct napi_struct *napi)
{
	for (u32 i = 0; i < ARRAY_SIZE(watches); i++)
		if (READ_ONCE(watches[i].napi) == napi)
			return &watches[i];
	return NULL;
}

static int watching_poll(struct napi_struct *napi, int budget)
{
	struct watch *watch = watch_of(napi);
	struct kunit_polls *polls = watch->polls;
	int work = watch->poll(napi, budget);

	if (!budget) {
		polls->empty_budget++;
		polls->worked_for_nothing += work != 0;
		return work;
	}
	polls->count++;
	polls->work += work;
	polls->most = max_t(u32, polls->most, work);
	polls->full += work == budget;
	polls->beyond += work > budget;
	polls->ended_full += work == budget && !test_bit(NAPI_STATE_SCHED, &napi->state);
	return work;
}

static struct napi_struct *napi_of(struct net_device *netdev, u32 queue)
{
	return netdev->_rx[queue].napi;
}

bool kunit_polls_watch(struct net_device *netdev, u32 queue, u32 weight, struct kunit_polls *polls)
{
	struct napi_struct *napi = napi_of(netdev, queue);
	struct watch *watch = watch_of(NULL);

	if (!napi || !watch)
		return false;
	watch->poll = napi->poll;
	watch->weight = napi->weight;
	watch->polls = polls;
	smp_store_release(&watch->napi, napi);
	WRITE_ONCE(napi->poll, watching_poll);
	if (weight)
		WRITE_ONCE(napi->weight, weight);
	return true;
}

void kunit_polls_end(struct net_device *netdev, u32 queue)
{
	struct napi_struct *napi = napi_of(netdev, queue);
	struct watch *watch = napi ? watch_of(napi) : NULL;

	if (watch) {
		WRITE_ONCE(napi->poll, watch->poll);
		WRITE_ONCE(napi->weight, watch->weight);
		/* A poll may still be on its way through the watch. */
		synchronize_net();
		napi_synchronize(napi);
		WRITE_ONCE(watch->napi, NULL);
		return;
	}
	/* The NAPI has gone, and nobody knows of the watch. */
	for (u32 i = 0; i < ARRAY_SIZE(watches); i++) {
		if (watches[i].napi && watches[i].napi != napi)
			WRITE_ONCE(watches[i].napi, NULL);
	}
}

/* --- polling --- */

int kunit_netpoll(struct net_device *netdev)
{
	struct netpoll *netpoll = kzalloc(sizeof(*netpoll), GFP_KERNEL);
	unsigned long flags;
	int error;

	if (!netpoll)
		return -ENOMEM;
	netpoll->name = "kunit";
	rtnl_lock();
	error = __netpoll_setup(netpoll, netdev);
	if (error) {
		kfree(netpoll);
	} else {
		local_irq_save(flags);
		netpoll_poll_dev(netdev);
		local_irq_restore(flags);
		__netpoll_free(netpoll);
	}
	rtnl_unlock();
	return error;
}

static bool rounds_are_over(void *rounds, unsigned long start)
{
	return --*(u32 *)rounds == 0;
}

void kunit_busy_poll(struct net_device *netdev, u32 queue, u32 rounds, u32 budget)
{
	napi_busy_loop(napi_of(netdev, queue)->napi_id, rounds_are_over, &rounds, 0, budget);
}

int kunit_set_threaded(struct net_device *netdev, bool on)
{
	int error;

	rtnl_lock();
	error = dev_set_threaded(netdev, on);
	rtnl_unlock();
	return error;
}

void kunit_set_deferral(struct net_device *netdev, u32 interrupts, u64 nanoseconds)
{
	WRITE_ONCE(netdev->napi_defer_hard_irqs, interrupts);
	WRITE_ONCE(netdev->gro_flush_timeout, nanoseconds);
}

/* --- CPUs --- */

struct remote_call {
	void (*call)(void *argument);
	void *argument;
};

static long run_remote_call(void *opaque)
{
	struct remote_call *remote = opaque;

	remote->call(remote->argument);
	return 0;
}

void kunit_call_on(u32 cpu, void (*call)(void *argument), void *argument)
{
	struct remote_call remote = {call, argument};

	work_on_cpu(cpu, run_remote_call, &remote);
}

u32 kunit_cpus(void)
{
	return num_online_cpus();
}
