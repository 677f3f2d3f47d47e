// SPDX-License-Identifier: GPL-2.0
// XDP: what programs see and decide, frames that other drivers hand over, and programs that come
// and go while packets arrive.
#include <initializer_list>

#include "kunit/harness/failing.h"
#include "kunit/harness/receive_bench.h"
#include "kunit/shim/frames.h"
#include "shim/skb.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

constexpr int kInvalid = -22;
constexpr int kNoMemory = -12;
constexpr int kNetworkDown = -100;

// Of a buffer of half a page, which is what the usual MTU takes; and of one of a page.
constexpr u32 kHeadroom = 192;
constexpr u32 kFrameSize = 2048;
constexpr u32 kPageHeadroom = 256;
constexpr u32 kPageFrameSize = 4096;

// A program: what it is to do, and what it saw last.
struct Program {
  u32 action = SHIM_XDP_PASS;
  int head = 0;
  int tail = 0;
  u32 metadata = 0;
  int target = 0;
  u8 fill = 0;  // if not 0, what a larger frame is filled with

  u32 runs = 0;
  kunit_xdp seen{};

  static shim_xdp_action run(void* self, const kunit_xdp* xdp, int* head, int* tail, u32* metadata,
                             int* target) {
    return static_cast<Program*>(self)->decide(*xdp, *head, *tail, *metadata, *target);
  }
  shim_xdp_action decide(const kunit_xdp& xdp, int& to_head, int& to_tail, u32& to_metadata,
                         int& to_target) {
    runs++;
    seen = xdp;
    for (int i = head; fill != 0 && i < 0; i++)
      xdp.data[i] = fill;
    for (int i = 0; fill != 0 && i < tail; i++)
      xdp.data[xdp.length + i] = fill;
    to_head = head, to_tail = tail, to_metadata = metadata, to_target = target;
    return static_cast<shim_xdp_action>(action);
  }
  int attach(net_device* netdev) { return kunit_xdp_attach(netdev, run, this); }
};

u32 newest(const ReceiveBench& bench) { return bench.pools() - 1; }

// The pool's pages are in its ring, or with it; and nothing else is mapped than pages of pools.
void expect_all_pages_back(const ReceiveBench& bench) {
  const kunit_pool pool = bench.pool(newest(bench));
  // Two buffers in a page, but for some whose other half was exchanged alone.
  const int held = pool.in_flight - static_cast<int>(pool.stored);
  EXPECT_GE(held, static_cast<int>(bench.held() / 2));
  EXPECT_LE(held, static_cast<int>(bench.held() / 2 + 3));
  EXPECT_EQ(pool.shared, 0u);
  int pages = pool.in_flight;
  kunit_pool other{};
  if (bench.port() != 0 && kunit_netdev_running(bench.other()) &&
      kunit_pool_look(bench.other(), 0, &other))
    pages += other.in_flight;
  EXPECT_EQ(static_cast<int>(kunit_dma_streaming(bench.function())), pages);
}

// The queue keeps some of what a program sends back, for what it might send back next; no longer
// than the program is there.
void detach_and_expect_all_pages_back(ReceiveBench& bench) {
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  EXPECT_EQ(bench.inject(1), 1u);
  expect_all_pages_back(bench);
}

// Mappings beside those of new pages.
class Mappings {
 public:
  explicit Mappings(const ReceiveBench& bench) : bench_{bench}, before_{count()} {}
  u64 made() const { return count() - before_; }

 private:
  u64 count() const {
    kunit_pool other{};
    if (bench_.port() != 0)
      (void)kunit_pool_look(bench_.other(), 0, &other);
    return bench_.dma().maps - bench_.pool(newest(bench_)).taken - other.taken;
  }

  const ReceiveBench& bench_;
  u64 before_;
};

// --- registration ---

