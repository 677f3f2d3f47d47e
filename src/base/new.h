// SPDX-License-Identifier: GPL-2.0
// Placement new, the only form of `new` that links in the module: memory always comes from an
// allocator that takes GFP flags and may fail.
#pragma once

#include "base/types.h"

#if __STDC_HOSTED__
#include <new>
#else
inline void* operator new(size_t, void* place) noexcept { return place; }
inline void operator delete(void*, void*) noexcept {}
#endif
