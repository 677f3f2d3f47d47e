// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

class Registers : public ScriptedDriver {
 protected:
  void SetUp() override { start(); }
};

// The PCI ids and the capability are the host's; its half of M-1 is the geometry.
TEST_F(Registers, M1_GeometryCoversMapMailboxAndDoorbells) {
  EXPECT_GE(geometry.msix_vectors, 2u);
  EXPECT_GE(geometry.bar0_size, 4096u);
  EXPECT_EQ(geometry.bar0_size & (geometry.bar0_size - 1), 0u);
  EXPECT_LE(mailbox_ + 32, geometry.bar0_size);
  EXPECT_LE(doorbells_ + 2 * 4096, geometry.bar0_size);
}

TEST_F(Registers, M2_MapIn32And64Bits) {
  EXPECT_EQ(read32(0x00) >> 24, 1u);
  EXPECT_NE(read32(0x00), 0xFFFFFFFFu);
  EXPECT_EQ(read32(0x10), 4096u);
  EXPECT_EQ(read(0x20, 2), 32u);
  EXPECT_EQ(read(0x08, 8), read32(0x08) | static_cast<uint64_t>(read32(0x0C)) << 32);
  EXPECT_EQ(read(0x18, 8), read32(0x18) | static_cast<uint64_t>(read32(0x1C)) << 32);
  EXPECT_EQ(doorbells_ % 4096, 0u);
  EXPECT_EQ(mailbox_ % 4, 0u);
}

TEST_F(Registers, M2_WritesToTheMapAreIgnored) {
  for (uint32_t offset = 0; offset < 0x28; offset += 4) {
    const uint32_t before = read32(offset);
    write(offset, ~0ull, 4);
    EXPECT_EQ(read32(offset), before);
  }
}

TEST_F(Registers, M2_ElsewhereReadsAllOnes) {
  EXPECT_EQ(read(0x48, 4), 0xFFFFFFFFu);
  EXPECT_EQ(read(doorbells_, 8), ~0ull);
  EXPECT_EQ(read(doorbells_ + 0x400, 1), 0xFFu);
  EXPECT_EQ(read(geometry.bar0_size, 2), 0xFFFFu);
  EXPECT_EQ(read(~0ull - 3, 4), 0xFFFFFFFFu);
}

TEST_F(Registers, M25_OnlyWholeDoorbellsAtDefinedOffsets) {
  bring_up();
  a = open_port(0);
  const uint64_t before = statistic("ignored");
  Queue& sq = a.sqs[0];
  const uint64_t page = doorbells_ + page_ * 4096ull;
  sq.wq.post(make_wqe(tx_wqe(a, sq, make_packet({}), {})));
  const uint64_t value = wire::doorbell::work_queue(sq.wq.id, sq.wq.tail);
  write(page + wire::doorbell::kSq, value, 4);
  write(page + wire::doorbell::kSq + 4, value >> 32, 4);
  write(page + wire::doorbell::kSq, value, 2);
  write(page + 0x008, value, 8);
  write(page + 0x010, value, 4);  // the short form is not implemented
  write(page + 0x410, value, 4);
  write(page + 0x7F8, value, 8);
  write(geometry.bar0_size - 8, value, 8);
  run();
  EXPECT_EQ(next_tx_type(sq), -1);
  EXPECT_EQ(statistic("ignored") - before, 8u);
  // These exist, and mean nothing here.
  write(page + wire::doorbell::kRqClientData, value, 8);
  write(page + wire::doorbell::kCqModeration, value, 8);
  EXPECT_EQ(statistic("ignored") - before, 8u);

  ring_sq(sq.wq);
  run();
  EXPECT_EQ(next_tx_type(sq), 32);
}

TEST_F(Registers, M25_ComplaintsAreLimited) {
  host.log.clear();
  for (int i = 0; i < 1000; i++)
    ring(0, wire::doorbell::kSq, 0x123456);
  EXPECT_LE(host.log.size(), 10u);
}

}  // namespace
}  // namespace mana::test
