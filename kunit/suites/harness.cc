// SPDX-License-Identifier: GPL-2.0
// The harness itself: what it promises to find, it finds.
#include "kunit/harness/nic.h"
#include "kunit/shim/faults.h"
#include "shim/memory.h"

namespace mana::kunit {
namespace {

CASE(probe_open_traffic_remove) {
  Nic nic;
  ASSERT(nic.up());
  EXPECT(nic.traffic());
  nic.close(0);
  nic.close(1);
}

CASE(the_driver_core_binds_the_driver) {
  Nic nic{{.bind = true}};
  ASSERT(nic.up());
  EXPECT(nic.traffic());
}

CASE(a_device_that_runs_inside_the_doorbell) {
  Nic nic{{.pace = KUNIT_PACE_AT_ONCE}};
  ASSERT(nic.up());
  EXPECT(nic.traffic());
}

CASE(the_nth_allocation_fails) {
  kunit_fail_allocation(1);
  void* first = shim_alloc(64, -1);
  const u32 left = kunit_fail_allocation_left();
  void* second = shim_alloc(64, -1);
  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(left, 0u);
  EXPECT_NE(second, nullptr);
  shim_free(first);
  shim_free(second);
}

constexpr mana_case kCases[] = {
    LIST(probe_open_traffic_remove),
    LIST(the_driver_core_binds_the_driver),
    LIST(a_device_that_runs_inside_the_doorbell),
    LIST(the_nth_allocation_fails),
};

}  // namespace

MANA_SUITE(harness, kCases)

}  // namespace mana::kunit
