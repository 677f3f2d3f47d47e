// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

constexpr uint32_t kOwner = 1u << 31;

class Mailbox : public ScriptedDriver {
 protected:
  void SetUp() override { start(); }

  std::vector<uint32_t> good() { return establish_words(hwc_frames()); }
  void expect_nothing() {
    EXPECT_EQ(control("objects"),
              R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
    EXPECT_TRUE(host.interrupts.empty());
  }
};

TEST_F(Mailbox, M3_OnlyWord7Triggers) {
  const auto words = good();
  for (uint32_t i = 0; i < 7; i++)
    mailbox_word(i, words[i]);
  EXPECT_FALSE(host.scheduled);
  EXPECT_EQ(mailbox_word(7), 0u);
  // Parts of words say nothing.
  write(mailbox_ + 28, words[7], 1);
  write(mailbox_ + 30, 0, 2);
  EXPECT_FALSE(host.scheduled);
  mailbox_word(7, words[7]);
  EXPECT_TRUE(host.scheduled);
  run();
  EXPECT_EQ(mailbox_word(7), 0x81u);
}

TEST_F(Mailbox, M3_A64BitWriteCoversWord7) {
  const auto words = good();
  for (uint32_t i = 0; i < 6; i += 2)
    write(mailbox_ + 4 * i, words[i] | static_cast<uint64_t>(words[i + 1]) << 32, 8);
  EXPECT_FALSE(host.scheduled);
  write(mailbox_ + 24, words[6] | static_cast<uint64_t>(words[7]) << 32, 8);
  run();
  EXPECT_EQ(mailbox_word(7), 0x81u);
}

TEST_F(Mailbox, M4_TheDeviceOwnsItUntilTheAnswerIsFinal) {
  const auto words = good();
  for (uint32_t i = 0; i < 8; i++)
    mailbox_word(i, words[i]);
  EXPECT_NE(mailbox_word(7) & kOwner, 0u);
  // Nothing is accepted meanwhile.
  mailbox_word(0, 0x12345678);
  mailbox_word(7, 2);
  EXPECT_EQ(mailbox_word(0), words[0]);
  EXPECT_NE(mailbox_word(7) & kOwner, 0u);
  run();
  EXPECT_EQ(mailbox_word(7), 0x81u);
  EXPECT_EQ(destroy(), 0x82u);
}

TEST_F(Mailbox, M5_EchoesTypeAndVersionAndSaysResponse) {
  EXPECT_EQ(mailbox({0, 0, 0, 0, 0, 0, 0, 2}), 0x82u);
  EXPECT_EQ(mailbox({0, 0, 0, 0, 0, 0, 0, 0x0C}), 0x8Cu);
  // Unknown types and versions: same type, a version not above, a status.
  for (uint32_t type = 0; type < 8; type++) {
    for (uint32_t version = 0; version < 8; version++) {
      const uint32_t answer = mailbox({0, 0, 0, 0, 0, 0, 0, type | version << 3});
      EXPECT_EQ(answer & 7, type);
      EXPECT_LE(answer >> 3 & 7, version);
      EXPECT_EQ(answer & 0x80, 0x80u);
      EXPECT_EQ(answer & kOwner, 0u);
      if (type != 2 && type != 4)
        EXPECT_GE(answer >> 8 & 0xFF, 1u) << type;
    }
  }
}

TEST_F(Mailbox, M6_V1_BadFramesAndVectors) {
  auto message = hwc_frames();
  const auto original = message;
  const u64 bad_frames[] = {0, 0xFFFFFFFFFFFFF,
                            (FakeHost::kMemoryBase + FakeHost::kMemoryBytes) >> 12};
  for (u64* frame : {&message.eq_frame, &message.cq_frame, &message.rq_frame, &message.sq_frame}) {
    for (const u64 bad : bad_frames) {
      *frame = bad;
      EXPECT_EQ(mailbox(establish_words(message)), 0x181u);
      expect_nothing();
    }
    message = original;
  }
  message.msix_vector = static_cast<uint16_t>(geometry.msix_vectors);
  EXPECT_EQ(mailbox(establish_words(message)), 0x181u);
  message.msix_vector = 0xFFFF;
  EXPECT_EQ(mailbox(establish_words(message)), 0x181u);
  expect_nothing();
  message.msix_vector = static_cast<uint16_t>(geometry.msix_vectors - 1);
  EXPECT_EQ(mailbox(establish_words(message)), 0x81u);
}

TEST_F(Mailbox, M6_V2_ActiveUnknownVersionOrResponse) {
  auto words = good();
  words[7] |= 1u << 3;
  EXPECT_NE(mailbox(words) & 0xFF00, 0u);
  words[7] = 0x81;
  EXPECT_NE(mailbox(words) & 0xFF00, 0u);
  words[7] = 0x101;
  EXPECT_NE(mailbox(words) & 0xFF00, 0u);
  expect_nothing();

  ASSERT_TRUE(establish());
  host.interrupts.clear();
  const auto hwc = host.bytes(hwc_eq.address(), 4096);
  EXPECT_EQ(mailbox(words = establish_words(hwc_frames())), 0x181u);
  EXPECT_TRUE(host.interrupts.empty());
  EXPECT_NE(control("objects").find("\"hwc\":1"), std::string::npos);
  EXPECT_EQ(destroy(), 0x82u);
}

TEST_F(Mailbox, M6_NoMemoryIsAnAnswerToo) {
  for (size_t n = 1; n <= 4; n++) {
    host.fail_allocation = n;
    EXPECT_EQ(mailbox(good()), 0x181u);
    expect_nothing();
  }
  host.fail_allocation = 0;
  EXPECT_EQ(mailbox(good()), 0x81u);
}

TEST_F(Mailbox, M7_DestroyFreesEverything) {
  open_two_ports();
  create_region(host.take_pages(4096), 4096);
  EXPECT_EQ(destroy(), 0x82u);
  EXPECT_EQ(control("objects"),
            R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  EXPECT_EQ(statistic("reclaimed"), 4 + 1 + 1 + 1u) << "SQs and RQs, the EQ, a region, the device";

  // No DMA and no interrupts, whatever the old queues are told.
  host.interrupts.clear();
  host.record = true;
  ring_sq(a.sqs[0].wq);
  arm(a.sqs[0].cq);
  arm(eq);
  arm(hwc_eq);
  receive(0, make_packet({}));
  run();
  EXPECT_TRUE(host.accesses.empty());
  EXPECT_TRUE(host.interrupts.empty());
}

TEST_F(Mailbox, M7_ThousandCycles) {
  const size_t allocations = host.live_allocations;
  uint32_t first_cq = 0;
  for (int i = 0; i < 1000; i++) {
    ASSERT_TRUE(establish()) << i;
    if (i == 0)
      first_cq = hwc_cq.id;
    ASSERT_EQ(hwc_cq.id, first_cq);
    if (i % 100 == 0) {
      ASSERT_TRUE(verify());
      device_id = {};
      ASSERT_TRUE(register_device());
      device_id = {};
    }
    ASSERT_EQ(destroy(), 0x82u);
    ASSERT_EQ(host.live_allocations, allocations);
  }
}

TEST_F(Mailbox, M8_TimeoutReport) {
  const std::vector<uint32_t> report = {64, 128, 3, 4, 0, 0, 0x1000BB8, 4 | 1 << 3};
  EXPECT_EQ(mailbox(report), 0x8Cu);
  auto newer = report;
  newer[7] = 4 | 3 << 3;
  EXPECT_EQ(mailbox(newer), 0x8Cu) << "answered in the version that is known";
  ASSERT_TRUE(establish());
  EXPECT_EQ(mailbox(report), 0x8Cu);
  EXPECT_TRUE(verify()) << "the channel does not mind";
}

TEST_F(Mailbox, M9_FunctionLevelReset) {
  open_two_ports();
  const auto words = good();
  for (uint32_t i = 0; i < 8; i++)
    mailbox_word(i, words[i]);
  ops_->reset(model_);
  EXPECT_EQ(control("objects"),
            R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  for (uint32_t i = 0; i < 8; i++)
    EXPECT_EQ(mailbox_word(i), 0u);
  host.interrupts.clear();
  run();
  EXPECT_TRUE(host.interrupts.empty());
  EXPECT_EQ(read32(0x10), 4096u);
  device_id = {};
  open_two_ports();
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
}

TEST_F(Mailbox, ResetVfBitResetsFirst) {
  ASSERT_TRUE(establish());
  auto words = good();
  words[7] |= 1u << 24;
  EXPECT_EQ(mailbox(words), 0x81u);
}

}  // namespace
}  // namespace mana::test
