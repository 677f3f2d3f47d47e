// SPDX-License-Identifier: GPL-2.0
// completion_queue.cc, and how drivers ask for it: interrupt moderation (data sheet 5.6.5, 7.5).
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

constexpr uint64_t kUs = 1000;

class Moderation : public ScriptedDriver {
 protected:
  void SetUp() override { prepare("moderation=2"); }
  void prepare(const std::string& text, uint64_t caps = wire::driver_cap::kCqModeration) {
    options = text;
    bring_up(caps);
    a = open_port(0, 1, 0);
    cq = &a.rqs[0].cq;
    arm(eq);
  }
  void moderate(const ConsumerRing<wire::Cqe>& ring_of, uint32_t period, uint32_t count) {
    ring(page_, wire::doorbell::kCqModeration,
         wire::doorbell::moderation(ring_of.id, period, count));
    run();
  }
  // A fence is the simplest completion.
  void complete(int times = 1) {
    for (int i = 0; i < times; i++)
      ASSERT_TRUE(fence(a.rqs[0]).ok());
  }
  size_t events() {
    size_t count = 0;
    while (auto eqe = eq.next())
      count += eqe->type() == wire::EqeType::kCompletion && eqe->data[0] == cq->id;
    arm(eq);
    return count;
  }
  void consume() {
    while (cq->next()) {
    }
    arm(*cq);
    run();
  }

  ConsumerRing<wire::Cqe>* cq = nullptr;
};

TEST_F(Moderation, M23_EnoughCompletionsMakeAnEvent) {
  moderate(*cq, 1000, 4);
  complete(3);
  EXPECT_EQ(events(), 0u);
  complete();
  EXPECT_EQ(events(), 1u);
  complete(10);
  EXPECT_EQ(events(), 0u) << "it is not armed";
  consume();
  complete(4);
  EXPECT_EQ(events(), 1u);
  EXPECT_EQ(statistic("events_by_count"), 2u);
  EXPECT_EQ(statistic("events_by_time"), 0u);
  pass_time(5000 * kUs);
  EXPECT_EQ(events(), 0u) << "the period ended with the event";
}

TEST_F(Moderation, M23_EnoughTimeMakesAnEvent) {
  moderate(*cq, 50, 200);
  complete();
  pass_time(20 * kUs);
  complete();
  pass_time(29 * kUs);
  EXPECT_EQ(events(), 0u);
  pass_time(1 * kUs);
  EXPECT_EQ(events(), 1u) << "50 us after the first completion";
  EXPECT_EQ(statistic("events_by_time"), 1u);
  pass_time(1000 * kUs);
  EXPECT_EQ(events(), 0u);
  consume();
  pass_time(1000 * kUs);
  EXPECT_EQ(events(), 0u) << "M-24: nothing is pending";
  complete();
  EXPECT_EQ(events(), 0u);
  pass_time(50 * kUs);
  EXPECT_EQ(events(), 1u);
}

TEST_F(Moderation, M22_ArmingWithPendingIsModeratedToo) {
  moderate(*cq, 50, 3);
  complete(2);
  pass_time(50 * kUs);
  EXPECT_EQ(events(), 1u);
  cq->next();
  arm(*cq);  // one is pending
  run();
  EXPECT_EQ(events(), 0u);
  pass_time(50 * kUs);
  EXPECT_EQ(events(), 1u);
  complete(4);
  cq->next();
  arm(*cq);  // four are
  run();
  EXPECT_EQ(events(), 1u);
}

TEST_F(Moderation, M22_ADoorbellThatDoesNotArmEndsTheWait) {
  moderate(*cq, 50, 0);
  complete();
  arm(*cq, false);
  run();
  pass_time(100 * kUs);
  EXPECT_EQ(events(), 0u);
  EXPECT_EQ(statistic("events_by_time"), 0u);
}

TEST_F(Moderation, M22_ArmingAgainBeginsAnew) {
  moderate(*cq, 50, 0);
  complete();
  pass_time(30 * kUs);
  consume();
  complete();
  pass_time(49 * kUs);
  EXPECT_EQ(events(), 0u);
  pass_time(1 * kUs);
  EXPECT_EQ(events(), 1u);
}

TEST_F(Moderation, SwitchedOffWhileAnEventWaits) {
  moderate(*cq, 1000, 100);
  complete();
  EXPECT_EQ(events(), 0u);
  moderate(*cq, 0, 0);
  EXPECT_EQ(events(), 1u);
  consume();
  complete();
  EXPECT_EQ(events(), 1u);
  EXPECT_EQ(statistic("moderated_cqs"), 0u);
}

TEST_F(Moderation, TheDoorbellChangesWhatIsMarkedValid) {
  using namespace wire::doorbell;
  moderate(*cq, 50, 2);
  ring(page_, kCqModeration,
       QueueId::put(cq->id) | ModerationCountValid::put(1) | ModerationCount::put(3) |
           ModerationPeriod::put(0));
  complete(2);
  EXPECT_EQ(events(), 0u);
  complete();
  EXPECT_EQ(events(), 1u);
}

TEST_F(Moderation, V3_ForeignPageAndUnknownIds) {
  const uint64_t before = statistic("ignored");
  ring(0, wire::doorbell::kCqModeration, wire::doorbell::moderation(cq->id, 50, 2));
  ring(page_, wire::doorbell::kCqModeration, wire::doorbell::moderation(0xFFFFFF, 50, 2));
  EXPECT_EQ(statistic("ignored") - before, 2u);
  complete();
  EXPECT_EQ(events(), 1u);
}

