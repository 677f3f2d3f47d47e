// SPDX-License-Identifier: GPL-2.0
// src/hwc/mailbox.cc
#include "hwc/mailbox.h"

#include <optional>

#include "scripted_device.h"

namespace mana::test {
namespace {

constexpr u32 kHeader = RegisterFile::kMailbox + 28;

class MailboxTest : public KernelTest {
 protected:
  void SetUp() override {
    kernel.attach(&device);
    auto made = kern::PciFunction::enable(kernel.pdev());
    function.emplace(mana::move(*made));
    auto mapped = kern::Bar::map(*function);
    bar.emplace(mana::move(*mapped));
    mailbox.emplace(*bar, RegisterFile::kMailbox, diagnosis);
    device.init_events.clear();
  }
  void TearDown() override {
    bar.reset();
    function.reset();
    KernelTest::TearDown();
  }
  std::vector<Mmio> writes() const {
    std::vector<Mmio> found;
    for (const Mmio& access : kernel.mmio)
      if (access.is_write)
        found.push_back(access);
    return found;
  }
  Errno destroy_answered_with(u32 answer) {
    device.poke<u32>(kHeader, 0);
    device.mailbox_answer = [answer](u32) { return answer; };
    const auto result = mailbox->destroy_hwc();
    return result.error();
  }

  // Appendix B.1
  static constexpr wire::EstablishHwc kRings{.eq_frame = 0xA123456789ABC,
                                             .cq_frame = 0x0000000123456,
                                             .rq_frame = 0x3000000000001,
                                             .sq_frame = 0xF0000000FFFFF,
                                             .msix_vector = 0};

  ScriptedHwc device{kernel};
  std::optional<kern::PciFunction> function;
  std::optional<kern::Bar> bar;
  hwc::Diagnosis diagnosis;
  std::optional<hwc::Mailbox> mailbox;
};

TEST_F(MailboxTest, D5_WaitsForPossessionAndWritesHeaderLast) {
  device.poke<u32>(kHeader, 1u << 31);
  kernel.after(3'000, [&] {
    EXPECT_TRUE(writes().empty());
    device.poke<u32>(kHeader, 0);
  });
  EXPECT_TRUE(mailbox->establish_hwc(kRings).ok());
  const auto all = writes();
  ASSERT_EQ(all.size(), 8u);
  EXPECT_EQ(all.back().offset, kHeader);
}

TEST_F(MailboxTest, D6_OnlyAligned32BitAccessesAndNoForeignBits) {
  EXPECT_TRUE(mailbox->establish_hwc(kRings).ok());
  EXPECT_TRUE(mailbox->destroy_hwc().ok());
  for (const Mmio& access : kernel.mmio) {
    EXPECT_EQ(access.size, 4u);
    EXPECT_EQ(access.offset % 4, 0u);
  }
  EXPECT_EQ(device.mailbox_requests, (std::vector<u32>{1, 2}));
}

TEST_F(MailboxTest, D7_FrameNumbers) {
  EXPECT_TRUE(mailbox->establish_hwc(kRings).ok());
  const auto all = writes();
  ASSERT_EQ(all.size(), 8u);
  const u32 expected[8] = {0x56789abc, 0x34561234, 0x00000012, 0x00000001,
                           0xffff0000, 0x0000000f, 0x0000f30a, 0x00000001};
  for (u32 i = 0; i < 8; i++) {
    EXPECT_EQ(all[i].offset, RegisterFile::kMailbox + 4 * i);
    EXPECT_EQ(all[i].value, expected[i]) << "word " << i;
  }
}

TEST_F(MailboxTest, D8_AcceptsOnlyAProperAnswer) {
  EXPECT_EQ(destroy_answered_with(0x82), Errno{0});
  EXPECT_EQ(destroy_answered_with(0x02), Errno::kProtocol);         // not a response
  EXPECT_EQ(destroy_answered_with(0x81), Errno::kProtocol);         // another type
  EXPECT_EQ(destroy_answered_with(0x82 | 1 << 3), Errno::kProtocol);  // newer than asked
  EXPECT_EQ(destroy_answered_with(0x182), Errno::kIo);              // refused
  EXPECT_EQ(destroy_answered_with(0xFF82), Errno::kIo);
  EXPECT_EQ(destroy_answered_with(0), Errno::kProtocol);
}

TEST_F(MailboxTest, D8_AllOnesIsDeviceLoss) {
  EXPECT_EQ(destroy_answered_with(~0u), Errno::kNoDevice);
  const u64 before = kernel.now_ms;
  device.poke<u32>(kHeader, ~0u);
  EXPECT_EQ(mailbox->destroy_hwc().error(), Errno::kNoDevice);
  EXPECT_EQ(kernel.now_ms, before);
}

TEST_F(MailboxTest, D9_BoundedWaits) {
  const u64 before = kernel.now_ms;
  EXPECT_EQ(destroy_answered_with(1u << 31), Errno::kTimedOut);
  EXPECT_LE(kernel.now_ms - before, 60'000u);
  EXPECT_GE(kernel.now_ms - before, 1'000u);

  // Nor for possession; then nothing is written.
  kernel.mmio.clear();
  device.poke<u32>(kHeader, 1u << 31);
  const u64 again = kernel.now_ms;
  EXPECT_EQ(mailbox->establish_hwc(kRings).error(), Errno::kTimedOut);
  EXPECT_LE(kernel.now_ms - again, 60'000u);
  EXPECT_TRUE(writes().empty());
}

}  // namespace
}  // namespace mana::test
