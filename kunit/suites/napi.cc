// SPDX-License-Identifier: GPL-2.0
// A channel's NAPI: budgets, arming and doorbells, and that nothing is forgotten in between.
#include <initializer_list>

#include "kunit/harness/receive_bench.h"
#include "kunit/shim/frames.h"
#include "kunit/shim/polls.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

// The polls of port `port`'s queue 0, while it lives.
class Watch : NonCopyable {
 public:
  explicit Watch(const ReceiveBench& bench, u32 weight = 0) : netdev_{bench.netdev()} {
    if (!kunit_polls_watch(netdev_, 0, weight, &polls))
      FAIL("the NAPI cannot be watched");
  }
  ~Watch() { kunit_polls_end(netdev_, 0); }

  // What must be true of all polls at any time.
  void expect_order() const {
    EXPECT_EQ(polls.beyond, 0u);
    EXPECT_EQ(polls.ended_full, 0u);
    EXPECT_EQ(polls.worked_for_nothing, 0u);
  }

  kunit_polls polls{};

 private:
  net_device* netdev_;
};

bool send_one(const ReceiveBench& bench) {
  const Frame frame{{.payload = 60}};
  const kunit_packet packet = frame.packet();
  sk_buff* skb = kunit_skb(bench.netdev(), &packet);
  return skb && kunit_send_direct(skb, 0);
}

// --- budgets ---

CASE(D40_a_poll_does_no_more_than_its_budget) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 weight : {1u, 3u, 64u}) {
    const Watch watch{bench, weight};
    EXPECT_EQ(bench.inject(100), 100u);
    EXPECT(bench.arrive(100));
    EXPECT_EQ(watch.polls.work, 100u);
    EXPECT_EQ(watch.polls.most, weight);
    EXPECT_GE(watch.polls.full, 100 / weight);
    watch.expect_order();
  }
}

CASE(a_poll_that_uses_up_its_budget_is_not_the_last) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Watch watch{bench, 16};
  const u32 arms = bench.rq().arms;
  // Exactly a budget, and nothing after it: the next poll finds nothing, and ends.
  EXPECT_EQ(bench.inject(16), 16u);
  EXPECT_EQ(watch.polls.full, 1u);
  EXPECT_EQ(watch.polls.count, 2u);
  EXPECT_EQ(bench.rq().arms - arms, 1u);
  watch.expect_order();
  EXPECT(bench.arrive(16));
}

CASE(transmits_are_not_charged) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Watch watch{bench, 4};
  bench.nic.device().stalled = true;
  for (u32 i = 0; i < 60; i++)
    EXPECT(send_one(bench));
  bench.nic.device().stalled = false;
  kunit_function_run(bench.function());
  bench.nic.settle();
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT_EQ(watch.polls.work, 0u);
  EXPECT_EQ(watch.polls.full, 0u);
  EXPECT_GE(watch.polls.count, 1u);
  watch.expect_order();
}

// --- arming ---

CASE(D37_packets_between_the_last_look_and_the_arming) {
  for (kunit_pace pace : {KUNIT_PACE_LATER, KUNIT_PACE_AT_ONCE}) {
    ReceiveBench bench{{.pace = pace}};
    ASSERT(bench.up());
    constexpr u32 kFrames = 100;
    const Frame frame = ReceiveBench::numbered(0);
    u32 left = kFrames;
    auto race = [&](const Doorbell& doorbell) {
      if (doorbell.reg != wire::doorbell::kCq || doorbell.id != bench.rq().cq_id || !doorbell.arm ||
          left == 0)
        return;
      left--;
      bench.inject_now(frame);
    };
    bench.on_doorbell = race;
    ASSERT(bench.inject(frame));
    for (u32 i = 0; i < 50 && left != 0; i++)
      bench.nic.settle();
    bench.on_doorbell = nullptr;
    EXPECT_EQ(left, 0u);
    EXPECT_EQ(bench.arrived(), kFrames + 1);
    EXPECT_EQ(bench.without_buffer(), 0u);
  }
}

CASE(D37_sent_packets_between_the_last_look_and_the_arming) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 round = 0; round < 10; round++) {
    bool raced = false;
    u32 others = 0;
    auto race = [&](const Doorbell& doorbell) {
      if (doorbell.page != 1 || doorbell.reg != wire::doorbell::kCq || !doorbell.arm)
        return;
      if (doorbell.id != bench.rq().cq_id) {
        others++;
        return;
      }
      if (mana::exchange(raced, true))
        return;
      EXPECT_EQ(others, 0u);  // the SQ's CQ is armed still, and so not rung
      bench.nic.device().stalled = false;
      bench.nic.device().run();
    };
    bench.nic.device().stalled = true;
    EXPECT(send_one(bench));
    EXPECT_NE(kunit_queue_in_flight(bench.netdev(), 0), 0u);
    bench.on_doorbell = race;
    // A received packet makes it poll while nothing is sent yet.
    EXPECT_EQ(bench.inject(1), 1u);
    bench.nic.settle();
    bench.on_doorbell = nullptr;
    EXPECT(raced);
    EXPECT_EQ(others, 1u);
    EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
    bench.nic.device().stalled = false;
  }
}

