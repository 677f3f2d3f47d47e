/* SPDX-License-Identifier: GPL-2.0 */
/* Programs of the guest's user space. Process context. */
#ifndef KUNIT_HELPER_H
#define KUNIT_HELPER_H

#include "shim/types.h"

SHIM_BEGIN

/* Runs a line of shell and waits for its end: its status, or a negative errno. Its output goes to
 * the kernel's log. */
int kunit_helper(const char *line);

SHIM_END

#endif
