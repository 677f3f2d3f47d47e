// SPDX-License-Identifier: GPL-2.0
// Receive buffers and the kernel's page pools. P-n are the promises about them in the
// architecture's words: one pool for each queue, every buffer from it and back to it, in every
// case.
#include <initializer_list>

#include "kunit/harness/failing.h"
#include "kunit/harness/receive_bench.h"
#include "kunit/shim/helper.h"
#include "kunit/shim/polls.h"
#include "shim/memory.h"
#include "shim/pci.h"
#include "shim/skb.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

constexpr int kNoMemory = -12;

// MTUs and what becomes of a buffer: half a page, a page, two, four.
constexpr u32 kHalfPageMtu = 1500;
constexpr u32 kPageMtu = 3000;
constexpr u32 kJumboMtu = 9000;

// Pages that are neither in the pool nor with the page allocator.
u32 in_use(const kunit_pool& pool) { return static_cast<u32>(pool.in_flight) - pool.stored; }

// Of the largest frame.
constexpr u32 payload_of(u32 mtu) { return mtu; }

// Of buffers that were taken one after the other.
u32 pages_of(u32 buffers, u32 mtu) { return mtu <= kHalfPageMtu ? (buffers + 1) / 2 : buffers; }

// The ring holds its buffers, perhaps with half a page that waits to be taken, and nobody else any.
void expect_only_the_ring_holds_pages(const ReceiveBench& bench, u32 mtu) {
  const u32 pages = in_use(bench.pool());
  EXPECT_GE(pages, pages_of(bench.held(), mtu));
  EXPECT_LE(pages, pages_of(bench.held(), mtu) + (mtu <= kHalfPageMtu));
}

// skbs that somebody keeps, up to 128.
class Parked : NonCopyable {
 public:
  Parked() : skbs_{static_cast<sk_buff**>(shim_alloc(kSize * sizeof(sk_buff*), -1))} {
    if (!skbs_)
      FAIL("no memory to park skbs");
  }
  ~Parked() {
    free_all();
    shim_free(skbs_);
  }
  void park(ReceiveBench& bench) {
    while (skbs_ && count_ < kSize && bench.arrived() != 0)
      skbs_[count_++] = bench.take().release();
  }
  u32 count() const { return count_; }
  // Frees number n, which is this frame.
  void free_if(u32 n, const Frame& frame) {
    if (!Skb{exchange(skbs_[n], nullptr)}.holds(frame))
      FAIL("frame %u has changed", n);
  }
  void free_all() {
    while (count_ != 0)
      Skb{exchange(skbs_[--count_], nullptr)};
  }
  static void free_all(void* self) { static_cast<Parked*>(self)->free_all(); }

 private:
  static constexpr u32 kSize = 128;

  sk_buff** skbs_;
  u32 count_ = 0;
};

shim_xdp_action drop_all(void*, const kunit_xdp*, int*, int*, u32*, int*) { return SHIM_XDP_DROP; }

// --- creation ---

CASE(P1_each_queue_has_a_pool_of_its_own) {
  ReceiveBench bench{{.queues = 2, .ring = 256}};
  ASSERT(bench.up());
  ASSERT_EQ(bench.pools(), 2u);
  for (u32 i = 0; i < 2; i++) {
    const kunit_pool pool = bench.pool(i);
    EXPECT_EQ(pool.queue, static_cast<int>(i));  // by the NAPI
    EXPECT_EQ(pool.size, 256u);
    EXPECT_EQ(pool.dev, static_cast<const ::device*>(bench.nic.function().dev()));
    EXPECT_EQ(pool.node, shim_pci_node(bench.nic.pdev()));
    EXPECT(pool.maps);
    EXPECT(pool.syncs);
    EXPECT(!pool.bidirectional);
    EXPECT(!pool.ended);
    EXPECT_NE(pool.memory_id, 0u);
  }
  EXPECT_NE(bench.pool(0).memory_id, bench.pool(1).memory_id);
}

