// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kunit/harness/test.h"
#include "kunit/shim/faults.h"

namespace mana::kunit {

// While it lives, allocations of one of the kernel's allocators fail.
class Failing : NonCopyable {
 public:
  Failing(kunit_allocator allocator, u32 percent) : allocator_{allocator} {
    if (!kunit_fail_allocator(allocator, percent))
      FAIL("allocations cannot be made to fail");
  }
  ~Failing() {
    if (!kunit_fail_allocator(allocator_, 0))
      FAIL("allocations go on failing");
  }

 private:
  kunit_allocator allocator_;
};

}  // namespace mana::kunit
