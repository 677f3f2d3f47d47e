/* SPDX-License-Identifier: GPL-2.0 */
/* The NAPI of a queue: how it is polled, and what it does then. Process context unless said. */
#ifndef KUNIT_POLLS_H
#define KUNIT_POLLS_H

#include "shim/types.h"

SHIM_BEGIN

struct kunit_polls {
	u32 count; /* polls with a budget */
	u32 work; /* of all of them */
	u32 most; /* work of one */
	u32 full; /* polls whose work was the budget */
	u32 beyond; /* more than the budget */
	u32 ended_full; /* the NAPI was completed although work was the budget */
	u32 empty_budget; /* polls with budget 0 */
	u32 worked_for_nothing; /* those with budget 0 that say they did something */
};

/* Counts in *polls from now on; `weight`, if not 0, is the budget of each poll. One watch at a time
 * for each NAPI; false if there is no room for one more. A queue that is recreated is not watched
 * any more. end() before *polls goes. */
bool kunit_polls_watch(struct net_device *netdev, u32 queue, u32 weight, struct kunit_polls *polls);
void kunit_polls_end(struct net_device *netdev, u32 queue);

/* As netconsole polls: with budget 0 and interrupts off. 0 or a negative errno. */
int kunit_netpoll(struct net_device *netdev);
/* As a socket that polls busily: at most `rounds` polls, from this task. */
void kunit_busy_poll(struct net_device *netdev, u32 queue, u32 rounds, u32 budget);
/* Each NAPI in a thread of its own, or in softirqs again. */
int kunit_set_threaded(struct net_device *netdev, bool on);
/* napi_defer_hard_irqs and gro_flush_timeout of sysfs. */
void kunit_set_deferral(struct net_device *netdev, u32 interrupts, u64 nanoseconds);

/* Calls it in process context on that CPU, and waits. */
void kunit_call_on(u32 cpu, void (*call)(void *argument), void *argument);
u32 kunit_cpus(void);

SHIM_END

#endif