CASE(D37_only_the_CQ_that_fired_is_armed) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u32 received = 0, sent = 0;
  auto count = [&](const Doorbell& doorbell) {
    if (doorbell.page == 1 && doorbell.reg == wire::doorbell::kCq && doorbell.arm)
      (doorbell.id == bench.rq().cq_id ? received : sent)++;
  };
  bench.on_doorbell = count;
  for (u32 i = 0; i < 20; i++)
    EXPECT_EQ(bench.inject(1, i), 1u);
  EXPECT_EQ(received, 20u);
  EXPECT_EQ(sent, 0u);
  for (u32 i = 0; i < 20; i++) {
    EXPECT(send_one(bench));
    bench.nic.settle();
  }
  EXPECT_EQ(received, 20u);
  EXPECT_EQ(sent, 20u);
  bench.on_doorbell = nullptr;
}

// A doorbell of another CPU that comes too late, with an older index, disarms; its event arms
// again.
CASE(D37_a_doorbell_that_comes_too_late) {
  ReceiveBench bench;
  ASSERT(bench.up());
  EXPECT_EQ(bench.inject(3), 3u);
  constexpr u32 kOldest = 128;  // the index starts at one lap
  constexpr u32 kPage = 0x2000;
  const unsigned long flags = kunit_function_lock(bench.function());
  bench.nic.device().write(kPage + wire::doorbell::kCq,
                           wire::doorbell::completion_queue(bench.rq().cq_id, kOldest, true),
                           sizeof(u64));
  const u32 arms = bench.rq().arms;
  kunit_function_unlock(bench.function(), flags);
  bench.nic.settle();
  EXPECT_EQ(bench.rq().arms - arms, 1u);
  EXPECT_EQ(bench.inject(1, 3), 1u);
  EXPECT(bench.arrive(4));
}

CASE(it_arms_only_when_the_NAPI_has_really_ended) {
  ReceiveBench bench;
  ASSERT(bench.up());
  kunit_set_deferral(bench.netdev(), 3, 2'000'000);
  const Watch watch{bench};
  const u32 arms = bench.rq().arms;
  EXPECT_EQ(bench.inject(1), 1u);
  shim_sleep_ms(100);
  // Polled by a timer some more times, armed after the last.
  EXPECT_GE(watch.polls.count, 3u);
  EXPECT_EQ(bench.rq().arms - arms, 1u);
  EXPECT_EQ(bench.inject(1, 1), 1u);
  shim_sleep_ms(100);
  EXPECT_EQ(bench.rq().arms - arms, 2u);
  EXPECT(bench.arrive(2));
  kunit_set_deferral(bench.netdev(), 0, 0);
}

CASE(D31_a_CQ_is_acknowledged_every_four_laps_though_never_armed) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.remove_tap();
  constexpr u32 kWeight = 32, kLaps = 20, kLap = 128;
  const Frame frame = ReceiveBench::numbered(0);
  u32 left = kLaps * kLap, since_bell = 0, longest = 0, arms = 0;
  {
    const Watch watch{bench, kWeight};
    // Each poll finds as much again as it has done, so the NAPI never ends. It rings for that many
    // buffers at once.
    auto feed = [&](const Doorbell& doorbell) {
      if (doorbell.reg == wire::doorbell::kRq && doorbell.id == bench.rq().wq_id) {
        for (u32 i = 0; i < kWeight && left != 0; i++, left--, since_bell++)
          bench.inject_now(frame);
      } else if (doorbell.reg == wire::doorbell::kCq && doorbell.id == bench.rq().cq_id) {
        longest = max(longest, since_bell);
        since_bell = 0;
        arms += doorbell.arm && left != 0;
      }
    };
    EXPECT_EQ(bench.inject(kWeight), kWeight);
    const u32 started = bench.rq().cq_bells;
    bench.on_doorbell = feed;
    EXPECT_EQ(bench.inject(kWeight), kWeight);
    for (u32 i = 0; i < 100 && left != 0; i++)
      bench.nic.settle();
    bench.on_doorbell = nullptr;
    EXPECT_EQ(left, 0u);
    EXPECT_EQ(arms, 0u);
    EXPECT_GE(bench.rq().cq_bells - started, kLaps / 8);
    EXPECT_LE(longest, 4 * kLap + 2 * kWeight);
    watch.expect_order();
  }
  EXPECT_EQ(bench.without_buffer(), 0u);
  EXPECT_EQ(bench.queue_stat("packets"), kLaps * kLap + 2 * kWeight);
  // The index starts at one lap and counts modulo eight.
  EXPECT_EQ(bench.rq().index, (kLap + kLaps * kLap + 2 * kWeight) % (8 * kLap));
  EXPECT_EQ(bench.inject(127), 127u);
}

