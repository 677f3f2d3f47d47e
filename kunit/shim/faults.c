// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: faults.h. */

#include <linux/kernel.h>
#include <linux/sched.h>

#include "kunit/shim/faults.h"
#include "kunit/shim/helper.h"

void kunit_fail_allocation(u32 n)
{
	WRITE_ONCE(current->fail_nth, n);
}

u32 kunit_fail_allocation_left(void)
{
	return READ_ONCE(current->fail_nth);
}

bool kunit_fail_allocations(u32 percent)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "for kind in failslab fail_page_alloc; do echo %u "
		 ">/sys/kernel/debug/$kind/probability "
		 "|| exit 1; done",
		 percent);
	return !kunit_helper(line);
}
