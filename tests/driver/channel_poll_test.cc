// SPDX-License-Identifier: GPL-2.0
// src/port/channel.cc: the poll, and which doorbells it rings.
#include "driver_test.h"

namespace mana::test {
namespace {

class ChannelPollTest : public DriverTest {
 protected:
  void up() {
    config.queues = 1;
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    for (u32 port : {0u, 1u})
      ASSERT_EQ(open(port), 0);
    ASSERT_EQ(objects.size(), 4u);
  }
  Object& sq(u32 port) { return objects[2 * port]; }
  Object& rq(u32 port) { return objects[2 * port + 1]; }

  u32 arms(u32 cq_id, size_t from = 0) const {
    u32 count = 0;
    for (const Doorbell& bell : doorbells(from))
      count += bell.page == 1 && bell.reg == wire::doorbell::kCq && bell.id == cq_id && bell.arm;
    return count;
  }
};

TEST_F(ChannelPollTest, D37_OnlyTheCqThatFiredIsArmed) {
  up();
  for (int i = 0; i < 200; i++) {  // beyond a lap
    kernel.mmio.clear();
    ASSERT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u) << i;
    EXPECT_EQ(arms(sq(0).cq_id), 1u);
    EXPECT_EQ(arms(rq(0).cq_id), 0u);
    EXPECT_EQ(arms(sq(1).cq_id), 0u);
    EXPECT_EQ(arms(rq(1).cq_id), 1u);
  }
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(ChannelPollTest, D37_APollThatFindsNothingRingsNothing) {
  up();
  kernel.mmio.clear();
  poll_all();
  for (const Doorbell& bell : doorbells())
    EXPECT_NE(bell.page, 1u);
  EXPECT_EQ(traffic(), 8u);
}

// Another CPU polled and armed between our complete() and our doorbell, which then comes with an
// older index: the device takes it for the news, notifies and disarms.
TEST_F(ChannelPollTest, D37_AnEventWithoutACompletionArmsAgain) {
  up();
  ASSERT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
  const u32 entries = rq(1).request.cq_bytes / wire::Cqe::kSize;
  kernel.mmio.clear();
  const u64 stale = wire::doorbell::completion_queue(rq(1).cq_id, entries, true);
  device->write(0x2000 + wire::doorbell::kCq, stale, sizeof(stale));
  kernel.settle();
  EXPECT_EQ(arms(rq(1).cq_id), 1u);
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
}

// An event that names another queue is lost; the next look finds the packet, and must arm.
TEST_F(ChannelPollTest, D37_ACompletionWithoutAnEventArmsAgain) {
  up();
  device->fault("eq cq-id 0x3ff x2");  // of the SQ's CQ, and the RQ's
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 0u);
  poll_all();
  EXPECT_EQ(take_received(1).size(), 1u);
  for (int i = 0; i < 3; i++)
    EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
}

TEST_F(ChannelPollTest, D37_CompletionsBetweenTheLastLookAndTheDoorbell) {
  up();
  u32 left = 50;
  kernel.on_mmio = [&](const Mmio& access) {
    // Before the device sees the doorbell, so with an index that is behind.
    if (!access.is_write || access.offset != 0x2000 + wire::doorbell::kCq || left == 0 ||
        (access.value & 0xFFFFFF) != rq(1).cq_id)
      return;
    left--;
    ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
    device->run();
  };
  sk_buff* first = skb_of(kernel, {});
  ASSERT_TRUE(transmit(0, first));
  kernel.settle();
  kernel.on_mmio = nullptr;
  EXPECT_EQ(left, 0u);
  EXPECT_EQ(take_received(1).size(), 51u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(ChannelPollTest, D31_AnAcknowledgementDisarms) {
  up();
  // Four laps in one poll that never ends for want of budget would take thousands of packets here;
  // the doorbell alone is what counts: it disarms, whoever sent it.
  ASSERT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
  const u32 entries = rq(1).request.cq_bytes / wire::Cqe::kSize;
  const u64 silent = wire::doorbell::completion_queue(rq(1).cq_id, entries + 1, false);
  device->write(0x2000 + wire::doorbell::kCq, silent, sizeof(silent));
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 0u);
  poll_all();
  EXPECT_EQ(take_received(1).size(), 1u);
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
}

}  // namespace
}  // namespace mana::test
