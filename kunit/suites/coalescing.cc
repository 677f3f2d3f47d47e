// SPDX-License-Identifier: GPL-2.0
// Interrupt moderation, the kernel's dynamic one included, and completions of several packets.
#include <initializer_list>

#include "kunit/harness/receive_bench.h"
#include "kunit/shim/ethtool.h"
#include "kunit/shim/frames.h"
#include "kunit/shim/polls.h"
#include "shim/sync.h"
#include "shim/xdp.h"

namespace mana::kunit {
namespace {

using wire::RxCqe;
using wire::RxCqeType;

constexpr int kInvalid = -22;
constexpr int kNotSupported = -95;
constexpr int kNetworkDown = -100;

// Private flags.
constexpr u32 kOff = 0;
constexpr u32 kFour = 2;
constexpr u32 kEight = 4;

bool same(const shim_coalesce& a, const shim_coalesce& b) {
  return a.rx.usecs == b.rx.usecs && a.rx.frames == b.rx.frames && a.rx.adaptive == b.rx.adaptive &&
         a.tx.usecs == b.tx.usecs && a.tx.frames == b.tx.frames && a.tx.adaptive == b.tx.adaptive;
}

struct ModerationBench : ReceiveBench {
  explicit ModerationBench(const char* options = "moderation=64")
      : ReceiveBench{{.options = options}} {
    on_doorbell = note_;
  }

  int set(const shim_coalesce& wanted) {
    return kunit_ethtool_set_coalesce(netdev(), &wanted, &sentence);
  }
  shim_coalesce now() const {
    shim_coalesce coalesce{};
    kunit_ethtool_get_coalesce(netdev(), &coalesce);
    return coalesce;
  }
  u64 device_number(const char* name);

  const char* sentence = nullptr;
  u32 rung = 0;  // the moderation register
  u32 last_period = 0;

