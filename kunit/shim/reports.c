// SPDX-License-Identifier: GPL-2.0
/* Complaints of the kernel: reports.h. */

#include <linux/kernel.h>
#include <linux/panic.h>

#include "kunit/shim/reports.h"

bool kunit_new_reports(void)
{
	static bool seen;
	bool now = test_taint(TAINT_WARN) || test_taint(TAINT_BAD_PAGE) || test_taint(TAINT_DIE);
	bool new = now && !seen;

	seen = now;
	return new;
}