CASE(P1_order_and_synced_range_follow_the_buffers) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 plain = shim_skb_headroom(), full = shim_xdp_headroom();
  const struct {
    u32 mtu;
    u32 order;
    bool shared;
    u32 headroom;
  } kTable[] = {{68, 0, true, 192},      {1500, 0, true, 192},    {1518, 0, true, 192},
                {1519, 0, false, full},  {3502, 0, false, full},  {3503, 0, false, plain},
                {3694, 0, false, plain}, {3695, 1, false, plain}, {7790, 1, false, plain},
                {7791, 2, false, plain}, {9000, 2, false, plain}};
  for (const auto& row : kTable) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), row.mtu), 0);
    const kunit_pool pool = bench.pool(bench.pools() - 1);
    wire::Sge sge;
    __builtin_memcpy(&sge, bench.wqe(0) + 16, sizeof(sge));
    EXPECT_EQ(pool.order, row.order);
    if (row.shared) {
      // The other half may be the device's: the page goes back as a whole, when both are free.
      EXPECT_EQ(pool.sync_offset, 0u);
      EXPECT_EQ(pool.sync_bytes, shim_page_size());
    } else {
      EXPECT_EQ(pool.sync_offset, row.headroom);
      EXPECT_EQ(pool.sync_bytes, sge.size);
    }
    EXPECT_EQ(sge.address % (row.shared ? shim_page_size() / 2 : shim_page_size()), row.headroom);
    EXPECT_GE(sge.size, row.mtu + 18);
    EXPECT(bench.pass(2, 0, payload_of(row.mtu)));
    if (kunit_failed()) {
      kunit_note("at an MTU of %u", row.mtu);
      return;
    }
  }
}

CASE(P2_every_posted_buffer_is_from_the_pool) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 mtu : {kHalfPageMtu, kPageMtu, kJumboMtu}) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), mtu), 0);
    const kunit_pool pool = bench.pool();
    // Nothing else is mapped for streaming DMA than the pool's pages.
    EXPECT_EQ(kunit_dma_streaming(bench.function()), static_cast<u32>(pool.in_flight));
    EXPECT_EQ(in_use(pool), pages_of(bench.held(), mtu));
    for (u32 i = 0; i < bench.buffers(); i++) {
      wire::Sge one, other;
      __builtin_memcpy(&one, bench.wqe(i) + 16, sizeof(one));
      if (!kunit_dma_valid(bench.function(), one.address, one.size))
        FAIL("buffer %u is not mapped", i);
      for (u32 k = 0; k < i; k++) {
        __builtin_memcpy(&other, bench.wqe(k) + 16, sizeof(other));
        if (one.address < other.address + other.size && other.address < one.address + one.size)
          FAIL("buffers %u and %u overlap", k, i);
      }
    }
  }
}

CASE(P3_skbs_are_marked_for_recycling_and_their_pages_come_back) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 mtu : {kHalfPageMtu, kPageMtu, kJumboMtu}) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), mtu), 0);
    ASSERT_EQ(bench.inject(48), 48u);
    for (u32 i = 0; i < 48; i++) {
      const Skb skb = bench.take();
      ASSERT(skb);
      EXPECT(skb.look().recycles);
    }
    const kunit_pool before = bench.pool();
    EXPECT(bench.pass(200));
    const kunit_pool after = bench.pool();
    EXPECT_EQ(after.taken, before.taken);
    EXPECT_EQ(after.released, before.released);
    EXPECT_EQ(after.shared, 0u);
    expect_only_the_ring_holds_pages(bench, mtu);
  }
}