CASE(P7_the_queue_is_registered_with_its_NAPI_and_its_pool) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  u32 last = 0;
  for (u32 ring : {128u, 256u, 128u}) {
    ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), ring, 128), 0);
    EXPECT(bench.pass(1));
    const kunit_pool pool = bench.pool(newest(bench));
    EXPECT_EQ(program.seen.queue, 0u);
    EXPECT_EQ(program.seen.netdev, kunit_netdev_index(bench.netdev()));
    EXPECT(program.seen.from_pool);
    EXPECT_EQ(program.seen.memory_id, pool.memory_id);
    EXPECT_NE(pool.memory_id, last);  // of this pool, not of the one before
    EXPECT_EQ(program.seen.napi_id, pool.napi_id);
    EXPECT_NE(pool.napi_id, 0u);
    EXPECT(pool.bidirectional);
    last = pool.memory_id;
  }
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(P7_a_memory_model_that_cannot_be_registered) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  {
    const Failing failing{KUNIT_MEMORY_MODELS, 100};
    EXPECT_EQ(bench.nic.open(0), kNoMemory);
  }
  EXPECT_EQ(bench.pools(), 0u);
  EXPECT_EQ(kunit_dma_streaming(bench.function()), 0u);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT_EQ(bench.inject(127), 127u);
}

// --- what a program sees ---

CASE(a_program_has_headroom_and_tailroom) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  const struct {
    u32 mtu, headroom, frame_size;
  } kTable[] = {{1500, kHeadroom, kFrameSize}, {3000, kPageHeadroom, kPageFrameSize}};
  for (const auto& row : kTable) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), row.mtu), 0);
    ASSERT_EQ(program.attach(bench.netdev()), 0);
    program.runs = 0;
    for (u32 payload : {46u, 500u, 1500u}) {
      EXPECT(bench.pass(1, 0, payload));
      EXPECT_EQ(program.seen.length, 14 + payload);
      EXPECT_EQ(program.seen.headroom, row.headroom);
      EXPECT_EQ(program.seen.frame_size, row.frame_size);
      EXPECT_EQ(program.seen.tailroom,
                row.frame_size - row.headroom - (14 + payload) - shim_skb_space(0, 0));
    }
    EXPECT_EQ(program.runs, 3u);
    ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  }
}

// --- what it decides ---

CASE(each_verdict_is_carried_out_and_counted) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const Mappings mappings{bench};
  u32 dropped = 0;
  for (u32 action : {u32{SHIM_XDP_DROP}, u32{SHIM_XDP_ABORTED}, 77u}) {
    program.action = action;
    EXPECT_EQ(bench.inject(60), 60u);
    dropped += 60;
    EXPECT_EQ(bench.arrived(), 0u);
    EXPECT_EQ(bench.queue_stat("xdp_drop"), dropped);
    expect_all_pages_back(bench);
  }
  program.action = SHIM_XDP_PASS;
  EXPECT(bench.pass(48));
  EXPECT_EQ(bench.queue_stat("xdp_drop"), dropped);
  EXPECT_EQ(bench.queue_stat("packets"), dropped + 48u);
  EXPECT_EQ(program.runs, dropped + 48);
  EXPECT_EQ(bench.queue_stat("xdp_tx"), 0u);
  EXPECT_EQ(bench.queue_stat("xdp_redirect"), 0u);
  EXPECT_EQ(mappings.made(), 0u);
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_passed_frame_may_be_moved_cut_grown_and_carry_metadata) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  program.fill = 0xC3;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const Frame frame = ReceiveBench::numbered(3, 300);
  for (int head : {-120, -14, 0, 4})
    for (int tail : {-100, 0, 50})
      for (u32 metadata : {0u, 4u, 32u}) {
        program.head = head, program.tail = tail, program.metadata = metadata;
        ASSERT(bench.inject(frame));
        const Skb skb = bench.take();
        ASSERT(skb);
        const kunit_received seen = skb.look();
        const int length = static_cast<int>(frame.length()) - head + tail;
        EXPECT_EQ(seen.metadata, metadata);
        EXPECT_EQ(static_cast<int>(seen.length), length);
        EXPECT(seen.recycles);
        bool same = true;
        for (int i = 0; i < length && same; i += 1) {
          u8 byte = 0;
          const int at = i + head;
          const bool mine = at < 0 || at >= static_cast<int>(frame.length());
          same = kunit_skb_copy(skb.get(), static_cast<u32>(i), &byte, 1) &&
                 byte == (mine ? program.fill : frame.bytes()[at]);
        }
        if (!same)
          FAIL("head %d, tail %d, metadata %u: the content is not right", head, tail, metadata);
      }
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_frame_that_is_sent_back_arrives_as_the_program_left_it) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Tap other{bench.other()};
  Program program;
  program.action = SHIM_XDP_TX;
  program.fill = 0x3C;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const Mappings mappings{bench};
  const struct {
    int head, tail;
  } kTable[] = {{0, 0}, {0, -40}, {0, 200}, {14, 0}};
  u32 n = 0;
  for (const auto& row : kTable) {
    program.head = row.head, program.tail = row.tail;
    EXPECT_EQ(bench.inject(40, n), 40u);
    EXPECT_EQ(other.count(), 40u);
    for (u32 i = 0; i < 40; i++, n++) {
      const Skb skb = other.take();
      ASSERT(skb);
      const Frame frame = ReceiveBench::numbered(n);
      const u32 length = frame.length() - row.head + row.tail;
      const u32 kept = min(length, frame.length() - row.head);
      EXPECT_EQ(skb.look().length, length);
      u8 bytes[128];
      ASSERT(kept <= sizeof(bytes) && kunit_skb_copy(skb.get(), 0, bytes, kept));
      EXPECT_EQ(__builtin_memcmp(bytes, frame.bytes() + row.head, kept), 0);
      for (u32 at = kept; at < length; at += 50) {
        ASSERT(kunit_skb_copy(skb.get(), at, bytes, 1));
        EXPECT_EQ(bytes[0], program.fill);
      }
    }
  }
  EXPECT_EQ(bench.queue_stat("xdp_tx"), 160u);
  EXPECT_EQ(bench.stat("tx_0_packets"), 160u);
  EXPECT_EQ(bench.arrived(), 0u);
  // A page of the pool is mapped already.
  EXPECT_EQ(mappings.made(), 0u);
  detach_and_expect_all_pages_back(bench);
}

