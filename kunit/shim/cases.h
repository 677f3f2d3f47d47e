/* SPDX-License-Identifier: GPL-2.0 */
/* The table between suites, which are C++, and KUnit, which is C. */
#ifndef KUNIT_CASES_H
#define KUNIT_CASES_H

#include "shim/types.h"

struct kunit;

SHIM_BEGIN

struct mana_case {
	const char *name;
	void (*run)(struct kunit *test);
};

struct mana_suite {
	const struct mana_case *cases;
	u32 count;
	bool slow; /* KUnit's attribute: takes minutes, runs apart (scripts/kunit/test) */
};

/* Marks the running case as failed and logs one line. Any context. */
void kunit_fail(const char *file, u32 line, const char *format, ...) SHIM_PRINTF(3, 4);
bool kunit_failed(void); /* the running case has failed */
void kunit_note(const char *format, ...) SHIM_PRINTF(1, 2); /* one line in the log */

/* Called after each case, in process context: says what it left behind. In C++. */
void mana_kunit_audit(void);

SHIM_END

#endif
