// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/bytes.h"

namespace mana::kunit {

namespace {

u32 digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

bool check_bytes(const void* at, size_t length, const char* hex, const char* text, const char* file,
                 u32 line) {
  const u8* bytes = static_cast<const u8*>(at);
  size_t n = 0;
  for (; *hex != '\0'; n++) {
    if (*hex == ' ') {
      hex++;
      n--;
      continue;
    }
    const u32 wanted = digit(hex[0]) << 4 | digit(hex[1]);
    hex += 2;
    if (n < length && bytes[n] != wanted) {
      kunit_fail(file, line, "byte %zu of %s is %#x, not %#x", n, text, bytes[n], wanted);
      return false;
    }
  }
  if (n != length)
    kunit_fail(file, line, "%s is %zu bytes long, not %zu", text, length, n);
  return n == length;
}

}  // namespace mana::kunit