CASE(one_doorbell_for_all_that_a_poll_sends_back) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  u32 bells = 0;
  auto count = [&](const Doorbell& doorbell) {
    bells += doorbell.page == 1 && doorbell.reg == wire::doorbell::kSq;
  };
  bench.on_doorbell = count;
  EXPECT_EQ(bench.inject(60), 60u);
  bench.on_doorbell = nullptr;
  EXPECT_GE(bells, 1u);
  EXPECT_LE(bells, 3u);
  EXPECT_EQ(bench.stat("tx_0_packets"), 60u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(what_is_sent_back_may_begin_anywhere_in_its_buffer) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  u32 sent = 0;
  for (u32 room : {0u, 39u, 40u, kHeadroom}) {
    program.head = static_cast<int>(room) - static_cast<int>(kHeadroom);
    EXPECT_EQ(bench.inject(5), 5u);
    sent += 5;
    EXPECT_EQ(bench.queue_stat("xdp_tx"), sent);
  }
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 0u);
  detach_and_expect_all_pages_back(bench);
}

CASE(a_full_SQ_sends_nothing_back) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  // It receives, and neither sends nor answers.
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(120), 120u);
  EXPECT_EQ(bench.inject(120), 120u);
  bench.nic.device().stalled = false;
  // Before anything is read: the driver may wait for an answer already, with RTNL.
  kunit_function_run(bench.function());
  const u64 sent = bench.queue_stat("xdp_tx");
  EXPECT_GE(sent, 128u - 16);
  EXPECT_LE(sent, 128u);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 240 - sent);
  bench.nic.settle();
  EXPECT_EQ(bench.inject(60), 60u);
  EXPECT_EQ(bench.queue_stat("xdp_tx"), sent + 60);
  detach_and_expect_all_pages_back(bench);
}

