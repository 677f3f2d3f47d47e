// SPDX-License-Identifier: GPL-2.0
// Memory against bytes as the data sheet prints them.
#pragma once

#include "kunit/harness/test.h"

namespace mana::kunit {

// `hex` is pairs of digits, with blanks where they please: all `length` bytes. Says which byte is
// the first that differs.
bool check_bytes(const void* at, size_t length, const char* hex, const char* text, const char* file,
                 u32 line);

}  // namespace mana::kunit

#define EXPECT_BYTES(object, hex) \
  (void)::mana::kunit::check_bytes(&(object), sizeof(object), hex, #object, __FILE__, __LINE__)