CASE(P4_what_a_program_drops_stays_in_the_ring) {
  ReceiveBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(kunit_xdp_attach(bench.netdev(), drop_all, nullptr), 0);
  const kunit_pool before = bench.pool(bench.pools() - 1);
  EXPECT_EQ(bench.inject(100), 100u);
  const kunit_pool after = bench.pool(bench.pools() - 1);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 100u);
  EXPECT_EQ(after.fast + after.slow, before.fast + before.slow);
  EXPECT_EQ(after.cached + after.ringed, before.cached + before.ringed);
  EXPECT_EQ(after.taken, before.taken);
  EXPECT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(P4_a_packet_without_skb_is_recycled_directly) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  kunit_pool before{}, after{};
  u32 lost = 0;
  {
    const Failing failing{KUNIT_RECEIVED_SKBS, 100};
    // What the NAPI has in store goes first.
    for (u32 i = 0; i < 8 && lost == 0; i++) {
      before = bench.pool();
      EXPECT_EQ(bench.inject(100), 100u);
      lost = 100 - bench.arrived();
      after = bench.pool();
      EXPECT_EQ(bench.queue_stat("no_skb"), lost);
      if (lost == 0)
        bench.clear_arrived();
    }
  }
  EXPECT_GE(lost, 1u);
  EXPECT_EQ(after.cached - before.cached, lost);
  EXPECT_EQ(bench.nic.link_stats(0).rx_dropped, lost);
  bench.expect_whole_ring();
  EXPECT_EQ(in_use(bench.pool()), bench.held());
}

CASE(P4_a_bad_completion_takes_no_page) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  const kunit_pool before = bench.pool();
  bench.nic.device().fault("rx type 4 x100");
  EXPECT_EQ(bench.inject(100), 100u);
  bench.nic.device().fault("rx length 0 x100");
  EXPECT_EQ(bench.inject(100), 100u);
  const kunit_pool after = bench.pool();
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT_EQ(after.fast + after.slow, before.fast + before.slow);
  EXPECT_EQ(after.cached + after.ringed, before.cached + before.ringed);
  bench.expect_whole_ring();
}

CASE(P5_a_mapping_that_fails_at_open) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  kunit_dma_fail_all(bench.function(), true);
  EXPECT_EQ(bench.nic.open(0), kNoMemory);
  kunit_dma_fail_all(bench.function(), false);
  EXPECT_EQ(bench.pools(), 0u);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
  EXPECT(!kunit_netdev_running(bench.netdev()));
  EXPECT_EQ(bench.nic.open(0), 0);
  EXPECT_EQ(bench.pools(), 1u);
}

CASE(P5_a_mapping_that_fails_at_refill) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  const u32 stored = bench.pool().stored;
  kunit_dma_fail_all(bench.function(), true);
  EXPECT_EQ(bench.inject(20), 20u);
  kunit_dma_fail_all(bench.function(), false);
  EXPECT_EQ(bench.arrived(), stored);
  EXPECT_EQ(bench.queue_stat("no_buffer"), 20 - stored);
  EXPECT(bench.arrive(stored));
  bench.expect_whole_ring();
  EXPECT_EQ(in_use(bench.pool()), bench.held());
}

// --- without replacement ---

CASE(P6_without_a_replacement_the_packet_is_dropped_and_the_ring_stays_whole) {
  for (u32 mtu : {kHalfPageMtu, kPageMtu}) {
    ReceiveBench bench{{.mtu = mtu}};
    ASSERT(bench.up());
    u32 sent = 0;
    {
      const Failing failing{KUNIT_POOL_PAGES, 100};
      for (u32 lap = 0; lap < 3; lap++) {
        const u32 count = bench.buffers();
        EXPECT_EQ(bench.inject(count, sent), count);
        sent += count;
      }
      EXPECT_EQ(in_use(bench.pool()), pages_of(bench.held() + bench.arrived(), mtu));
    }
    const u32 arrived = bench.arrived();
    EXPECT_LE(arrived, 64u);  // from the pages that were left in store
    EXPECT_EQ(bench.queue_stat("no_buffer"), sent - arrived);
    EXPECT_EQ(bench.queue_stat("packets"), arrived);
    EXPECT_EQ(bench.nic.link_stats(0).rx_dropped, sent - arrived);
    EXPECT_EQ(bench.without_buffer(), 0u);
    EXPECT(bench.arrive(arrived));
    bench.expect_whole_ring();
    expect_only_the_ring_holds_pages(bench, mtu);
    EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  }
}

