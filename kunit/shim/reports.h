/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel complained of. Any context. */
#ifndef KUNIT_REPORTS_H
#define KUNIT_REPORTS_H

#include "shim/types.h"

SHIM_BEGIN

/* A warning, a bad page or worse since the last call. Only the first ever can be seen. */
bool kunit_new_reports(void);

SHIM_END

#endif