 private:
  struct Note {
    ModerationBench& bench;
    void operator()(const Doorbell& doorbell) const {
      if (doorbell.reg != wire::doorbell::kCqModeration)
        return;
      bench.rung++;
      bench.last_period = doorbell.value & 0x3FF;
    }
  } note_{*this};
};

// A number of "stats", behind the ports.
u64 ModerationBench::device_number(const char* name) {
  const char* text = nic.device().control("stats");
  const size_t length = __builtin_strlen(name);
  for (; *text; text++) {
    if (*text != '"' || __builtin_memcmp(text + 1, name, length) != 0 || text[1 + length] != '"')
      continue;
    u64 value = 0;
    for (text += length + 3; *text >= '0' && *text <= '9'; text++)
      value = value * 10 + static_cast<u64>(*text - '0');
    return value;
  }
  FAIL("the device has no %s", name);
  return 0;
}

// --- interrupts ---

CASE(moderation_is_off_unless_somebody_asks) {
  ModerationBench bench;
  ASSERT(bench.up());
  EXPECT(same(bench.now(), {}));
  EXPECT(bench.pass(20));
  EXPECT_EQ(bench.rung, 0u);
  EXPECT_EQ(bench.device_number("moderated_cqs"), 0u);
}

CASE(D42_without_the_capability_it_is_refused) {
  ModerationBench bench{""};
  ASSERT(bench.up());
  for (const shim_coalesce& wanted :
       {shim_coalesce{.rx = {.usecs = 1}}, shim_coalesce{.tx = {.adaptive = true}}}) {
    EXPECT_EQ(bench.set(wanted), kNotSupported);
    EXPECT(bench.sentence != nullptr);
    EXPECT(same(bench.now(), {}));
  }
  EXPECT_EQ(bench.set({}), 0);
  EXPECT_EQ(bench.rung, 0u);
  EXPECT(bench.pass(20));
}

CASE(refused_values_change_nothing) {
  ModerationBench bench;
  ASSERT(bench.up());
  const shim_coalesce before{.rx = {.usecs = 20, .frames = 4}, .tx = {.usecs = 30}};
  ASSERT_EQ(bench.set(before), 0);
  const u32 rung = bench.rung;
  for (const shim_moderation& bad :
       {shim_moderation{.usecs = 1024}, shim_moderation{.usecs = 1, .frames = 256},
        shim_moderation{.frames = 2}, shim_moderation{.usecs = ~0u, .frames = ~0u}}) {
    EXPECT_EQ(bench.set({.rx = bad, .tx = before.tx}), kInvalid);
    EXPECT(bench.sentence != nullptr);
    EXPECT_EQ(bench.set({.rx = before.rx, .tx = bad}), kInvalid);
    EXPECT(bench.sentence != nullptr);
    EXPECT(same(bench.now(), before));
  }
  EXPECT_EQ(bench.rung, rung);
}

CASE(interrupts_wait_for_frames_and_for_time) {
  ModerationBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set({.rx = {.usecs = 1000, .frames = 4}}), 0);
  EXPECT_EQ(bench.inject(4), 4u);
  EXPECT(bench.arrive(4));
  EXPECT_EQ(bench.device_number("events_by_count"), 1u);
  EXPECT_EQ(bench.device_number("events_by_time"), 0u);
  EXPECT_EQ(bench.inject(3), 3u);
  shim_sleep_ms(20);
  EXPECT(bench.arrive(3));
  EXPECT_EQ(bench.device_number("events_by_count"), 1u);
  EXPECT_EQ(bench.device_number("events_by_time"), 1u);
  ASSERT_EQ(bench.set({}), 0);
  EXPECT(bench.pass(10));
  EXPECT_EQ(bench.device_number("events_by_count"), 1u);
}

CASE(new_queues_begin_with_it) {
  ModerationBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set({.rx = {.usecs = 50, .frames = 9}, .tx = {.usecs = 60}}), 0);
  const u32 rung = bench.rung;
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 256), 0);
  EXPECT_EQ(bench.rung, rung);
  EXPECT_EQ(bench.device_number("moderated_cqs"), 2u);
  const auto request = bench.nic.device()
                           .last_of(wire::Command::kCreateWqObject)
                           ->as<wire::CreateWqObjectRequestV3>();
  EXPECT_EQ(request.moderate, 1u);
  EXPECT_EQ(request.moderation_period, 50u);
  EXPECT_EQ(request.moderation_count, 9u);
  EXPECT_EQ(bench.inject(20), 20u);
  shim_sleep_ms(20);
  EXPECT(bench.arrive(20));
}

// Until the generator has sent all; settings change meanwhile.
template <typename Change>
void change_under_traffic(ReceiveBench& bench, u32 packets, Change change) {
  bench.clear_arrived();
  const u64 before = bench.queue_stat("packets");
  const u64 lost = bench.without_buffer();
  bench.start_traffic(packets, 60, 8, 20'000'000);
  for (u32 round = 0; round < 2000 && bench.traffic_left() != 0; round++) {
    change(round);
    shim_sleep_ms(3);
  }
  EXPECT_EQ(bench.traffic_left(), 0u);
  shim_sleep_ms(20);
  bench.nic.settle();
  bench.end_traffic();
  EXPECT_EQ(bench.queue_stat("packets") - before, packets);
  EXPECT_EQ(bench.without_buffer(), lost);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  bench.clear_arrived();
}

CASE(moderation_changes_under_traffic_without_a_loss) {
  ModerationBench bench;
  ASSERT(bench.up());
  const shim_moderation settings[] = {
      {.usecs = 200, .frames = 8}, {.adaptive = true}, {}, {.usecs = 1000}, {.adaptive = true}};
  change_under_traffic(bench, 400, [&](u32 round) {
    EXPECT_EQ(bench.set({.rx = settings[round % 5], .tx = settings[round % 3]}), 0);
  });
  ASSERT_EQ(bench.set({}), 0);
  bench.expect_whole_ring();
}

