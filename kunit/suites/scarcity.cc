// SPDX-License-Identifier: GPL-2.0
// A machine that is short of memory for long.
#include "kunit/harness/failing.h"
#include "kunit/harness/receive_bench.h"

namespace mana::kunit {
namespace {

// P6: packets are lost, buffers are not, and the ring never runs empty.
CASE(P6_a_tenth_of_allocations_fails_for_a_minute) {
  constexpr u64 kMinute = 60'000'000'000;
  constexpr u32 kBurst = 4;
  // More than the pool has places for: then it needs new pages, one for each packet.
  constexpr u32 kKept = 64 * kBurst;
  ReceiveBench bench{{.mtu = 9000}};
  ASSERT(bench.up());
  u32 sent = 0, arrived = 0, bursts = 0;
  for (const u64 begin = kunit_now_ns(); kunit_now_ns() - begin < kMinute;) {
    const Failing failing{bursts & 16 ? KUNIT_RECEIVED_SKBS : KUNIT_POOL_PAGES, 10};
    for (u32 i = 0; i < 16; i++, bursts++, sent += kBurst)
      EXPECT_EQ(bench.inject(kBurst, sent), kBurst);
    if (bench.arrived() >= kKept) {
      arrived += bench.arrived();
      bench.clear_arrived();
    }
  }
  arrived += bench.arrived();
  bench.clear_arrived();
  const u64 without_buffer = bench.queue_stat("no_buffer"),
            without_skb = bench.queue_stat("no_skb");
  kunit_note("%u bursts, %u packets: %llu found no buffer, %llu no skb", bursts, sent,
             without_buffer, without_skb);
  EXPECT_GE(bursts, 100u);
  EXPECT_GE(without_buffer, 1u);
  EXPECT_GE(without_skb, 1u);
  EXPECT_EQ(bench.queue_stat("packets") + without_buffer, sent);
  EXPECT_EQ(arrived + without_skb, bench.queue_stat("packets"));
  EXPECT_EQ(bench.without_buffer(), 0u);  // the device's own word
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  bench.expect_whole_ring();
  EXPECT(bench.pass(200, sent));
}

constexpr mana_case kCases[] = {LIST(P6_a_tenth_of_allocations_fails_for_a_minute)};

}  // namespace

MANA_SLOW_SUITE(scarcity, kCases)

}  // namespace mana::kunit
