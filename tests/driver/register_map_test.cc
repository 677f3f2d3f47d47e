// SPDX-License-Identifier: GPL-2.0
// src/gdma/register_map.cc
#include "gdma/register_map.h"

#include <optional>

#include "scripted_device.h"

namespace mana::test {
namespace {

namespace reg = wire::reg;

class RegisterMapTest : public KernelTest {
 protected:
  void SetUp() override { kernel.attach(&device); }

  Errno read() {
    auto function = kern::PciFunction::enable(kernel.pdev());
    auto bar = kern::Bar::map(*function);
    const char* reason = nullptr;
    auto map = gdma::RegisterMap::read(*bar, &reason);
    if (map)
      return Errno{0};
    EXPECT_NE(reason, nullptr);
    return map.error();
  }

  RegisterFile device;
};

TEST_F(RegisterMapTest, ReadsWhatTheDeviceSays) {
  auto function = kern::PciFunction::enable(kernel.pdev());
  auto bar = kern::Bar::map(*function);
  const char* reason = nullptr;
  device.poke<u64>(reg::kSmcOffset, 0x200);
  auto map = gdma::RegisterMap::read(*bar, &reason);
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->mailbox_offset(), 0x200u);
  EXPECT_EQ(map->version(), 0x01000001u);
  EXPECT_FALSE(map->device_gone());
  device.poke<u32>(reg::kVersion, ~0u);
  EXPECT_TRUE(map->device_gone());
}

TEST_F(RegisterMapTest, D2_AllOnesMeansNoDevice) {
  device.poke<u32>(reg::kVersion, ~0u);
  EXPECT_EQ(read(), Errno::kNoDevice);
  // Nothing else was asked, and nothing was written.
  EXPECT_EQ(kernel.mmio.size(), 1u);
}

TEST_F(RegisterMapTest, D3_DoorbellPageSize) {
  for (u32 size : {0u, 1u, 2048u, 4095u, 4097u, 6144u, 12288u, 0xFFFFu}) {
    device.poke<u32>(reg::kDoorbellSize, size);
    EXPECT_EQ(read(), Errno::kProtocol) << size;
  }
  device.poke<u32>(reg::kDoorbellSize, 0x2000);
  EXPECT_EQ(read(), Errno{0});
}

TEST_F(RegisterMapTest, D3_DoorbellZoneInsideTheBar) {
  for (u64 offset : {0x3001ull, 0x3004ull, 0x3008ull, 0x4000ull, 0x4008ull, ~0ull, ~7ull,
                     0x8000'0000'0000'0000ull}) {
    device.poke<u64>(reg::kDoorbellOffset, offset);
    EXPECT_EQ(read(), Errno::kProtocol) << offset;
  }
  device.poke<u64>(reg::kDoorbellOffset, 0x3000);
  EXPECT_EQ(read(), Errno{0});
}

TEST_F(RegisterMapTest, D3_MailboxAlignedAndInsideTheBar) {
  for (u64 offset : {0x29ull, 0x2Aull, 0x3FE4ull, 0x4000ull, ~0ull, ~3ull, ~31ull}) {
    device.poke<u64>(reg::kSmcOffset, offset);
    EXPECT_EQ(read(), Errno::kProtocol) << offset;
  }
  device.poke<u64>(reg::kSmcOffset, 0x3FE0);
  EXPECT_EQ(read(), Errno{0});
}

TEST_F(RegisterMapTest, D3_MailboxSize) {
  for (u32 size : {0u, 28u, 31u, 33u, 64u, 0xFFFFu}) {
    device.poke<u32>(reg::kSmcSize, size);
    EXPECT_EQ(read(), Errno::kProtocol) << size;
  }
}

TEST_F(RegisterMapTest, D3_BarTooSmallForTheMap) {
  device.bytes.resize(0x24);
  EXPECT_EQ(read(), Errno::kProtocol);
  EXPECT_TRUE(kernel.mmio.empty());
}

TEST_F(RegisterMapTest, D4_DoorbellPagesInsideTheBar) {
  auto function = kern::PciFunction::enable(kernel.pdev());
  auto bar = kern::Bar::map(*function);
  const char* reason = nullptr;
  auto map = gdma::RegisterMap::read(*bar, &reason);
  ASSERT_TRUE(map.ok());
  for (u32 id : {0u, 1u, 2u}) {
    auto page = map->doorbell_page(id);
    ASSERT_TRUE(page.ok()) << id;
    EXPECT_EQ(page->id(), id);
    page->ring_sq(1, 32);
    EXPECT_EQ(kernel.mmio.back().offset, 0x1000u * (id + 1));
  }
  for (u32 id : {3u, 4u, 0xFFFFu, 0x000FFFFFu, 0x00100000u, 0xFFFFFFFFu})
    EXPECT_FALSE(map->doorbell_page(id).ok()) << id;
}

}  // namespace
}  // namespace mana::test