CASE(P6_some_allocations_fail_under_traffic) {
  for (u32 mtu : {kHalfPageMtu, kPageMtu}) {
    ReceiveBench bench{{.mtu = mtu}};
    ASSERT(bench.up());
    u32 arrived = 0, sent = 0;
    {
      const Failing failing{KUNIT_POOL_PAGES, 10};
      for (u32 round = 0; round < 3; round++) {
        // What arrived is kept for a while, so that the pool needs new pages.
        EXPECT_EQ(bench.inject(120, sent), 120u);
        EXPECT_EQ(bench.inject(120, sent + 120), 120u);
        sent += 240;
        arrived += bench.arrived();
        bench.clear_arrived();
      }
    }
    EXPECT_EQ(bench.queue_stat("packets"), arrived);
    EXPECT_EQ(bench.queue_stat("packets") + bench.queue_stat("no_buffer"), sent);
    EXPECT_EQ(bench.without_buffer(), 0u);
    bench.expect_whole_ring();
    expect_only_the_ring_holds_pages(bench, mtu);
  }
}

// --- a pool that cannot be had ---

bool log_says(const char* what) {
  char line[128];
  shim_format(line, sizeof(line), "dmesg | tail -n 20 | grep -q '%s'", what);
  return kunit_helper(line) == 0;
}

CASE(P8_open_fails_with_the_errno_of_the_pool) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  const u32 coherent = kunit_dma_coherent(bench.function());
  {
    const Failing failing{KUNIT_NEW_POOLS, 100};
    EXPECT_EQ(bench.nic.open(0), kNoMemory);
  }
  EXPECT(log_says("queue 0: no page pool (error -12)"));
  EXPECT_EQ(bench.pools(), 0u);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
  EXPECT_EQ(kunit_dma_coherent(bench.function()), coherent);
  EXPECT_EQ(bench.nic.open(0), 0);
}

CASE(P8_a_change_without_pool_changes_nothing) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 id = bench.pool().id;
  const u32 requests = bench.nic.device().change_count();
  {
    const Failing failing{KUNIT_NEW_POOLS, 100};
    EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), kNoMemory);
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), kJumboMtu), kNoMemory);
  }
  EXPECT_EQ(bench.nic.device().change_count(), requests);
  EXPECT_EQ(bench.pools(), 1u);
  EXPECT_EQ(bench.pool().id, id);
  EXPECT_EQ(kunit_netdev_mtu(bench.netdev()), kHalfPageMtu);
  bench.expect_whole_ring();
}

// --- the end of a pool ---

CASE(P9_close_returns_every_page) {
  ReceiveBench bench;
  ASSERT(bench.up());
  EXPECT(bench.pass(200));
  bench.remove_tap();
  bench.nic.close(0);
  EXPECT_EQ(bench.pools(), 0u);  // at once, nothing is waited for
  EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
}

CASE(P9_close_while_packets_arrive) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 round = 0; round < 3; round++) {
    bench.start_traffic(1000, 60, 16, 10'000'000);
    shim_sleep_ms(40 + 7 * round);
    EXPECT_NE(bench.traffic_left(), 0u);
    bench.nic.close(0);
    EXPECT_NE(bench.arrived(), 0u);
    bench.clear_arrived();
    bench.end_traffic();
    EXPECT(bench.await_pools(0));
    EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
    ASSERT_EQ(bench.nic.open(0), 0);
  }
  bench.expect_whole_ring();
}

