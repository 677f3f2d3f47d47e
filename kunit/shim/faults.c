// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: faults.h. */

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <net/page_pool/types.h>
#include <net/xdp.h>

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

u32 kunit_faults_pause(void)
{
	u32 paused = 0;

	/* In an interrupt the count is somebody else's, and does not apply. */
	if (in_task()) {
		paused = READ_ONCE(current->fail_nth);
		WRITE_ONCE(current->fail_nth, 0);
	}
	return paused;
}

void kunit_faults_resume(u32 paused)
{
	if (in_task())
		WRITE_ONCE(current->fail_nth, paused);
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

/* NAME+0xOFFSET/0xSIZE of an address, taken apart. */
static bool find_symbol(unsigned long address, char *name, unsigned long *start, unsigned long *end)
{
	unsigned long offset, size;
	char *at;

	sprint_symbol(name, address);
	at = strchr(name, '+');
	if (!at || sscanf(at, "+0x%lx/0x%lx", &offset, &size) != 2)
		return false;
	*start = address - offset;
	*end = *start + size;
	*at = '\0';
	return true;
}

bool kunit_fail_allocator(enum kunit_allocator allocator, u32 percent)
{
	/* Whoever is called by one of these is found by its address on the stack. */
	static void *const functions[] = {
		[KUNIT_POOL_PAGES] = page_pool_alloc_netmems,
		[KUNIT_RECEIVED_SKBS] = napi_build_skb,
		[KUNIT_NEW_POOLS] = page_pool_create_percpu,
		[KUNIT_MEMORY_MODELS] = xdp_rxq_info_reg_mem_model,
	};
	unsigned long start = 0, end = ~0ul, next, last;
	char name[KSYM_SYMBOL_LEN];
	char line[320];

	if (percent && !find_symbol((unsigned long)functions[allocator], name, &start, &end))
		return false;
	/* It jumps to its slow path, which stands beside it, and so is not on the stack itself. */
	if (percent && allocator == KUNIT_POOL_PAGES) {
		if (find_symbol(start - 1, name, &next, &last) &&
		    strstarts(name, "__page_pool_alloc"))
			start = next;
		if (find_symbol(end, name, &next, &last) && strstarts(name, "__page_pool_alloc"))
			end = last;
	}
	snprintf(line, sizeof(line),
		 "for kind in failslab fail_page_alloc; do cd /sys/kernel/debug/$kind || exit 1; "
		 "echo 0 >probability; echo %#lx >require-start; echo %#lx >require-end; "
		 "echo %u >probability || exit 1; done",
		 start, end, percent);
	return !kunit_helper(line);
}