// The kernel's algorithm finds that some waiting is better than none, or looks for it at least.
CASE(adaptive_moderation_follows_the_traffic) {
  ModerationBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set({.rx = {.adaptive = true}, .tx = {.usecs = 5, .adaptive = true}}), 0);
  EXPECT(same(bench.now(), {.rx = {.adaptive = true}, .tx = {.usecs = 5, .adaptive = true}}));
  const u32 rung = bench.rung;
  // Each decision wants 64 interrupts.
  bench.start_traffic(1600, 60, 4, 5'000'000);
  for (u32 i = 0; i < 400 && bench.traffic_left() != 0; i++)
    shim_sleep_ms(10);
  shim_sleep_ms(20);
  bench.end_traffic();
  EXPECT_EQ(bench.queue_stat("packets"), 1600u);
  EXPECT_GE(bench.rung, rung + 1);
  EXPECT_LE(bench.last_period, 256u);
  bench.clear_arrived();
  // It ends with the queues, and begins anew with them.
  bench.nic.close(0);
  const u32 silent = bench.rung;
  shim_sleep_ms(50);
  EXPECT_EQ(bench.rung, silent);
  ASSERT_EQ(bench.nic.open(0), 0);
  const auto request = bench.nic.device()
                           .last_of(wire::Command::kCreateWqObject)
                           ->as<wire::CreateWqObjectRequestV3>();
  EXPECT_EQ(request.moderate, 1u);
  EXPECT_EQ(request.moderation_count, 255u);
}

CASE(ports_go_while_moderation_adapts) {
  for (u32 round = 0; round < 4; round++) {
    ModerationBench bench;
    ASSERT(bench.up());
    ASSERT_EQ(bench.set({.rx = {.adaptive = true}, .tx = {.adaptive = true}}), 0);
    bench.start_traffic(1600, 60, 4, 20'000);
    shim_sleep_ms(4 + 3 * round);
    bench.remove_tap();
    bench.nic.remove();
    bench.end_traffic();
  }
}

// --- completions of several packets ---

struct CoalescingBench : ReceiveBench {
  explicit CoalescingBench(const char* options = "coalescing=8")
      : ReceiveBench{{.options = options}} {}

  int set(u32 flags) { return kunit_ethtool_set_flags(netdev(), flags); }
  u32 flags() const { return kunit_ethtool_get_flags(netdev()); }
  u64 shared() const { return queue_stat("shared_cqe"); }
  u64 coalesced() { return nic.device().port_statistic(port(), "rx_coalesced"); }
  // As pass(), and waits for the end of the window.
  bool burst(u32 count) {
    const u32 taken = inject(count);
    shim_sleep_ms(1);
    nic.settle();
    return taken == count && arrive(count);
  }
};

CASE(the_flags_exclude_each_other) {
  CoalescingBench bench;
  ASSERT(bench.up());
  char name[32];
  ASSERT(kunit_ethtool_flag_name(bench.netdev(), 1, name));
  EXPECT_TEXT(name, "rx-cqe-coalescing-4");
  ASSERT(kunit_ethtool_flag_name(bench.netdev(), 2, name));
  EXPECT_TEXT(name, "rx-cqe-coalescing-8");
  EXPECT(!kunit_ethtool_flag_name(bench.netdev(), 3, name));
  EXPECT_EQ(bench.flags(), kOff);
  EXPECT_EQ(bench.set(kFour), 0);
  EXPECT_EQ(bench.flags(), kFour);
  EXPECT_EQ(bench.set(kFour | kEight), 0);  // eight is the new one
  EXPECT_EQ(bench.flags(), kEight);
  EXPECT_EQ(bench.set(kFour | kEight), 0);  // four is
  EXPECT_EQ(bench.flags(), kFour);
  EXPECT_EQ(bench.set(kOff), 0);
  EXPECT_EQ(bench.flags(), kOff);
}

CASE(D59_packets_share_completions_and_have_a_WQE_each) {
  CoalescingBench bench;
  ASSERT(bench.up());
  for (const u32 flag : {kFour, kEight}) {
    ASSERT_EQ(bench.set(flag), 0);
    const u64 before = bench.coalesced();
    const u64 counted = bench.shared();
    for (u32 i = 0; i < 60; i++)
      EXPECT(bench.burst(1 + i % 23));
    EXPECT_GE(bench.coalesced(), before + 400);
    EXPECT_EQ(bench.shared() - counted, bench.coalesced() - before);
    bench.expect_whole_ring();
  }
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(D59_off_unless_somebody_asks) {
  CoalescingBench bench;
  ASSERT(bench.up());
  EXPECT(bench.burst(20));
  EXPECT_EQ(bench.coalesced(), 0u);
}

CASE(D40_a_budget_may_end_in_the_middle_of_a_completion) {
  CoalescingBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set(kEight), 0);
  for (u32 weight : {1u, 3u, 7u, 64u}) {
    kunit_polls polls{};
    ASSERT(kunit_polls_watch(bench.netdev(), 0, weight, &polls));
    EXPECT(bench.burst(100));
    EXPECT_EQ(polls.work, 100u);
    EXPECT_EQ(polls.most, weight);
    EXPECT_EQ(polls.beyond, 0u);
    EXPECT_EQ(polls.ended_full, 0u);
    kunit_polls_end(bench.netdev(), 0);
  }
  bench.expect_whole_ring();
}

// D-28: while the rest of a completion waits for the next poll, it may change.
CASE(D28_what_is_left_of_a_completion_was_copied) {
  CoalescingBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set(kEight), 0);
  kunit_polls polls{};
  ASSERT(kunit_polls_watch(bench.netdev(), 0, 3, &polls));
  // The device shreds each completion as soon as the driver took the first packets out of it.
  u32 seen = 0;
  auto shred = [&](const Doorbell&) {
    for (u32 i = 0; i < 128; i++)
      __builtin_memset(bench.cqe(i), 0xA5, 60);
    seen++;
  };
  EXPECT_EQ(bench.inject(6), 6u);
  bench.on_doorbell = shred;
  shim_sleep_ms(1);
  bench.nic.settle();
  bench.on_doorbell = nullptr;
  EXPECT(bench.arrive(6));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  kunit_polls_end(bench.netdev(), 0);
}