CASE(P9_pages_in_the_stack_outlive_port_and_driver) {
  for (u32 mtu : {kHalfPageMtu, kPageMtu, kJumboMtu}) {
    Parked parked;
    {
      ReceiveBench bench{{.mtu = mtu}};
      ASSERT(bench.up());
      // An odd number: of one page the stack has one half, and the ring the other.
      ASSERT_EQ(bench.inject(101, 0, payload_of(mtu)), 101u);
      parked.park(bench);
      ASSERT_EQ(parked.count(), 101u);
      bench.nic.close(0);
      ASSERT_EQ(bench.pools(), 1u);
      const kunit_pool pool = bench.pool();
      EXPECT(pool.ended);
      EXPECT_EQ(static_cast<u32>(pool.in_flight), pages_of(101, mtu));
      // The device can reach none of them any more.
      EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
      bench.remove_tap();
      bench.nic.remove();
      parked.free_if(0, ReceiveBench::numbered(0, payload_of(mtu)));
    }
    // The driver is gone, and so is its device.
    for (u32 n = 1; n < 101; n++)
      parked.free_if(n, ReceiveBench::numbered(n, payload_of(mtu)));
    parked.free_all();
    EXPECT(kunit_no_pools_left(3000));
  }
}

CASE(P9_pages_of_an_old_ring_return_to_their_own_pool) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Parked parked;
  ASSERT_EQ(bench.inject(60), 60u);
  parked.park(bench);
  const u32 old_id = bench.pool().id;
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), 0);
  ASSERT_EQ(bench.pools(), 2u);
  EXPECT_EQ(bench.pool(0).id, old_id);
  EXPECT(bench.pool(0).ended);
  EXPECT_EQ(bench.pool(0).in_flight, 30);
  EXPECT(!bench.pool(1).ended);
  EXPECT(bench.pass(200, 60));
  const kunit_pool young = bench.pool(1);
  parked.free_all();
  ASSERT(bench.await_pools(1));
  EXPECT_EQ(bench.pool().id, young.id);
  EXPECT_EQ(bench.pool().ringed, young.ringed);
  EXPECT_EQ(bench.pool().cached, young.cached);
}

CASE(P9_ten_times_open_and_close) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 coherent = kunit_dma_coherent(bench.function());
  for (u32 round = 0; round < 10; round++) {
    bench.nic.close(0);
    ASSERT_EQ(bench.pools(), 0u);
    ASSERT_EQ(kunit_dma_streaming(bench.function()), 0u);
    ASSERT_EQ(bench.nic.open(0), 0);
    ASSERT_EQ(bench.pools(), 1u);
  }
  EXPECT_EQ(kunit_dma_coherent(bench.function()), coherent);
  bench.expect_whole_ring();
}

// --- changes ---

CASE(P10_without_memory_a_change_does_not_begin) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 id = bench.pool().id;
  const u32 requests = bench.nic.device().change_count();
  {
    const Failing failing{KUNIT_POOL_PAGES, 100};
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), kPageMtu), kNoMemory);
    EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 512, 128), kNoMemory);
    EXPECT_EQ(kunit_xdp_attach(bench.netdev(), drop_all, nullptr), kNoMemory);
  }
  EXPECT_EQ(bench.nic.device().change_count(), requests);
  EXPECT(kunit_netdev_carrier(bench.netdev()));
  EXPECT_EQ(bench.pools(), 1u);
  EXPECT_EQ(bench.pool().id, id);
  bench.expect_whole_ring();
}

CASE(P10_all_new_buffers_exist_before_the_device_hears_of_a_change) {
  ReceiveBench bench;
  ASSERT(bench.up());
  kunit_dma_calls at_first{};
  u32 streaming = 0;
  auto look = [&](const ModelDevice::Request&) {
    if (streaming != 0)
      return;
    streaming = kunit_dma_streaming(bench.function());
    kunit_dma_get_calls(bench.function(), &at_first);
  };
  const u32 old_pages = kunit_dma_streaming(bench.function());
  bench.nic.device().on_request = look;
  ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), kPageMtu), 0);
  bench.nic.device().on_request = nullptr;
  EXPECT_GE(streaming, old_pages + bench.buffers());
  // And none is made later.
  EXPECT_EQ(bench.dma().maps, at_first.maps);
  bench.expect_whole_ring();
}

// --- recycling ---

