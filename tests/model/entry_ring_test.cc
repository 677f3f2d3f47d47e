// SPDX-License-Identifier: GPL-2.0
// CQ and EQ: owner bits, arming, overflow. Test EQEs fill an EQ, fences fill a CQ.
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class EventQueue : public ScriptedDriver {
 protected:
  void SetUp() override { bring_up(); }

  void post_event(uint32_t id) {
    wire::GenerateTestEqeRequest test = {};
    test.eq_id = id;
    ASSERT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  }
  void post_event() { post_event(eq.id); }
  size_t interrupts() { return host.take_interrupts(1); }
  void ring_eq(uint32_t index, bool arm) {
    ring(page_, wire::doorbell::kEq, wire::doorbell::event_queue(eq.id, index, arm));
  }
};

TEST_F(EventQueue, M20_OwnerByteLastThenTheInterrupt) {
  host.record = true;
  host.accesses.clear();
  post_event();
  host.record = false;
  size_t body = 0;
  size_t owner = 0;
  size_t interrupt = 0;
  for (size_t i = 0; i < host.accesses.size(); i++) {
    const auto& access = host.accesses[i];
    if (access.is_interrupt && access.address == 1)
      interrupt = i;
    if (!access.is_write || access.address / 4096 != eq.address() / 4096)
      continue;
    if (access.address % 16 == 15) {
      EXPECT_EQ(access.length, 1u);
      owner = i;
    } else {
      EXPECT_EQ(access.address % 16 + access.length, 15u);
      body = i;
    }
  }
  EXPECT_LT(body, owner);
  EXPECT_LT(owner, interrupt);
}

TEST_F(EventQueue, M21_LapsFromOneModuloEight) {
  for (uint32_t i = 0; i < 256 * 17; i++) {
    ASSERT_EQ(eq.owner(), (eq.lap() + 7) % 8) << "empty before";
    post_event();
    ASSERT_EQ(type_of(eq.next()), 64) << i;
    if (i % 100 == 0)
      arm(eq);
  }
}

TEST_F(EventQueue, M22_OneInterruptForEachArming) {
  post_event();
  post_event();
  EXPECT_EQ(interrupts(), 1u);
  eq.next();
  eq.next();
  arm(eq);
  EXPECT_EQ(interrupts(), 0u);
  post_event();
  EXPECT_EQ(interrupts(), 1u);
  post_event();
  EXPECT_EQ(interrupts(), 0u);
}

TEST_F(EventQueue, M22_ArmWithPendingNotifiesAtOnce) {
  post_event();
  post_event();
  EXPECT_EQ(interrupts(), 1u);
  eq.next();
  arm(eq);  // one is left
  EXPECT_EQ(interrupts(), 1u);
  // It stayed unarmed.
  post_event();
  EXPECT_EQ(interrupts(), 0u);
  // The same doorbell again notifies again.
  arm(eq);
  EXPECT_EQ(interrupts(), 1u);
}

TEST_F(EventQueue, M22_AnOlderIndexThanTheLast) {
  post_event();
  eq.next();
  arm(eq);
  interrupts();
  ring_eq(256, true);  // takes back what it acknowledged: one is pending
  EXPECT_EQ(interrupts(), 1u);
  post_event();
  EXPECT_EQ(interrupts(), 0u) << "it did not stay armed";
}

TEST_F(EventQueue, M22_ArmAtExactlyOneLap) {
  eq.next();
  for (int i = 0; i < 256; i++)
    post_event();
  interrupts();
  arm(eq);  // d = N
  EXPECT_EQ(interrupts(), 1u);
  post_event();
  arm(eq);  // d = N + 1: overrun
  EXPECT_EQ(interrupts(), 0u);
}

TEST_F(EventQueue, M22_UnarmedDoorbellDisarms) {
  arm(eq);
  arm(eq, false);
  post_event();
  EXPECT_EQ(interrupts(), 0u);
}

