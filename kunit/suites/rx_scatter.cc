// SPDX-License-Identifier: GPL-2.0
// Jumbo frames in several pages: rx-scatter. P-n as in page_pool.cc.
#include <initializer_list>

#include "kunit/harness/failing.h"
#include "kunit/harness/receive_bench.h"
#include "kunit/shim/polls.h"
#include "shim/memory.h"
#include "shim/skb.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

constexpr int kNoMemory = -12;

constexpr u32 kPage = 4096;
constexpr u32 kMtu = 9000;
constexpr u32 kPieces = 3;
constexpr u32 kUnits = 2;  // BU of a WQE

// What the first page has room for.
u32 head() { return kPage - shim_skb_space(shim_xdp_headroom(), 0); }

constexpr ReceiveBench::Config kScattered{.mtu = kMtu, .scatter = true};

u32 in_use(const kunit_pool& pool) { return static_cast<u32>(pool.in_flight) - pool.stored; }

// Buffers of three pages, and up to three that wait for the next packet.
void expect_only_the_ring_holds_pages(const ReceiveBench& bench) {
  const u32 pages = in_use(bench.pool(bench.pools() - 1));
  EXPECT_GE(pages, bench.held() * kPieces);
  EXPECT_LE(pages, bench.held() * kPieces + kPieces);
}

wire::Sge sge(const ReceiveBench& bench, u32 slot, u32 index) {
  wire::Sge sge;
  __builtin_memcpy(&sge, bench.wqe(slot * kUnits) + 16 + index * sizeof(sge), sizeof(sge));
  return sge;
}

CASE(P1_one_pool_of_single_pages) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  ASSERT_EQ(bench.pools(), 1u);
  const kunit_pool pool = bench.pool();
  EXPECT_EQ(pool.order, 0u);
  EXPECT_EQ(pool.size, bench.held() * kPieces);
  EXPECT_EQ(pool.sync_offset, 0u);  // a page may be the first of a buffer, or another
  EXPECT_EQ(pool.sync_bytes, kPage);
  EXPECT_EQ(in_use(pool), bench.held() * kPieces);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), static_cast<u32>(pool.in_flight));
  EXPECT_EQ(bench.rq().wq_bytes, bench.held() * kUnits * 32);
  EXPECT_EQ(bench.rq().cq_bytes, bench.held() * 64);
  EXPECT_EQ(bench.rq().tail, bench.buffers() * kUnits * 32);  // D-62: all but one
}

CASE(P2_every_posted_page_is_of_the_pool_and_posted_once) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  EXPECT(bench.pass(300, 0, kMtu));
  const u32 pages = bench.held() * kPieces;
  u64* seen = static_cast<u64*>(shim_alloc(pages * sizeof(u64), -1));
  ASSERT(seen);
  for (u32 i = 0; i < pages; i++) {
    const wire::Sge one = sge(bench, i / kPieces, i % kPieces);
    const bool first = i % kPieces == 0;
    EXPECT_EQ(one.size, first ? head() : kPage);
    EXPECT_EQ(one.address % kPage, first ? shim_xdp_headroom() : 0u);
    if (!kunit_dma_valid(bench.function(), one.address, one.size))
      FAIL("page %u of buffer %u is not mapped", i % kPieces, i / kPieces);
    seen[i] = one.address / kPage;
    for (u32 k = 0; k < i; k++)
      if (seen[k] == seen[i])
        FAIL("pages %u and %u are the same", k, i);
  }
  shim_free(seen);
}

CASE(D60_frames_that_end_at_the_edges_of_pages) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  u32 n = 0;
  for (const u32 edge : {head(), head() + kPage})
    for (u32 length = edge - 2; length <= edge + 2; length++, n++) {
      const Frame frame = ReceiveBench::numbered(n, length - 14);
      ASSERT(bench.inject(frame));
      const Skb skb = bench.take();
      ASSERT(skb);
      EXPECT(skb.holds(frame));
      const kunit_received seen = skb.look();
      const u32 fragments = (length > head()) + (length > head() + kPage);
      EXPECT_EQ(seen.fragments, fragments);
      EXPECT(seen.recycles);
      EXPECT_GE(seen.truesize, kPage * (1 + fragments));
      EXPECT_LE(seen.truesize, kPage * (1 + fragments) + 512);  // and the sk_buff itself
    }
  for (const u32 payload : {46u, 1500u, kMtu, kMtu + 4})
    EXPECT(bench.pass(2, n, payload));
  expect_only_the_ring_holds_pages(bench);
}

