// SPDX-License-Identifier: GPL-2.0
// After each case: nothing may be left. What a function leaves is reported when it ends, see
// function.c, vectors.c and iommu.c of kunit/shim; here is the rest.
#include "kunit/harness/function.h"
#include "kunit/shim/faults.h"
#include "kunit/shim/stack.h"

void mana_kunit_audit() {
  using mana::kunit::live_functions;

  if (live_functions != 0)
    FAIL("%u PCI functions are left", live_functions);
  live_functions = 0;
  if (const u32 programs = kunit_xdp_programs(); programs != 0)
    FAIL("%u references to XDP programs are left", programs);
  if (kunit_fail_allocation_left() != 0)
    kunit_fail_allocation(0);
}
