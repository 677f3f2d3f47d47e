// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/test.h"

namespace mana::kunit {

void report(const char* file, u32 line, const char* a_text, const char* word, const char* b_text,
            const Shown& a, const Shown& b) {
  kunit_fail(file, line, "%s %s %s: %s and %s", a_text, word, b_text, a.text, b.text);
}

bool check_text(const char* a, const char* b, const char* a_text, const char* file, u32 line) {
  if (__builtin_strcmp(a, b) == 0)
    return true;
  kunit_fail(file, line, "%s is \"%s\", not \"%s\"", a_text, a, b);
  return false;
}

}  // namespace mana::kunit