CASE(recycling_costs_no_mapping_and_no_page) {
  for (u32 mtu : {kHalfPageMtu, kPageMtu}) {
    ReceiveBench bench{{.mtu = mtu}};
    ASSERT(bench.up());
    EXPECT(bench.pass(100));
    const kunit_pool before = bench.pool();
    const kunit_dma_calls calls = bench.dma();
    EXPECT(bench.pass(600));
    const kunit_pool after = bench.pool();
    EXPECT_EQ(after.taken, before.taken);
    EXPECT_EQ(after.slow, before.slow);
    EXPECT_EQ(after.overflowed, before.overflowed);
    EXPECT_EQ(after.shared, 0u);
    EXPECT_EQ(bench.dma().maps, calls.maps);
    EXPECT_EQ(bench.dma().unmaps, calls.unmaps);
    EXPECT_EQ(bench.dma().syncs_for_cpu - calls.syncs_for_cpu, 600u);
  }
}

CASE(pages_that_are_freed_on_any_CPU_come_back) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  Parked parked;
  // So many pages are in the pool's own stores that no more are needed.
  ASSERT_EQ(bench.inject(120), 120u);
  bench.clear_arrived();
  const kunit_pool before = bench.pool();
  EXPECT_GE(kunit_cpus(), 2u);
  for (u32 cpu = 0; cpu < kunit_cpus(); cpu++) {
    ASSERT_EQ(bench.inject(120), 120u);
    parked.park(bench);
    ASSERT_EQ(parked.count(), 120u);
    const u64 ringed = bench.pool().ringed;
    kunit_call_on(cpu, Parked::free_all, &parked);
    // Not from the NAPI, so through the ring, whatever the CPU.
    EXPECT_EQ(bench.pool().ringed - ringed, 120u);
  }
  EXPECT_EQ(bench.pool().taken, before.taken);
  EXPECT_EQ(in_use(bench.pool()), bench.held());
  bench.expect_whole_ring();
}

CASE(pages_are_freed_on_another_CPU_while_packets_arrive) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Parked parked;
  bench.start_traffic(300, 60, 8, 20'000'000);
  for (u32 round = 0; round < 500 && bench.traffic_left() != 0; round++) {
    parked.park(bench);
    kunit_call_on(round % kunit_cpus(), Parked::free_all, &parked);
    shim_sleep_ms(3);
  }
  bench.nic.settle();
  bench.clear_arrived();
  bench.end_traffic();
  EXPECT_EQ(bench.queue_stat("packets") + bench.without_buffer(), 300u);
  EXPECT_EQ(bench.without_buffer(), 0u);
  expect_only_the_ring_holds_pages(bench, kHalfPageMtu);
  bench.expect_whole_ring();
}

CASE(more_pages_than_the_pool_keeps_go_back_to_the_kernel) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  const u32 at_rest = kunit_dma_streaming(bench.function());
  for (u32 i = 0; i < 5; i++)
    ASSERT_EQ(bench.inject(120, i * 120), 120u);
  EXPECT_GE(bench.pool().in_flight, 700);
  EXPECT(bench.arrive(600));
  const kunit_pool after = bench.pool();
  EXPECT_EQ(in_use(after), bench.held());
  EXPECT_GE(after.overflowed, 1u);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), static_cast<u32>(after.in_flight));
  EXPECT_LE(kunit_dma_streaming(bench.function()), at_rest + 3 * 128);
  bench.expect_whole_ring();
}

CASE(halves_of_pages_come_back_in_every_order) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Parked parked;
  u32 orders = 0;
  for (u32 code = 0; code < 256; code++) {
    const u32 order[] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
    u32 seen = 0;
    for (u32 n : order)
      seen |= 1u << n;
    if (seen != 15)
      continue;
    orders++;
    ASSERT_EQ(bench.inject(4, code * 4), 4u);
    parked.park(bench);
    ASSERT_EQ(parked.count(), 4u);
    for (u32 n : order)
      parked.free_if(n, ReceiveBench::numbered(code * 4 + n));
    parked.free_all();
  }
  EXPECT_EQ(orders, 24u);
  expect_only_the_ring_holds_pages(bench, kHalfPageMtu);
  EXPECT_EQ(bench.pool().shared, 0u);
  bench.expect_whole_ring();
}

