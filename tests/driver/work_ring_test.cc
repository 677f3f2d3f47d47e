// SPDX-License-Identifier: GPL-2.0
// src/gdma/work_ring.h
#include "gdma/work_ring.h"

#include "driver_test.h"

namespace mana::test {
namespace {

class WorkRingTest : public KernelTest {
 protected:
  gdma::WorkRing make(u32 units) {
    auto ring = gdma::WorkRing::create(&kernel.pdev()->dev, units);
    EXPECT_TRUE(ring.ok());
    return mana::move(*ring);
  }
};

TEST_F(WorkRingTest, D26_SizesArePowersOfTwoOfAtLeastAPage) {
  for (u32 units : {0u, 1u, 127u, 128u, 129u, 500u, 16384u}) {
    const gdma::WorkRing ring = make(units);
    EXPECT_TRUE(is_power_of_two(ring.memory().bytes()));
    EXPECT_GE(ring.memory().bytes(), 4096u);
    EXPECT_GE(ring.units(), units);
    EXPECT_EQ(ring.units() * 32, ring.memory().bytes());
  }
}

TEST_F(WorkRingTest, D30_TailIsTheByteProducerModulo32Bits) {
  gdma::WorkRing ring = make(128);
  ring.advance(5);
  EXPECT_EQ(ring.doorbell_tail(), 0xA0u);
  ring.advance(0x7FFFFFF - 5);
  EXPECT_EQ(ring.doorbell_tail(), 0xFFFFFFE0u);
  ring.advance(1);
  EXPECT_EQ(ring.doorbell_tail(), 0u);
  EXPECT_EQ(ring.producer(), 0x8000000u);
}

// Every start and every number of SGEs that a WQE can have: no byte outside the WQE's own.
TEST_F(WorkRingTest, D34_SglWrapsForEveryStartAndCount) {
  gdma::WorkRing ring = make(128);
  const u32 bytes = ring.memory().bytes();
  for (wire::OobSize oob : {wire::OobSize::k8, wire::OobSize::k24}) {
    const u32 sgl = wire::sgl_offset(oob);
    for (u32 count = 1; count <= wire::max_sges(wire::kMaxSqWqeBytes, oob); count++) {
      for (u32 start = 0; start < 128; start++) {
        ring.memory().clear();
        std::memset(ring.at(start), 0xA5, 16);
        if (oob == wire::OobSize::k24)
          std::memset(ring.at(start, 16), 0xA5, 16);
        for (u32 i = 0; i < count; i++)
          ring.write_sge(start, sgl, i, 0x1000 + i, 0x99, 7 + i);
        Bytes expected(bytes);
        for (u32 i = 0; i < sgl; i++)
          expected[(start * 32 + i) % bytes] = 0xA5;
        for (u32 i = 0; i < count; i++) {
          const wire::Sge sge{.address = 0x1000 + i, .memory_key = 0x99, .size = 7 + i};
          std::memcpy(&expected[(start * 32 + sgl + 16 * i) % bytes], &sge, sizeof(sge));
        }
        ASSERT_EQ(std::memcmp(ring.memory().data(), expected.data(), bytes), 0)
            << "start " << start << " SGEs " << count;
      }
    }
  }
}

TEST_F(WorkRingTest, D36_RetiresOnlyWhatWasPosted) {
  gdma::WorkRing ring = make(128);
  EXPECT_FALSE(ring.retire(1));
  ring.advance(3);
  EXPECT_EQ(ring.used(), 3u);
  EXPECT_EQ(ring.available(), 125u);
  EXPECT_FALSE(ring.retire(4));
  EXPECT_EQ(ring.used(), 3u);
  EXPECT_TRUE(ring.retire(2));
  EXPECT_TRUE(ring.retire(1));
  EXPECT_FALSE(ring.retire(1));
  // The same where 32 bits end.
  ring.advance(0xFFFFFFFF - 3);
  EXPECT_TRUE(ring.retire(0xFFFFFFFF - 3));
  EXPECT_EQ(ring.producer(), 0xFFFFFFFFu);
  ring.advance(4);
  EXPECT_EQ(ring.used(), 4u);
  EXPECT_EQ(ring.available(), 124u);
  EXPECT_EQ(ring.index_of(ring.producer()), 3u);
  EXPECT_FALSE(ring.retire(5));
  EXPECT_TRUE(ring.retire(4));
}

}  // namespace
}  // namespace mana::test
