// SPDX-License-Identifier: GPL-2.0
// src/hwc/quarantine.h
#include "hwc/quarantine.h"

#include "driver_test.h"
#include "kern/dma.h"

namespace mana::test {
namespace {

class QuarantineTest : public KernelTest {
 protected:
  kern::DmaCoherent memory() {
    auto memory = kern::DmaCoherent::allocate(&kernel.pdev()->dev, 4096);
    EXPECT_TRUE(memory.ok());
    return mana::move(*memory);
  }
};

TEST_F(QuarantineTest, D65_HoldsUntilReleased) {
  hwc::Quarantine quarantine;
  quarantine.hold(memory());
  quarantine.hold(memory());
  EXPECT_EQ(quarantine.count(), 2u);
  EXPECT_EQ(kernel.coherent_count(), 2u);
  quarantine.release_all();
  EXPECT_EQ(quarantine.count(), 0u);
  EXPECT_EQ(kernel.coherent_count(), 0u);
}

TEST_F(QuarantineTest, D11_LeaksRatherThanFrees) {
  {
    hwc::Quarantine quarantine;
    quarantine.hold(memory());
  }
  EXPECT_EQ(kernel.coherent_count(), 1u);
  kernel.forget_everything();
}

TEST_F(QuarantineTest, D11_WithoutMemoryForTheBookLeaksAtOnce) {
  {
    hwc::Quarantine quarantine;
    auto held = memory();
    kernel.fail_nth = 1;
    quarantine.hold(mana::move(held));
    EXPECT_EQ(quarantine.count(), 1u);
    quarantine.release_all();
  }
  EXPECT_EQ(kernel.coherent_count(), 1u);
  kernel.forget_everything();
}

}  // namespace
}  // namespace mana::test