CASE(one_half_is_dropped_and_the_other_delivered) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 odd = 0; odd < 2; odd++) {
    u32 n = 0;
    auto every_other = [&](wire::RxCqe& cqe) {
      if (n++ % 2 == odd)
        cqe.dw0 = (cqe.dw0 & ~wire::RxCqe::Type::kMask) | 4;
    };
    bench.on_completion = every_other;
    for (u32 lap = 0; lap < 4; lap++) {
      EXPECT_EQ(bench.inject(127, lap * 127), 127u);
      bench.clear_arrived();
    }
    bench.on_completion = nullptr;
  }
  EXPECT_EQ(bench.queue_stat("truncated"), 4u * 127);
  // Halves that stay keep pages whose other halves are free: a page for each buffer, at most.
  EXPECT_LE(in_use(bench.pool()), bench.held());
  bench.expect_whole_ring();
  expect_only_the_ring_holds_pages(bench, kHalfPageMtu);
}

// --- sync ---

// A received page is a copy in this device's IOMMU: what is not synced for the CPU does not arrive,
// what is synced too far takes the other half of the page from the device.
CASE(D60_as_much_is_synced_for_the_CPU_as_was_received) {
  ReceiveBench bench;
  ASSERT(bench.up());
  wire::Sge sge;
  __builtin_memcpy(&sge, bench.wqe(0) + 16, sizeof(sge));
  u32 frames = 0;
  const kunit_dma_calls calls = bench.dma();
  // Kept for a while, so that halves that are the CPU's are next to ones that are the device's.
  for (u32 length = 60; length <= sge.size; length += 29) {
    const Frame frame = Frame::raw(length, 77, 1, static_cast<u8>(length));
    ASSERT(bench.inject(frame));
    frames++;
  }
  ASSERT_EQ(bench.arrived(), frames);
  for (u32 length = 60; length <= sge.size; length += 29) {
    const Skb skb = bench.take();
    if (!skb || !skb.holds(Frame::raw(length, 77, 1, static_cast<u8>(length)))) {
      FAIL("a frame of %u bytes does not arrive as it was", length);
      return;
    }
  }
  EXPECT_EQ(bench.dma().syncs_for_cpu - calls.syncs_for_cpu, frames);
}

CASE(D60_nothing_is_synced_for_the_CPU_before_the_length_is_known_to_be_good) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const kunit_dma_calls calls = bench.dma();
  for (const char* fault : {"rx length 0 x10", "rx length 65535 x10", "rx type 4 x10"}) {
    bench.nic.device().fault(fault);
    EXPECT_EQ(bench.inject(10), 10u);
  }
  EXPECT_EQ(bench.dma().syncs_for_cpu, calls.syncs_for_cpu);
  EXPECT_EQ(bench.arrived(), 0u);
}

CASE(a_buffer_that_is_posted_again_is_the_devices) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  {
    const Failing failing{KUNIT_POOL_PAGES, 100};
    for (u32 lap = 0; lap < 3; lap++)
      EXPECT_EQ(bench.inject(127, 0, payload_of(kPageMtu)), 127u);
  }
  bench.nic.device().fault("rx length 0 x127");
  EXPECT_EQ(bench.inject(127, 0, payload_of(kPageMtu)), 127u);
  bench.clear_arrived();
  // All buffers have been used, and are used again; a write to one of the CPU's would fail the
  // case.
  EXPECT(bench.pass(300, 0, payload_of(kPageMtu)));
}

shim_xdp_action scribble(void*, const kunit_xdp* xdp, int*, int*, u32*, int*) {
  for (u32 i = 0; i < xdp->length; i++)
    xdp->data[i] = 0xEE;
  return SHIM_XDP_DROP;
}