CASE(frames_in_an_SQ_that_dies_are_returned) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const Frame frame = ReceiveBench::numbered(0);
  kunit_frames* frames = kunit_frames_create(frame.bytes(), frame.length(), 20, 0);
  ASSERT(frames);
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(30), 30u);
  EXPECT_EQ(kunit_frames_send(frames, bench.netdev(), 20, true), 20);
  bench.nic.device().fault("tx disable x1");
  bench.nic.device().stalled = false;
  kunit_function_run(bench.function());
  EXPECT(bench.await_recoveries(1));
  EXPECT_EQ(kunit_frames_under_way(frames), 0u);
  kunit_frames_destroy(frames);
  // The pool that the frames came from has them all again.
  EXPECT(bench.await_pools(1));
  expect_all_pages_back(bench);
  EXPECT_EQ(bench.inject(60), 60u);
  EXPECT_EQ(bench.queue_stat("xdp_tx"), 90u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// --- redirects ---

// Sends a frame on its first way through another port, passes it on its second.
struct Router {
  int target = 0;
  u32 first = 0;
  u32 second = 0;

  static constexpr u32 kMark = 14 + 8;

  static shim_xdp_action run(void* self, const kunit_xdp* xdp, int*, int*, u32*, int* target) {
    auto* router = static_cast<Router*>(self);
    if (xdp->length <= kMark || xdp->data[kMark] == 0xFE) {
      router->second++;
      return SHIM_XDP_PASS;
    }
    router->first++;
    xdp->data[kMark] = 0xFE;
    *target = router->target;
    return SHIM_XDP_REDIRECT;
  }
  int attach(net_device* netdev) { return kunit_xdp_attach(netdev, run, this); }
};

CASE(redirected_frames_leave_through_the_other_port) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Router router{.target = kunit_netdev_index(bench.other())};
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  // Out of port 0, over the switch, and in at port 1 again.
  for (u32 round = 0; round < 3; round++) {
    EXPECT_EQ(bench.inject(48, round * 48), 48u);
    for (u32 i = 0; i < 48; i++) {
      const Skb skb = bench.take();
      ASSERT(skb);
      const Frame frame = ReceiveBench::numbered(round * 48 + i);
      frame.bytes()[Router::kMark] = 0xFE;
      EXPECT(skb.holds(frame));
    }
  }
  EXPECT_EQ(router.first, 144u);
  EXPECT_EQ(router.second, 144u);
  EXPECT_EQ(bench.queue_stat("xdp_redirect"), 144u);
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit"), 144u);
  EXPECT_EQ(bench.arrived(), 0u);
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(redirects_that_fail_drop_the_frame) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Router router{.target = 12345};  // no netdev has that index
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  EXPECT_EQ(bench.inject(40), 40u);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 40u);
  // A port that is down takes no frames.
  router.target = kunit_netdev_index(bench.other());
  bench.nic.close(0);
  EXPECT_EQ(bench.inject(40), 40u);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 80u);
  EXPECT_EQ(bench.queue_stat("xdp_redirect"), 0u);
  expect_all_pages_back(bench);
  // One whose SQ is full: taken by the stack, and dropped there.
  ASSERT_EQ(bench.nic.open(0), 0);
  bench.nic.device().stalled = true;
  for (u32 i = 0; i < 3; i++)
    EXPECT_EQ(bench.inject(60), 60u);
  bench.nic.device().stalled = false;
  EXPECT_EQ(bench.queue_stat("xdp_redirect"), 180u);
  kunit_function_run(bench.function());
  bench.nic.settle();
  EXPECT_LE(bench.nic.stat(0, "tx_0_xdp_xmit"), 128u);
  bench.clear_arrived();
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(frames_of_an_old_pool_return_to_it) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Router router{.target = kunit_netdev_index(bench.other())};
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  const u32 id = bench.pool(newest(bench)).id;
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(60), 60u);
  // They are in port 0's SQ when the ring that they came from is replaced.
  auto go_on = [&](const ModelDevice::Request&) { bench.nic.device().stalled = false; };
  bench.nic.device().on_request = go_on;
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), 0);
  bench.nic.device().on_request = nullptr;
  bench.nic.settle();
  bench.clear_arrived();
  EXPECT(bench.await_pools(1));
  EXPECT_NE(bench.pool().id, id);
  EXPECT_EQ(bench.pool().shared, 0u);
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit"), 60u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(redirects_while_everything_changes) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Router there{.target = kunit_netdev_index(bench.other())};
  Program back;
  back.action = SHIM_XDP_TX;
  bench.start_traffic(600, 200, 4, 10'000'000);
  for (u32 round = 0; round < 3; round++) {
    EXPECT_EQ(there.attach(bench.netdev()), 0);
    EXPECT_EQ(back.attach(bench.other()), 0);
    EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), round % 2 ? 128 : 256, 128), 0);
    EXPECT_EQ(kunit_netdev_set_mtu(bench.other(), round % 2 ? 1500 : 3000), 0);
    EXPECT_EQ(kunit_xdp_detach(bench.other()), 0);
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), round % 2 ? 1500 : 2000), 0);
    bench.nic.close(0);
    bench.clear_arrived();
    EXPECT_EQ(bench.nic.open(0), 0);
    EXPECT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  }
  EXPECT_NE(there.first, 0u);
  bench.end_traffic();
  bench.clear_arrived();
  EXPECT(bench.await_pools(1));
  EXPECT_EQ(bench.inject(100), 100u);
  EXPECT(bench.arrive(100));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

