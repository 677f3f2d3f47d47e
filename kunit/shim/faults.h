/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail, by the kernel's own fault injection. Process context. */
#ifndef KUNIT_FAULTS_H
#define KUNIT_FAULTS_H

#include "shim/types.h"

SHIM_BEGIN

/* The n-th allocation of this task fails, from now on, counted from 1; 0: none. */
void kunit_fail_allocation(u32 n);
/* How many more would have to come; 0: it has failed. */
u32 kunit_fail_allocation_left(void);

/* Around what the harness itself allocates on behalf of the driver: those do not count. pause()
 * returns what resume() needs. Any context. */
u32 kunit_faults_pause(void);
void kunit_faults_resume(u32 paused);

/* Of all tasks and softirqs: one in a hundred times `percent`, by chance; 0: none. False if the
 * kernel's settings cannot be reached. */
bool kunit_fail_allocations(u32 percent);

/* The same, but only of what a part of the kernel allocates, whoever asks it to: 100 is every one.
 */
enum kunit_allocator {
	KUNIT_POOL_PAGES, /* page pools: single pages, and what mapping them takes */
	KUNIT_RECEIVED_SKBS, /* skbs built around buffers, by the bulk of 16 */
	KUNIT_NEW_POOLS, /* making a page pool */
	KUNIT_MEMORY_MODELS, /* registering an XDP memory model */
};
bool kunit_fail_allocator(enum kunit_allocator allocator, u32 percent);

SHIM_END

#endif
