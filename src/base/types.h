// SPDX-License-Identifier: GPL-2.0
// Fixed-width integers under the names that both the kernel and the data sheet use.
#pragma once

#include <stddef.h>

namespace mana {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using s32 = int;
using s64 = long long;
using uptr = unsigned long;

static_assert(sizeof(u8) == 1 && sizeof(u16) == 2 && sizeof(u32) == 4 && sizeof(u64) == 8);
static_assert(sizeof(uptr) == sizeof(void*));

// Everything the device reads or writes is little-endian; so is every machine it is plugged into.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian hosts are not supported");

}  // namespace mana
