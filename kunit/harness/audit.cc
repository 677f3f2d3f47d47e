// SPDX-License-Identifier: GPL-2.0
// After each case: nothing may be left. What a function leaves is reported when it ends, see
// function.c, vectors.c and iommu.c of kunit/shim; here is the rest.
#include "kunit/harness/function.h"
#include "kunit/shim/faults.h"
#include "kunit/shim/pools.h"
#include "kunit/shim/reports.h"
#include "kunit/shim/stack.h"

namespace {

// Much longer than a pool takes to notice that its last page is back.
constexpr u32 kPoolsMs = 5000;

bool pools_left = false;  // for good: told once

}  // namespace

void mana_kunit_audit() {
  using mana::kunit::live_functions;

  if (live_functions != 0)
    FAIL("%u PCI functions are left", live_functions);
  live_functions = 0;
  if (const u32 programs = kunit_xdp_programs(); programs != 0)
    FAIL("%u references to XDP programs are left", programs);
  if (kunit_fail_allocation_left() != 0)
    kunit_fail_allocation(0);
  // Pages that were never given back, or given back too often.
  if (!pools_left && !kunit_no_pools_left(kPoolsMs)) {
    pools_left = true;
    FAIL("page pools wait for pages");
  }
  if (kunit_new_reports())
    FAIL("the kernel has warned: see the lines above");
}
