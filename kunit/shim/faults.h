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

/* Of all tasks and softirqs: one in a hundred times `percent`, by chance; 0: none. False if the
 * kernel's settings cannot be reached. */
bool kunit_fail_allocations(u32 percent);

SHIM_END

#endif