// --- programs that come and go ---

CASE(a_program_is_exchanged_without_the_device_and_without_a_loss) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program first, second;
  first.action = second.action = SHIM_XDP_DROP;
  ASSERT_EQ(first.attach(bench.netdev()), 0);
  const u32 requests = bench.nic.device().change_count();
  const u32 id = bench.pool(newest(bench)).id;
  bench.start_traffic(400, 60, 4, 5'000'000);
  for (u32 round = 0; round < 4; round++) {
    shim_sleep_ms(20);
    EXPECT_EQ(second.attach(bench.netdev()), 0);
    const u32 runs = first.runs;
    shim_sleep_ms(20);
    EXPECT_EQ(first.runs, runs);  // the old one does not run any more
    EXPECT_EQ(first.attach(bench.netdev()), 0);
    shim_sleep_ms(20);
    EXPECT_EQ(kunit_xdp_detach(bench.netdev()), 0);
    shim_sleep_ms(10);
    EXPECT_EQ(first.attach(bench.netdev()), 0);
  }
  for (u32 i = 0; i < 100 && bench.traffic_left() != 0; i++)
    bench.nic.settle();
  bench.end_traffic();
  EXPECT_EQ(bench.nic.device().change_count(), requests);
  EXPECT_EQ(bench.pool(newest(bench)).id, id);
  EXPECT_NE(first.runs, 0u);
  EXPECT_NE(second.runs, 0u);
  EXPECT_NE(bench.arrived(), 0u);
  // Each packet went one way.
  EXPECT_EQ(first.runs + second.runs + bench.arrived(), 400u);
  EXPECT_EQ(bench.without_buffer(), 0u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_program_on_a_port_that_is_down) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  Program program;
  EXPECT_EQ(program.attach(bench.netdev()), 0);
  EXPECT_EQ(bench.pools(), 0u);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT(bench.pool().bidirectional);
  EXPECT_EQ(bench.inject(5), 5u);
  EXPECT_EQ(program.runs, 5u);
  bench.nic.close(0);
  EXPECT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT(!bench.pool().bidirectional);
  EXPECT_EQ(bench.inject(5), 5u);
  EXPECT_EQ(program.runs, 5u);
}

CASE(an_MTU_that_is_too_large_refuses_a_program_and_the_other_way_round) {
  ReceiveBench bench;
  ASSERT(bench.up());
  // The frame, with a tag that is left, the headroom, and the stack's room behind it.
  const u32 most = kPageFrameSize - kPageHeadroom - shim_skb_space(0, 0) - 18;
  Program program;
  ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), most + 1), 0);
  EXPECT_EQ(program.attach(bench.netdev()), kInvalid);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), 9000), 0);
  EXPECT_EQ(program.attach(bench.netdev()), kInvalid);
  EXPECT(bench.pass(1, 0, 5000));
  EXPECT_EQ(program.runs, 0u);
  ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), most), 0);
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  EXPECT(bench.pass(1, 0, most + 4));
  EXPECT_EQ(program.runs, 1u);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), most + 1), kInvalid);
  EXPECT_EQ(kunit_netdev_mtu(bench.netdev()), most);
  EXPECT(bench.pass(1, 0, most + 4));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), most + 1), 0);
}