TEST_F(EventQueue, M24_AnEmptyQueueNeverNotifies) {
  for (int i = 0; i < 10; i++) {
    arm(eq);
    arm(eq, false);
  }
  EXPECT_EQ(interrupts(), 0u);
}

TEST_F(EventQueue, M27_IndexWrapsAtEightLaps) {
  for (uint32_t i = 0; i < 256 * 8; i++) {
    post_event();
    eq.next();
    if (i % 64 == 0)
      arm(eq);
  }
  EXPECT_EQ(eq.index(), 256u) << "wrapped";
  interrupts();
  arm(eq);
  post_event();
  EXPECT_EQ(interrupts(), 1u);
}

TEST_F(EventQueue, V3_IndicesOutOfRangeAreIgnored) {
  const uint64_t before = statistic("ignored");
  ring_eq(256 * 8, true);
  ring_eq(0x7FFFFFFF, true);
  EXPECT_EQ(statistic("ignored") - before, 2u);
  EXPECT_EQ(interrupts(), 0u);
  ring(page_, wire::doorbell::kEq, wire::doorbell::event_queue(0xFFFF, 0, true));
  ring(0, wire::doorbell::kEq, wire::doorbell::event_queue(eq.id, eq.index(), true));
  EXPECT_EQ(statistic("ignored") - before, 4u);
}

TEST_F(EventQueue, M31_V16_StopsAfterEightLaps) {
  for (uint32_t i = 0; i < 256 * 8; i++)
    post_event();
  EXPECT_EQ(statistic("entries_lost"), 0u);
  const auto before = host.bytes(eq.address(), 4096);
  post_event();
  post_event();
  EXPECT_EQ(statistic("entries_lost"), 2u);
  EXPECT_EQ(host.bytes(eq.address(), 4096), before);
}

class CompletionQueue : public ScriptedDriver {
 protected:
  void SetUp() override {
    bring_up();
    a = open_port(0, 1, 0);
    cq = &a.rqs[0].cq;
  }
  void complete() { ASSERT_TRUE(fence(a.rqs[0]).ok()); }
  size_t events() {
    size_t count = 0;
    while (auto eqe = eq.next()) {
      EXPECT_EQ(eqe->type(), wire::EqeType::kCompletion);
      EXPECT_EQ(eqe->data[0], cq->id);
      EXPECT_EQ(eqe->data[1] | eqe->data[2], 0u);
      count++;
    }
    arm(eq);
    return count;
  }

  ConsumerRing<wire::Cqe>* cq = nullptr;
};

TEST_F(CompletionQueue, M20_OwnerByteLastThenTheEvent) {
  host.record = true;
  host.accesses.clear();
  complete();
  host.record = false;
  std::vector<int> order;
  for (const auto& access : host.accesses) {
    if (access.is_interrupt && access.address == 1)
      order.push_back(4);
    else if (access.is_write && access.address / 4096 == cq->address() / 4096)
      order.push_back(access.address % 64 == 63 ? 2 : 1);
    else if (access.is_write && access.address / 4096 == eq.address() / 4096)
      order.push_back(3);
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 3, 4}));
}

TEST_F(CompletionQueue, M21_LapsFromOneModuloEight) {
  for (uint32_t i = 0; i < 64 * 20; i++) {
    ASSERT_EQ(cq->owner(), (cq->lap() + 7) % 8);
    complete();
    ASSERT_TRUE(cq->next()) << i;
    if (i % 200 == 0)
      arm(*cq, false);
  }
}

TEST_F(CompletionQueue, M22_CreatedArmed) {
  complete();
  EXPECT_EQ(events(), 1u);
}

TEST_F(CompletionQueue, M23_OneEventBetweenArmings) {
  for (int i = 0; i < 20; i++)
    complete();
  EXPECT_EQ(events(), 1u);
  while (cq->next()) {
  }
  arm(*cq);
  EXPECT_EQ(events(), 0u);
  for (int i = 0; i < 20; i++)
    complete();
  EXPECT_EQ(events(), 1u);
}