CASE(D58_lengths_that_cannot_be) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  const u32 room = head() + 2 * kPage;
  u32 bad = 0;
  for (const u32 length : {0u, room + 1, 65535u}) {
    auto edit = [&](wire::RxCqe& cqe) { cqe.packets[0].length = static_cast<u16>(length); };
    bench.on_completion = edit;
    EXPECT_EQ(bench.inject(60, 0, kMtu), 60u);
    bench.on_completion = nullptr;
    bad += 60;
    EXPECT_EQ(bench.arrived(), 0u);
    EXPECT_EQ(bench.queue_stat("bad_length"), bad);
  }
  bench.nic.device().fault("rx type 4 x100");
  EXPECT_EQ(bench.inject(100, 0, kMtu), 100u);
  EXPECT_EQ(bench.queue_stat("truncated"), 100u);
  EXPECT(bench.pass(200, 0, kMtu));
  bench.expect_whole_ring();
  expect_only_the_ring_holds_pages(bench);
}

CASE(recycling_costs_no_page) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  EXPECT(bench.pass(96, 0, kMtu));
  const kunit_pool before = bench.pool();
  const u64 maps = bench.dma().maps;
  const u64 buffers = bench.queue_stat("pool_buffers");
  for (const u32 payload : {kMtu, 5000u, 100u})
    EXPECT(bench.pass(300, 0, payload));
  const kunit_pool after = bench.pool();
  EXPECT_EQ(after.taken, before.taken);
  EXPECT_EQ(after.released, before.released);
  EXPECT_EQ(after.shared, 0u);
  EXPECT_EQ(bench.dma().maps, maps);
  // Each page that a packet took was replaced, and no other.
  EXPECT_EQ(bench.queue_stat("pool_buffers") - buffers, 300u * (3 + 2 + 1));
}

// skbs that somebody keeps for a while.
class Parked : NonCopyable {
 public:
  ~Parked() {
    while (count_ != 0)
      Skb{skbs_[--count_]};
  }
  void park(const ReceiveBench& bench) {
    while (count_ < kSize && bench.arrived() != 0)
      skbs_[count_++] = bench.take().release();
  }
  u32 count() const { return count_; }
  void free(u32 n) { Skb{exchange(skbs_[n], nullptr)}; }
  void forget() { count_ = 0; }
  static void free_half(void* self) {
    auto* parked = static_cast<Parked*>(self);
    for (u32 n = 0; n < parked->count_; n += 2)
      parked->free(n);
  }

 private:
  static constexpr u32 kSize = 60;

  sk_buff* skbs_[kSize] = {};
  u32 count_ = 0;
};

CASE(pages_come_back_in_every_order) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  for (u32 order = 0; order < 4; order++) {
    Parked parked;
    // One, two and three pages in turn.
    for (u32 i = 0; i < 20; i++)
      for (const u32 payload : {200u, 5000u, kMtu})
        EXPECT_EQ(bench.inject(1, i, payload), 1u);
    parked.park(bench);
    ASSERT_EQ(parked.count(), 60u);
    EXPECT_GE(in_use(bench.pool()), bench.held() * kPieces + 20 * (1 + 2 + 3));
    switch (order) {
      case 0:  // forward
        for (u32 n = 0; n < 60; n++)
          parked.free(n);
        break;
      case 1:  // backward
        for (u32 n = 60; n-- > 0;)
          parked.free(n);
        break;
      case 2:  // here and there
        for (u32 n = 0; n < 60; n++)
          parked.free(n * 7 % 60);
        break;
      default:  // half of them on another CPU
        kunit_call_on(kunit_cpus() - 1, Parked::free_half, &parked);
        for (u32 n = 1; n < 60; n += 2)
          parked.free(n);
    }
    parked.forget();
    EXPECT_EQ(bench.pool().shared, 0u);
    expect_only_the_ring_holds_pages(bench);
    EXPECT(bench.pass(100, 0, kMtu));
  }
}