// --- other ways to poll ---

CASE(without_a_budget_only_transmits_are_looked_at) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Watch watch{bench};
  bench.nic.device().fault("interrupt drop 1");
  EXPECT(send_one(bench));
  EXPECT_EQ(bench.inject(5), 5u);
  EXPECT_NE(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  const u32 arms = bench.rq().arms;
  EXPECT_EQ(kunit_netpoll(bench.netdev()), 0);
  EXPECT_EQ(watch.polls.empty_budget, 1u);
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT_EQ(bench.rq().arms, arms);
  watch.expect_order();
  bench.nic.device().fault("clear");
  kunit_busy_poll(bench.netdev(), 0, 2, 64);
  EXPECT(bench.arrive(5));
}

CASE(without_a_budget_frames_of_XDP_wait) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 400}};  // too large to be copied
  ASSERT(frame);
  kunit_frames* frames = kunit_frames_create(frame.bytes(), frame.length(), 3, 0);
  ASSERT(frames);
  bench.nic.device().fault("interrupt drop 1");
  EXPECT_EQ(kunit_frames_send(frames, bench.netdev(), 3, true), 3);
  bench.nic.settle();
  EXPECT_EQ(kunit_netpoll(bench.netdev()), 0);
  EXPECT_EQ(kunit_frames_under_way(frames), 3u);
  bench.nic.device().fault("clear");
  kunit_busy_poll(bench.netdev(), 0, 2, 64);
  EXPECT_EQ(kunit_frames_under_way(frames), 0u);
  kunit_frames_destroy(frames);
}

CASE(a_socket_that_polls_busily) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.nic.device().fault("interrupt drop 1");
  EXPECT_EQ(bench.inject(40), 40u);
  EXPECT_EQ(bench.arrived(), 0u);
  // The loop may be asked to give way to others, and leaves the rest to a poll of this weight.
  const Watch watch{bench, 8};
  kunit_busy_poll(bench.netdev(), 0, 6, 8);
  bench.nic.settle();
  EXPECT(bench.arrive(40));
  EXPECT_EQ(watch.polls.most, 8u);
  watch.expect_order();
  bench.nic.device().fault("clear");
}

CASE(a_NAPI_in_a_thread_of_its_own) {
  ReceiveBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(kunit_set_threaded(bench.netdev(), true), 0);
  EXPECT(bench.pass(200));
  bench.nic.close(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT(bench.pass(200));
  EXPECT(send_one(bench));
  bench.nic.settle();
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT_EQ(kunit_set_threaded(bench.netdev(), false), 0);
  EXPECT(bench.pass(50));
}

// --- events and completions of nobody ---

CASE(D38_events_of_CQs_that_do_not_exist) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (const char* fault : {"eq cq-id 0xffffff x1", "eq cq-id 0x3ff x1"}) {
    bench.nic.device().fault(fault);
    EXPECT_EQ(bench.inject(1), 1u);
    EXPECT_EQ(bench.arrived(), 0u);  // nobody was told
    // Whatever makes it poll again finds the packet too.
    EXPECT(send_one(bench));
    bench.nic.settle();
    EXPECT(bench.arrive(1));
  }
  EXPECT(bench.pass(20));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(D56_more_sent_than_there_was) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.nic.device().fault("tx extra x1");
  EXPECT(send_one(bench));
  EXPECT(bench.await_recoveries(1));
  EXPECT_EQ(bench.stat("tx_cqe_misdirected"), 1u);
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT(send_one(bench));
  bench.nic.settle();
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  bench.expect_whole_ring();
}

CASE(D39_events_two_laps_ahead) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.nic.device().fault("eq owner x1");
  EXPECT_EQ(bench.inject(1), 1u);
  EXPECT(bench.await_recoveries(1));
  bench.clear_arrived();
  bench.expect_whole_ring();
}

constexpr mana_case kCases[] = {
    LIST(D40_a_poll_does_no_more_than_its_budget),
    LIST(a_poll_that_uses_up_its_budget_is_not_the_last),
    LIST(transmits_are_not_charged),
    LIST(D37_packets_between_the_last_look_and_the_arming),
    LIST(D37_sent_packets_between_the_last_look_and_the_arming),
    LIST(D37_only_the_CQ_that_fired_is_armed),
    LIST(D37_a_doorbell_that_comes_too_late),
    LIST(it_arms_only_when_the_NAPI_has_really_ended),
    LIST(D31_a_CQ_is_acknowledged_every_four_laps_though_never_armed),
    LIST(without_a_budget_only_transmits_are_looked_at),
    LIST(without_a_budget_frames_of_XDP_wait),
    LIST(a_socket_that_polls_busily),
    LIST(a_NAPI_in_a_thread_of_its_own),
    LIST(D38_events_of_CQs_that_do_not_exist),
    LIST(D56_more_sent_than_there_was),
    LIST(D39_events_two_laps_ahead),
};

}  // namespace

MANA_SUITE(napi, kCases)

}  // namespace mana::kunit