TEST_F(CompletionQueue, M22_ArmWithPendingNotifiesAtOnce) {
  complete();
  complete();
  EXPECT_EQ(events(), 1u);
  cq->next();
  arm(*cq);
  EXPECT_EQ(events(), 1u);
  complete();
  EXPECT_EQ(events(), 0u) << "it stayed unarmed";
}

TEST_F(CompletionQueue, M22_OverrunDoesNotNotify) {
  for (int i = 0; i < 65; i++)
    complete();
  events();
  arm(*cq);  // d = 65 of 64
  EXPECT_EQ(events(), 0u);
  cq->next();
  // The consumer's slot was overwritten, but its index is now within one lap.
  ring(page_, wire::doorbell::kCq, wire::doorbell::completion_queue(cq->id, 64 + 1, true));
  EXPECT_EQ(events(), 1u);
}

TEST_F(CompletionQueue, M24_AnEmptyQueueNeverNotifies) {
  complete();
  EXPECT_EQ(events(), 1u);
  cq->next();
  arm(*cq);
  arm(*cq);
  arm(*cq, false);
  arm(*cq);
  EXPECT_EQ(events(), 0u);
}

TEST_F(CompletionQueue, M31_DoorbellsAreNotFlowControl) {
  // Four laps and a batch without a doorbell, as a polling driver does.
  for (uint32_t i = 0; i < 64 * 7; i++) {
    complete();
    ASSERT_TRUE(cq->next()) << i;
  }
  EXPECT_EQ(statistic("entries_lost"), 0u);
  arm(*cq, false);
  for (uint32_t i = 0; i < 64 * 8; i++) {
    complete();
    ASSERT_TRUE(cq->next()) << i;
  }
  EXPECT_EQ(statistic("entries_lost"), 0u);
  complete();
  EXPECT_FALSE(cq->next());
  EXPECT_EQ(statistic("entries_lost"), 1u);
}

TEST_F(CompletionQueue, M31_AnOverflowedCqDropsPacketsNotBuffers) {
  post_buffers(a, 0, 4);
  for (uint32_t i = 0; i < 64 * 8; i++)
    complete();
  config.external_ports = 0;
  b = open_port(1);
  EXPECT_EQ(send_frame(b, make_packet({.source = 2, .destination = 1})), 32);
  EXPECT_EQ(port_statistic(0, "rx_dropped_no_wqe"), 1u);
  // Once acknowledged it goes on, with the first buffer.
  ring(page_, wire::doorbell::kCq, wire::doorbell::completion_queue(cq->id, 64, false));
  while (cq->next()) {
  }
  EXPECT_EQ(send_frame(b, make_packet({.source = 2, .destination = 1})), 32);
  EXPECT_EQ(port_statistic(0, "rx_packets"), 1u);
  EXPECT_EQ(*host.at(a.buffers[0][0] + 11), 2);
}

TEST_F(CompletionQueue, V3_ForeignPageAndUnknownIds) {
  complete();
  events();
  const uint64_t before = statistic("ignored");
  ring(0, wire::doorbell::kCq, wire::doorbell::completion_queue(cq->id, 64, true));
  ring(page_, wire::doorbell::kCq, wire::doorbell::completion_queue(0xFFFFFF, 64, true));
  ring(page_, wire::doorbell::kCq, wire::doorbell::completion_queue(cq->id, 512, true));
  EXPECT_EQ(statistic("ignored") - before, 3u);
  EXPECT_EQ(events(), 0u);
}

TEST_F(CompletionQueue, M43_NoParentMeansNoEvents) {
  const auto with_parent = eq;
  eq.id = 0xFFFF;
  const auto rq = create_queue(wire::WqType::kRq, a);
  eq = with_parent;
  ASSERT_TRUE(rq);
  EXPECT_TRUE(fence(*rq).ok());
  auto own = rq->cq;
  EXPECT_TRUE(own.next());
  EXPECT_FALSE(eq.next());
}

}  // namespace
}  // namespace mana::test