CASE(D58_lengths_that_cannot_be) {
  CoalescingBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set(kFour), 0);
  auto too_long = [](RxCqe& cqe) { cqe.packets[1].length = 60'000; };
  bench.on_completion = too_long;
  EXPECT_EQ(bench.inject(4), 4u);
  bench.on_completion = nullptr;
  EXPECT_EQ(bench.arrived(), 3u);
  bench.clear_arrived();
  EXPECT_EQ(bench.queue_stat("bad_length"), 1u);
  bench.expect_whole_ring();
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(D59_a_completion_of_no_packet) {
  CoalescingBench bench;
  ASSERT(bench.up());
  u32 recoveries = 0;
  for (const u32 flag : {kFour, kEight}) {
    ASSERT_EQ(bench.set(flag), 0);
    auto empty = [](RxCqe& cqe) { __builtin_memset(&cqe.packets, 0, sizeof(cqe.packets)); };
    bench.on_completion = empty;
    EXPECT_EQ(bench.inject(8), 8u);
    bench.on_completion = nullptr;
    EXPECT(bench.await_recoveries(++recoveries));
    bench.clear_arrived();
    EXPECT_EQ(bench.flags(), flag);
    EXPECT(bench.burst(30));
  }
}

CASE(D59_only_what_was_negotiated) {
  CoalescingBench bench;
  ASSERT(bench.up());
  u32 recoveries = 0;
  const auto expect_error = [&](RxCqeType type) {
    auto edit = [&](RxCqe& cqe) {
      cqe.dw0 = RxCqe::Type::replace(cqe.dw0, static_cast<u32>(type));
      // It would make sense, if it had been asked for.
      if (type == RxCqeType::kCoalesced8)
        cqe.pairs[0] = {
            .hash_even = 0, .length_even = cqe.packets[0].length, .length_odd = 0, .hash_odd = 0};
    };
    bench.on_completion = edit;
    EXPECT_EQ(bench.inject(1), 1u);
    shim_sleep_ms(1);
    bench.nic.settle();
    bench.on_completion = nullptr;
    EXPECT(bench.await_recoveries(++recoveries));
    bench.clear_arrived();
  };
  ASSERT_EQ(bench.set(kFour), 0);
  expect_error(RxCqeType::kCoalesced8);
  ASSERT_EQ(bench.set(kOff), 0);
  expect_error(RxCqeType::kCoalesced4);
  EXPECT_EQ(bench.stat("rx_coalesced_err"), 2u);
  EXPECT(bench.burst(30));
}

CASE(D59_it_changes_under_traffic_without_a_loss) {
  CoalescingBench bench;
  ASSERT(bench.up());
  const u32 flags[] = {kFour, kEight, kOff, kEight, kFour, kOff};
  change_under_traffic(bench, 400, [&](u32 round) { EXPECT_EQ(bench.set(flags[round % 6]), 0); });
  EXPECT_GE(bench.coalesced(), 100u);
  EXPECT_EQ(bench.shared(), bench.coalesced());
  bench.expect_whole_ring();
}

struct Program {
  u32 action;
  u32 runs = 0;
  static shim_xdp_action run(void* self, const kunit_xdp*, int*, int*, u32*, int*) {
    auto& program = *static_cast<Program*>(self);
    program.runs++;
    return static_cast<shim_xdp_action>(program.action);
  }
};

CASE(programs_see_each_packet) {
  CoalescingBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set(kEight), 0);
  for (const u32 action : {u32{SHIM_XDP_DROP}, u32{SHIM_XDP_TX}, u32{SHIM_XDP_PASS}}) {
    Program program{.action = action};
    ASSERT_EQ(kunit_xdp_attach(bench.netdev(), Program::run, &program), 0);
    EXPECT_EQ(bench.inject(40), 40u);
    shim_sleep_ms(1);
    bench.nic.settle();
    EXPECT_EQ(program.runs, 40u);
    EXPECT(bench.arrive(action == SHIM_XDP_PASS ? 40 : 0));
    ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  }
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 40u);
  EXPECT_EQ(bench.queue_stat("xdp_tx"), 40u);
  EXPECT_EQ(bench.shared(), 120u);
  bench.expect_whole_ring();
}