CASE(buffers_that_have_the_room_are_kept) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const u32 id = bench.pool(newest(bench)).id;
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
  EXPECT(bench.pass(5));
  EXPECT_EQ(program.runs, 0u);
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  EXPECT_EQ(bench.pool(newest(bench)).id, id);
  EXPECT(bench.pass(5));
  EXPECT_EQ(program.runs, 5u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(only_an_open_port_is_a_target) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  EXPECT(!kunit_netdev_takes_frames(bench.netdev()));
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT(kunit_netdev_takes_frames(bench.netdev()));
  bench.nic.close(0);
  EXPECT(!kunit_netdev_takes_frames(bench.netdev()));
}

// --- frames that are handed over ---

// Watched frames of one content, given back at the end. Large ones are sent from where they are and
// kept until then, small ones (up to 128 bytes) are copied.
constexpr u32 kLargeFrame = 200;
constexpr u32 kSmallFrame = 60;
class Frames : NonCopyable {
 public:
  Frames(u32 count, u32 payload = kLargeFrame) {
    const Frame frame = content(payload);
    frames_ = kunit_frames_create(frame.bytes(), frame.length(), count, 0);
    if (!frames_)
      FAIL("no memory for frames");
  }
  ~Frames() {
    if (frames_)
      kunit_frames_destroy(frames_);
  }
  static Frame content(u32 payload) { return Frame::raw(14 + payload, 1, 0xFF, 9); }
  int send(net_device* netdev, u32 count, bool flush = true) const {
    return frames_ ? kunit_frames_send(frames_, netdev, count, flush) : 0;
  }
  u32 under_way() const { return frames_ ? kunit_frames_under_way(frames_) : 0; }

 private:
  kunit_frames* frames_ = nullptr;
};

CASE(frames_that_are_handed_over_are_sent_and_freed_once) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  const Frames frames{200};
  const u64 maps = bench.dma().maps;
  for (u32 batch : {1u, 16u, 48u, 48u, 48u}) {
    EXPECT_EQ(frames.send(bench.other(), batch), static_cast<int>(batch));
    bench.nic.settle();
    EXPECT_EQ(frames.under_way(), 0u);
    for (u32 i = 0; i < batch; i++)
      EXPECT(bench.take().holds(Frames::content(kLargeFrame)));
    EXPECT_EQ(bench.arrived(), 0u);
  }
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit") + bench.nic.stat(0, "tx_0_packets"), 2 * 161u);
  EXPECT_GE(bench.dma().maps - maps, 161u);
  bench.remove_tap();
  // Only pages of pools are mapped now.
  kunit_pool other{};
  ASSERT(kunit_pool_look(bench.other(), 0, &other));
  EXPECT_EQ(static_cast<int>(kunit_dma_streaming(bench.function())),
            bench.pool().in_flight + other.in_flight);
}

CASE(small_frames_are_copied_and_freed_at_once) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  const Frames frames{200, kSmallFrame};
  for (u32 round = 0; round < 8; round++) {
    bench.nic.device().stalled = true;
    const u64 maps = bench.dma().maps;
    EXPECT_EQ(frames.send(bench.other(), 20), 20);
    EXPECT_EQ(frames.under_way(), 0u);
    EXPECT_EQ(bench.dma().maps, maps);
    bench.nic.device().stalled = false;
    kunit_function_run(bench.function());
    bench.nic.settle();
    for (u32 i = 0; i < 20; i++)
      EXPECT(bench.take().holds(Frames::content(kSmallFrame)));
    EXPECT_EQ(bench.arrived(), 0u);
  }
  bench.remove_tap();
}

CASE(the_doorbell_waits_for_the_flush) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Frames frames{8};
  u32 bells = 0;
  auto count = [&](const Doorbell& doorbell) {
    bells += doorbell.page == 1 && doorbell.reg == wire::doorbell::kSq;
  };
  bench.on_doorbell = count;
  EXPECT_EQ(frames.send(bench.netdev(), 4, false), 4);
  bench.nic.settle();
  EXPECT_EQ(bells, 0u);
  EXPECT_EQ(frames.under_way(), 4u);
  EXPECT_EQ(frames.send(bench.netdev(), 4, true), 4);
  bench.nic.settle();
  EXPECT_EQ(bells, 1u);
  EXPECT_EQ(frames.under_way(), 0u);
  bench.on_doorbell = nullptr;
}

