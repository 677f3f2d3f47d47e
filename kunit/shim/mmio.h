/* SPDX-License-Identifier: GPL-2.0 */
/* Registers of a function in software: from mmio.c to function.c. Any context. */
#ifndef KUNIT_MMIO_H
#define KUNIT_MMIO_H

#include "kunit/shim/function.h"

SHIM_BEGIN

u64 kunit_function_read(struct kunit_function *function, u64 offset, u32 size);
void kunit_function_write(struct kunit_function *function, u64 offset, u64 value, u32 size);

SHIM_END

#endif
