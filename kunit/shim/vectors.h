/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupt vectors of a function in software. */
#ifndef KUNIT_VECTORS_H
#define KUNIT_VECTORS_H

#include "kunit/shim/function.h"

SHIM_BEGIN

/* Reports vectors that the driver did not give back, and frees them. Process context. */
void kunit_vectors_audit(struct kunit_function *function);

SHIM_END

#endif