// P6: the pool's store runs out at the first, the second or the third page of a packet.
CASE(P6_a_page_that_cannot_be_had) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  u64 lost = 0;
  for (u32 phase = 0; phase < kPieces; phase++) {
    u32 sent = 0;
    {
      const Failing failing{KUNIT_POOL_PAGES, 100};
      EXPECT_EQ(bench.inject(phase, 0, 100), phase);  // each takes one page
      // As many as the device knows of, whatever it was not told yet.
      const u32 count = bench.buffers() - ReceiveBench::kUntold;
      for (u32 lap = 0; lap < 3; lap++, sent += count)
        EXPECT_EQ(bench.inject(count, sent, kMtu), count);
    }
    lost += sent + phase - bench.arrived();
    EXPECT_EQ(bench.queue_stat("no_buffer"), lost);
    EXPECT_EQ(bench.without_buffer(), 0u);
    // What did arrive is whole.
    for (u32 i = 0; i < phase; i++)
      EXPECT(bench.take());
    EXPECT(bench.arrive(bench.arrived(), 0, kMtu));
    bench.expect_whole_ring();
    expect_only_the_ring_holds_pages(bench);
  }
  EXPECT_GE(lost, 1u);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(P6_some_allocations_fail_under_traffic) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  u32 arrived = 0, sent = 0;
  {
    const Failing failing{KUNIT_POOL_PAGES, 10};
    for (u32 round = 0; round < 4; round++) {
      for (const u32 payload : {kMtu, 5000u}) {
        EXPECT_EQ(bench.inject(90, sent, payload), 90u);
        sent += 90;
      }
      arrived += bench.arrived();
      bench.clear_arrived();
    }
  }
  EXPECT_EQ(bench.queue_stat("packets"), arrived);
  EXPECT_EQ(bench.queue_stat("packets") + bench.queue_stat("no_buffer"), sent);
  EXPECT_EQ(bench.without_buffer(), 0u);
  bench.expect_whole_ring();
  expect_only_the_ring_holds_pages(bench);
}

CASE(P4_a_packet_without_skb_stays_in_its_slot) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  u32 lost = 0;
  {
    const Failing failing{KUNIT_RECEIVED_SKBS, 100};
    // What the NAPI has in store goes first.
    for (u32 i = 0; i < 8 && lost == 0; i++) {
      EXPECT_EQ(bench.inject(100, 0, kMtu), 100u);
      lost = 100 - bench.arrived();
      EXPECT_EQ(bench.queue_stat("no_skb"), lost);
      bench.clear_arrived();
    }
  }
  EXPECT_GE(lost, 1u);
  EXPECT(bench.pass(200, 0, kMtu));
  bench.expect_whole_ring();
  expect_only_the_ring_holds_pages(bench);
}

CASE(P5_open_without_memory_leaves_nothing) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.probe());
  {
    const Failing failing{KUNIT_POOL_PAGES, 100};
    EXPECT_EQ(bench.nic.open(0), kNoMemory);
  }
  kunit_dma_fail_all(bench.function(), true);
  EXPECT_EQ(bench.nic.open(0), kNoMemory);
  kunit_dma_fail_all(bench.function(), false);
  EXPECT_EQ(bench.pools(), 0u);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
  EXPECT_EQ(bench.nic.open(0), 0);
  EXPECT_EQ(in_use(bench.pool()), bench.held() * kPieces);
}