CASE(a_full_SQ_leaves_the_rest_to_the_caller) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.nic.device().stalled = true;
  const Frames frames{256};
  u32 taken = 0, refused = 0;
  for (u32 i = 0; i < 6; i++) {
    const int some = frames.send(bench.netdev(), 50);
    ASSERT(some >= 0);
    taken += some;
    refused += some < 50;
  }
  EXPECT_GE(taken, 128u - 16);
  EXPECT_LE(taken, 128u);
  EXPECT_GE(refused, 3u);
  EXPECT_EQ(frames.under_way(), taken);
  bench.nic.device().stalled = false;
  kunit_function_run(bench.function());
  bench.nic.settle();
  EXPECT_EQ(frames.under_way(), 0u);
  EXPECT_EQ(frames.send(bench.netdev(), 50), 50);
  bench.nic.settle();
}

CASE(a_port_that_is_down_takes_no_frame) {
  ReceiveBench bench;
  ASSERT(bench.probe());
  const Frames frames{12};
  EXPECT_EQ(frames.send(bench.netdev(), 4), kNetworkDown);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT_EQ(frames.send(bench.netdev(), 4), 4);
  bench.nic.settle();
  bench.nic.close(0);
  EXPECT_EQ(frames.send(bench.netdev(), 4), kNetworkDown);
  EXPECT_EQ(frames.under_way(), 0u);
}

CASE(frames_that_cannot_be_sent_are_not_taken) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Frame any = Frames::content(60);
  kunit_frames* empty = kunit_frames_create(any.bytes(), 0, 4, 0);
  ASSERT(empty);
  EXPECT_EQ(kunit_frames_send(empty, bench.netdev(), 4, true), 0);
  kunit_frames_destroy(empty);
  // The third cannot be mapped.
  const Frames frames{8};
  kunit_dma_fail_nth(bench.function(), 3);
  EXPECT_EQ(frames.send(bench.netdev(), 8), 2);
  bench.nic.settle();
  EXPECT_EQ(frames.under_way(), 0u);
  EXPECT_EQ(frames.send(bench.netdev(), 6), 6);
  bench.nic.settle();
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

constexpr mana_case kCases[] = {
    LIST(P7_the_queue_is_registered_with_its_NAPI_and_its_pool),
    LIST(P7_a_memory_model_that_cannot_be_registered),
    LIST(a_program_has_headroom_and_tailroom),
    LIST(each_verdict_is_carried_out_and_counted),
    LIST(a_passed_frame_may_be_moved_cut_grown_and_carry_metadata),
    LIST(a_frame_that_is_sent_back_arrives_as_the_program_left_it),
    LIST(one_doorbell_for_all_that_a_poll_sends_back),
    LIST(what_is_sent_back_may_begin_anywhere_in_its_buffer),
    LIST(a_full_SQ_sends_nothing_back),
    LIST(frames_in_an_SQ_that_dies_are_returned),
    LIST(redirected_frames_leave_through_the_other_port),
    LIST(redirects_that_fail_drop_the_frame),
    LIST(frames_of_an_old_pool_return_to_it),
    LIST(redirects_while_everything_changes),
    LIST(a_program_is_exchanged_without_the_device_and_without_a_loss),
    LIST(a_program_on_a_port_that_is_down),
    LIST(an_MTU_that_is_too_large_refuses_a_program_and_the_other_way_round),
    LIST(buffers_that_have_the_room_are_kept),
    LIST(only_an_open_port_is_a_target),
    LIST(frames_that_are_handed_over_are_sent_and_freed_once),
    LIST(small_frames_are_copied_and_freed_at_once),
    LIST(the_doorbell_waits_for_the_flush),
    LIST(a_full_SQ_leaves_the_rest_to_the_caller),
    LIST(a_port_that_is_down_takes_no_frame),
    LIST(frames_that_cannot_be_sent_are_not_taken),
};

}  // namespace

MANA_SUITE(xdp, kCases)

}  // namespace mana::kunit
