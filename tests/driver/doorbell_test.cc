// SPDX-License-Identifier: GPL-2.0
// src/gdma/doorbell.h
#include "gdma/doorbell.h"

#include "scripted_device.h"

namespace mana::test {
namespace {

class DoorbellTest : public KernelTest {
 protected:
  void SetUp() override {
    kernel.attach(&device);
    u64 bytes = 0;
    bar = static_cast<u8*>(shim_mmio_map(kernel.pdev(), &bytes));
  }
  void TearDown() override {
    shim_mmio_unmap(kernel.pdev(), bar);
    KernelTest::TearDown();
  }
  void expect(u64 offset, u64 value) {
    ASSERT_EQ(kernel.mmio.size(), 1u);
    const Mmio access = kernel.mmio.back();
    kernel.mmio.clear();
    EXPECT_TRUE(access.is_write);
    EXPECT_EQ(access.size, 8u);
    EXPECT_EQ(access.offset, offset);
    EXPECT_EQ(access.value, value);
  }

  RegisterFile device;
  u8* bar = nullptr;
};

// Appendix B.2
TEST_F(DoorbellTest, D32_OneAccessOf64Bits) {
  const gdma::DoorbellPage page{bar + 0x2000, 1};
  page.ring_sq(0x18, 5 * 32);
  expect(0x2000, 0x000000a0'00000018);
  page.ring_cq(0x2A, 64, true);
  expect(0x2800, 0x80000040'0000002a);
  page.ring_eq(0x19, 261, true);
  expect(0x2FF8, 0x80000105'00000019);
}

TEST_F(DoorbellTest, D30_TailWrapsAt32Bits) {
  const gdma::DoorbellPage page{bar + 0x1000, 0};
  page.ring_rq(0x1234, 0xFFFFFFE0);
  expect(0x1400, 0xffffffe0'00001234);
  page.ring_rq(0x1234, 0);
  expect(0x1400, 0x00000000'00001234);
}

TEST_F(DoorbellTest, D31_IndexAndArmBit) {
  const gdma::DoorbellPage page{bar + 0x1000, 0};
  page.ring_cq(0x2A, 67, false);
  expect(0x1800, 0x00000043'0000002a);
  page.ring_eq(0xFFFF, 0, false);
  expect(0x1FF8, 0x00000000'0000ffff);
}

TEST_F(DoorbellTest, D33_WqeCountIsZero) {
  const gdma::DoorbellPage page{bar + 0x1000, 0};
  page.ring_rq(0x00FFFFFF, 0x20);
  expect(0x1400, 0x00000020'00ffffff);
}

}  // namespace
}  // namespace mana::test