CASE(a_dropped_page_is_given_back_whatever_the_program_wrote) {
  ReceiveBench bench;
  ASSERT(bench.up());
  ASSERT_EQ(kunit_xdp_attach(bench.netdev(), scribble, nullptr), 0);
  for (u32 lap = 0; lap < 2; lap++)
    EXPECT_EQ(bench.inject(127, 0, 1400), 127u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  EXPECT(bench.pass(200, 0, 700));
}

// --- numbers ---

CASE(statistics_are_the_pools_own_and_never_go_back) {
  ReceiveBench bench{{.mtu = kPageMtu}};
  ASSERT(bench.up());
  u64 taken = 0, released = 0, buffers = 0;
  for (u32 round = 0; round < 4; round++) {
    EXPECT(bench.pass(100));
    const u64 now_taken = bench.queue_stat("pool_pages_taken");
    const u64 now_released = bench.queue_stat("pool_pages_released");
    EXPECT_EQ(now_taken - taken, bench.pool(bench.pools() - 1).taken);
    EXPECT_EQ(now_released - released, bench.pool(bench.pools() - 1).released);
    EXPECT_GE(bench.queue_stat("pool_buffers"), buffers + 100);
    buffers = bench.queue_stat("pool_buffers");
    bench.nic.close(0);
    EXPECT_GE(bench.queue_stat("pool_pages_taken"), now_taken);
    EXPECT_GE(bench.queue_stat("pool_pages_released"), now_released);
    taken = bench.queue_stat("pool_pages_taken");
    released = bench.queue_stat("pool_pages_released");
    ASSERT_EQ(bench.nic.open(0), 0);
  }
}

constexpr mana_case kCases[] = {
    LIST(P1_each_queue_has_a_pool_of_its_own),
    LIST(P1_order_and_synced_range_follow_the_buffers),
    LIST(P2_every_posted_buffer_is_from_the_pool),
    LIST(P3_skbs_are_marked_for_recycling_and_their_pages_come_back),
    LIST(P4_what_a_program_drops_stays_in_the_ring),
    LIST(P4_a_packet_without_skb_is_recycled_directly),
    LIST(P4_a_bad_completion_takes_no_page),
    LIST(P5_a_mapping_that_fails_at_open),
    LIST(P5_a_mapping_that_fails_at_refill),
    LIST(P6_without_a_replacement_the_packet_is_dropped_and_the_ring_stays_whole),
    LIST(P6_some_allocations_fail_under_traffic),
    LIST(P8_open_fails_with_the_errno_of_the_pool),
    LIST(P8_a_change_without_pool_changes_nothing),
    LIST(P9_close_returns_every_page),
    LIST(P9_close_while_packets_arrive),
    LIST(P9_pages_in_the_stack_outlive_port_and_driver),
    LIST(P9_pages_of_an_old_ring_return_to_their_own_pool),
    LIST(P9_ten_times_open_and_close),
    LIST(P10_without_memory_a_change_does_not_begin),
    LIST(P10_all_new_buffers_exist_before_the_device_hears_of_a_change),
    LIST(recycling_costs_no_mapping_and_no_page),
    LIST(pages_that_are_freed_on_any_CPU_come_back),
    LIST(pages_are_freed_on_another_CPU_while_packets_arrive),
    LIST(more_pages_than_the_pool_keeps_go_back_to_the_kernel),
    LIST(halves_of_pages_come_back_in_every_order),
    LIST(one_half_is_dropped_and_the_other_delivered),
    LIST(D60_as_much_is_synced_for_the_CPU_as_was_received),
    LIST(D60_nothing_is_synced_for_the_CPU_before_the_length_is_known_to_be_good),
    LIST(a_buffer_that_is_posted_again_is_the_devices),
    LIST(a_dropped_page_is_given_back_whatever_the_program_wrote),
    LIST(statistics_are_the_pools_own_and_never_go_back),
};

}  // namespace

MANA_SUITE(page_pool, kCases)

}  // namespace mana::kunit