TEST_F(Moderation, NoMoreCqsThanAreOffered) {
  moderate(*cq, 50, 2);
  moderate(a.sqs[0].cq, 50, 2);
  EXPECT_EQ(statistic("moderated_cqs"), 2u);
  const auto third = create_queue(wire::WqType::kRq, a);
  ASSERT_TRUE(third);
  const uint64_t before = statistic("ignored");
  moderate(third->cq, 50, 2);
  EXPECT_EQ(statistic("ignored"), before + 1);
  EXPECT_TRUE(destroy_queue(wire::WqType::kSq, a.sqs[0]).ok());
  moderate(third->cq, 50, 2);
  EXPECT_EQ(statistic("moderated_cqs"), 2u) << "the place of the one that is gone";
  moderate(third->cq, 60, 3);
  EXPECT_EQ(statistic("ignored"), before + 1) << "a change takes no place";
}

// M-44: a queue that goes away takes its timer along.
TEST_F(Moderation, M44_DestroyedWhileAnEventWaits) {
  moderate(*cq, 50, 0);
  complete();
  EXPECT_TRUE(destroy_queue(wire::WqType::kRq, a.rqs[0]).ok());
  EXPECT_EQ(statistic("moderated_cqs"), 0u);
  pass_time(1000 * kUs);
  EXPECT_EQ(events(), 0u);
}

// M-7
TEST_F(Moderation, M7_NothingIsLeftAfterDestroyHwc) {
  moderate(*cq, 50, 0);
  complete();
  EXPECT_NE(destroy(), 0u);
  pass_time(1000 * kUs);
  EXPECT_EQ(statistic("moderated_cqs"), 0u);
}

class CreateModerated : public Moderation {
 protected:
  wire::CreateWqObjectResponseV2 create(uint16_t version, uint8_t moderated, uint16_t count,
                                        uint16_t period) {
    const uint64_t wq = host.take_pages(4096);
    cq_address = host.take_pages(4096);
    wire::CreateWqObjectRequestV3 message = {};
    message.base.vport = a.handle;
    message.base.wq_type = wire::WqType::kRq;
    message.base.wq_region = create_region(wq, 4096);
    message.base.cq_region = create_region(cq_address, 4096);
    message.base.wq_bytes = message.base.cq_bytes = 4096;
    message.base.parent_eq = eq.id;
    message.moderate = moderated;
    message.moderation_count = count;
    message.moderation_period = period;
    const Response response = command(Command::kCreateWqObject, message, 2, version);
    EXPECT_TRUE(response.ok());
    EXPECT_EQ(response.cqe.length, 56u);
    return response.as<wire::CreateWqObjectResponseV2>();
  }
  uint64_t cq_address = 0;
};

TEST_F(CreateModerated, M43_GrantedAndDone) {
  const auto answer = create(3, 1, 3, 77);
  EXPECT_EQ(answer.granted_count, 3);
  EXPECT_EQ(answer.granted_period, 77);
  EXPECT_EQ(answer.moderated, 1);
  ConsumerRing<wire::Cqe> made{host, cq_address, 4096};
  made.id = answer.base.cq_id;
  cq = &made;
  wire::FenceRqRequest message = {};
  message.object = answer.base.object;
  EXPECT_TRUE(command(Command::kFenceRq, message).ok());
  EXPECT_EQ(events(), 0u);
  pass_time(77 * kUs);
  EXPECT_EQ(events(), 1u);
}

TEST_F(CreateModerated, M43_NotAskedForOrTooMuch) {
  for (const auto& answer : {create(3, 0, 3, 77), create(2, 1, 3, 77), create(1, 1, 3, 77)}) {
    EXPECT_EQ(answer.granted_count | answer.granted_period | answer.moderated, 0);
  }
}

TEST_F(CreateModerated, M43_WithinTheLimitsOfTheDevice) {
  const auto answer = create(3, 1, 1000, 5000);
  EXPECT_EQ(answer.granted_count, 255);
  EXPECT_EQ(answer.granted_period, 1023);
}

class NotModerated : public Moderation {
 protected:
  void SetUp() override {}
  void expect_none() {
    const uint64_t before = statistic("ignored");
    moderate(*cq, 1000, 100);
    EXPECT_EQ(statistic("ignored"), before);
    complete();
    EXPECT_EQ(events(), 1u);
  }
  uint64_t offered(uint64_t caps) {
    wire::VerifyVersionRequest message = {};
    message.protocol_min = message.protocol_max = 1;
    message.driver_caps[0] = caps;
    device_id = {};
    return command(Command::kVerifyVfDriverVersion, message)
               .as<wire::VerifyVersionResponse>()
               .pf_caps[0] &
           wire::pf_cap::kCqModeration;
  }
};

TEST_F(NotModerated, M33_WithoutTheCapabilityOfTheDevice) {
  prepare("");
  expect_none();
  EXPECT_EQ(offered(wire::driver_cap::kCqModeration), 0u);
}

TEST_F(NotModerated, M33_WithoutTheCapabilityOfTheDriver) {
  prepare("moderation=16", 0);
  expect_none();
  EXPECT_EQ(offered(0), 0u);
  EXPECT_NE(offered(wire::driver_cap::kCqModeration), 0u);
}

}  // namespace
}  // namespace mana::test