CASE(a_device_that_cannot_coalesce) {
  CoalescingBench bench{""};
  ASSERT(bench.up());
  EXPECT_EQ(bench.set(kFour), kNotSupported);
  EXPECT_EQ(bench.set(kEight), kNotSupported);
  EXPECT_EQ(bench.flags(), kOff);
  EXPECT(bench.burst(30));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(a_device_that_refuses_to_coalesce) {
  CoalescingBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(bench.set(kFour), 0);
  bench.nic.device().fault("hwc 0x20007 status 1 x1");
  EXPECT_NE(bench.set(kEight), 0);
  EXPECT_EQ(bench.flags(), kFour);
  EXPECT(bench.burst(30));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  bench.nic.close(0);
  EXPECT_EQ(bench.set(kEight), kNetworkDown);
  EXPECT_EQ(bench.flags(), kFour);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT_GE(bench.coalesced(), 8u);
}

constexpr mana_case kCases[] = {LIST(moderation_is_off_unless_somebody_asks),
                                LIST(D42_without_the_capability_it_is_refused),
                                LIST(refused_values_change_nothing),
                                LIST(interrupts_wait_for_frames_and_for_time),
                                LIST(new_queues_begin_with_it),
                                LIST(moderation_changes_under_traffic_without_a_loss),
                                LIST(adaptive_moderation_follows_the_traffic),
                                LIST(ports_go_while_moderation_adapts),
                                LIST(the_flags_exclude_each_other),
                                LIST(D59_packets_share_completions_and_have_a_WQE_each),
                                LIST(D59_off_unless_somebody_asks),
                                LIST(D40_a_budget_may_end_in_the_middle_of_a_completion),
                                LIST(D28_what_is_left_of_a_completion_was_copied),
                                LIST(D58_lengths_that_cannot_be),
                                LIST(D59_a_completion_of_no_packet),
                                LIST(D59_only_what_was_negotiated),
                                LIST(D59_it_changes_under_traffic_without_a_loss),
                                LIST(programs_see_each_packet),
                                LIST(a_device_that_cannot_coalesce),
                                LIST(a_device_that_refuses_to_coalesce)};

}  // namespace

MANA_SUITE(coalescing, kCases)

}  // namespace mana::kunit
