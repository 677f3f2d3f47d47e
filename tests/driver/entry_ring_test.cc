// SPDX-License-Identifier: GPL-2.0
// src/gdma/entry_ring.h
#include "gdma/entry_ring.h"

#include "driver_test.h"

namespace mana::test {
namespace {

using gdma::SlotState;

class EntryRingTest : public KernelTest {
 protected:
  template <typename Entry>
  static Entry* slots(const gdma::EntryRing<Entry>& ring) {
    return reinterpret_cast<Entry*>(ring.memory().data());
  }
};

TEST_F(EntryRingTest, D26_SizesArePowersOfTwoOfAtLeastAPage) {
  for (u32 wanted : {0u, 1u, 63u, 64u, 65u, 100u, 128u, 1000u, 4096u}) {
    auto ring = gdma::CompletionRing::create(&kernel.pdev()->dev, wanted);
    ASSERT_TRUE(ring.ok());
    const u32 bytes = ring->memory().bytes();
    EXPECT_TRUE(is_power_of_two(bytes));
    EXPECT_GE(bytes, 4096u);
    EXPECT_GE(ring->entries(), wanted);
    EXPECT_EQ(ring->entries() * 64, bytes);
    EXPECT_EQ(ring->memory().address() % 4096, 0u);
    for (u32 i = 0; i < bytes; i++)
      ASSERT_EQ(ring->memory().data()[i], 0);
  }
  kernel.fail_nth = 1;
  EXPECT_EQ(gdma::CompletionRing::create(&kernel.pdev()->dev, 64).error(), Errno::kNoMemory);
}

// Appendix B.3, over 16 laps.
TEST_F(EntryRingTest, D27_OwnerBitsOver16Laps) {
  auto ring = gdma::CompletionRing::create(&kernel.pdev()->dev, 64);
  ASSERT_TRUE(ring.ok());
  for (u32 h = 64; h < 64 * 17; h++) {
    wire::Cqe& slot = slots(*ring)[h % 64];
    const u32 lap = h / 64 % 8;
    for (u32 owner = 0; owner < 8; owner++) {
      slot.trailer = wire::OwnerBits::put(owner) | 0x1234;
      const SlotState expected = owner == lap             ? SlotState::kReady
                                 : owner == (lap + 7) % 8 ? SlotState::kEmpty
                                                          : SlotState::kOverrun;
      ASSERT_EQ(ring->state(), expected) << "H " << h << " owner " << owner;
    }
    slot.trailer = wire::OwnerBits::put(lap);
    ASSERT_EQ(&ring->front(), &slot);
    ring->pop();
    ASSERT_EQ(ring->doorbell_index(), (h + 1) % 512);
  }
}

TEST_F(EntryRingTest, D28_StateReadsTheTrailerOnly) {
  auto ring = gdma::EventRing::create(&kernel.pdev()->dev, 256);
  ASSERT_TRUE(ring.ok());
  slots(*ring)[0].data[0] = 0xDEADBEEF;
  EXPECT_EQ(ring->state(), SlotState::kEmpty);
}

TEST_F(EntryRingTest, D31_AcknowledgesAfterFourLaps) {
  auto ring = gdma::CompletionRing::create(&kernel.pdev()->dev, 64);
  ASSERT_TRUE(ring.ok());
  for (u32 i = 0; i < 4 * 64; i++) {
    EXPECT_FALSE(ring->acknowledgement_due());
    ring->pop();
  }
  EXPECT_TRUE(ring->acknowledgement_due());
  ring->acknowledge();
  EXPECT_FALSE(ring->acknowledgement_due());
}

TEST_F(EntryRingTest, ResetMakesItNew) {
  auto ring = gdma::EventRing::create(&kernel.pdev()->dev, 256);
  ASSERT_TRUE(ring.ok());
  for (u32 i = 0; i < 1'000; i++) {
    slots(*ring)[ring->doorbell_index() % 256].trailer = ~0u;
    ring->pop();
  }
  ring->reset();
  EXPECT_EQ(ring->doorbell_index(), 256u);
  EXPECT_EQ(ring->state(), SlotState::kEmpty);
  EXPECT_FALSE(ring->acknowledgement_due());
}

// H runs freely: nothing may happen where 32 bits end. Nobody has the time to go there, so the
// index is set where pop() shows it to be.
TEST_F(EntryRingTest, D31_IndexWrapsAt32Bits) {
  auto ring = gdma::CompletionRing::create(&kernel.pdev()->dev, 64);
  ASSERT_TRUE(ring.ok());
  auto* words = reinterpret_cast<u32*>(&ring.value());
  std::vector<u32> before(words, words + sizeof(ring.value()) / 4);
  ring->pop();
  u32* index = nullptr;
  for (size_t i = 0; i < before.size(); i++)
    if (words[i] != before[i])
      index = &words[i];
  ASSERT_NE(index, nullptr);
  ASSERT_EQ(*index, 65u);
  *index = 0xFFFFFFFF - 700;
  ring->acknowledge();

  for (u64 h = 0xFFFFFFFFull - 700; h < (1ull << 32) + 700; h++) {
    const u32 lap = static_cast<u32>(h / 64 % 8);
    wire::Cqe& slot = slots(*ring)[h % 64];
    slot.trailer = wire::OwnerBits::put((lap + 7) % 8);
    ASSERT_EQ(ring->state(), SlotState::kEmpty) << h;
    slot.trailer = wire::OwnerBits::put(lap);
    ASSERT_EQ(ring->state(), SlotState::kReady) << h;
    ASSERT_EQ(ring->doorbell_index(), h % 512);
    if (ring->acknowledgement_due())
      ring->acknowledge();
    ring->pop();
  }
}

}  // namespace
}  // namespace mana::test