CASE(the_MTU_and_the_flag_decide_what_a_buffer_is) {
  ReceiveBench bench{{.scatter = true}};
  ASSERT(bench.up());
  const struct {
    u32 mtu;
    bool scatter;
    u32 order, sges;
  } kTable[] = {{1500, true, 0, 1}, {3502, true, 0, 1},  {3503, true, 0, 2},  {7598, true, 0, 2},
                {7599, true, 0, 3}, {9000, true, 0, 3},  {9000, false, 2, 1}, {3600, false, 0, 1},
                {3600, true, 0, 2}, {1500, false, 0, 1}, {9000, true, 0, 3}};
  for (const auto& row : kTable) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), row.mtu), 0);
    ASSERT_EQ(kunit_netdev_set_scatter(bench.netdev(), row.scatter), 0);
    EXPECT_EQ(kunit_netdev_gives_fragments(bench.netdev()), row.scatter);
    EXPECT_EQ(bench.pool(bench.pools() - 1).order, row.order);
    u32 dw1 = 0;
    __builtin_memcpy(&dw1, bench.wqe(0) + 4, sizeof(dw1));
    EXPECT_EQ(wire::WqeHeader::SgeCount::get(dw1), row.sges);
    EXPECT(bench.pass(150, 0, row.mtu));
    if (kunit_failed()) {
      kunit_note("at an MTU of %u", row.mtu);
      return;
    }
  }
  EXPECT(bench.await_pools(1));
}

CASE(everything_changes_under_traffic) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  bench.start_traffic(600, 200, 4, 10'000'000);
  for (u32 round = 0; round < 3; round++) {
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), 5000), 0);
    EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), 0);
    EXPECT_EQ(kunit_netdev_set_scatter(bench.netdev(), false), 0);
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), kMtu), 0);
    EXPECT_EQ(kunit_netdev_set_scatter(bench.netdev(), true), 0);
    EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 128, 128), 0);
    bench.clear_arrived();
  }
  bench.end_traffic();
  bench.clear_arrived();
  EXPECT(bench.await_pools(1));
  EXPECT(bench.pass(200, 0, kMtu));
  expect_only_the_ring_holds_pages(bench);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(P9_pages_in_the_stack_outlive_the_port) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Parked parked;
  EXPECT_EQ(bench.inject(40, 0, kMtu), 40u);
  parked.park(bench);
  ASSERT_EQ(parked.count(), 40u);
  bench.nic.close(0);
  ASSERT_EQ(bench.pools(), 1u);
  EXPECT(bench.pool().ended);
  EXPECT_EQ(bench.pool().in_flight, 40 * 3);
  for (u32 n = 0; n < 40; n++)
    parked.free(n);
  parked.forget();
  EXPECT(bench.await_pools(0));
}

// A flag that nobody has switched on changes nothing.
CASE(it_is_off_at_first) {
  ReceiveBench bench{{.mtu = kMtu}};
  ASSERT(bench.up());
  EXPECT(!kunit_netdev_gives_fragments(bench.netdev()));
  EXPECT_EQ(bench.pool().order, 2u);
  EXPECT_EQ(kunit_netdev_set_scatter(bench.netdev(), false), 0);
  EXPECT(bench.pass(50, 0, kMtu));
}

constexpr mana_case kCases[] = {
    LIST(P1_one_pool_of_single_pages),
    LIST(P2_every_posted_page_is_of_the_pool_and_posted_once),
    LIST(D60_frames_that_end_at_the_edges_of_pages),
    LIST(D58_lengths_that_cannot_be),
    LIST(recycling_costs_no_page),
    LIST(pages_come_back_in_every_order),
    LIST(P6_a_page_that_cannot_be_had),
    LIST(P6_some_allocations_fail_under_traffic),
    LIST(P4_a_packet_without_skb_stays_in_its_slot),
    LIST(P5_open_without_memory_leaves_nothing),
    LIST(the_MTU_and_the_flag_decide_what_a_buffer_is),
    LIST(everything_changes_under_traffic),
    LIST(P9_pages_in_the_stack_outlive_the_port),
    LIST(it_is_off_at_first),
};

}  // namespace

MANA_SUITE(rx_scatter, kCases)

}  // namespace mana::kunit
