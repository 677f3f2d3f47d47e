// SPDX-License-Identifier: GPL-2.0
// XDP on frames in several buffers, which rx-scatter makes, and frames of that kind that other
// drivers hand over.
#include <initializer_list>

#include "kunit/harness/failing.h"
#include "kunit/harness/receive_bench.h"
#include "kunit/shim/frames.h"
#include "shim/skb.h"

namespace mana::kunit {
namespace {

constexpr int kInvalid = -22;

constexpr u32 kPage = 4096;
constexpr u32 kMtu = 9000;
constexpr u32 kPieces = 3;
constexpr u32 kPayload = 8900;  // two pages behind the first

// What the first page has room for.
u32 head() { return kPage - shim_skb_space(shim_xdp_headroom(), 0); }

constexpr ReceiveBench::Config kScattered{.mtu = kMtu, .scatter = true};
constexpr ReceiveBench::Config kTwoPorts{.ports = 2, .mtu = kMtu, .scatter = true};

struct Program {
  u32 action = SHIM_XDP_PASS;
  int head = 0;
  int tail = 0;
  u32 metadata = 0;
  int target = 0;
  u32 runs = 0;
  kunit_xdp seen{};

  static shim_xdp_action run(void* self, const kunit_xdp* xdp, int* head, int* tail, u32* metadata,
                             int* target) {
    auto* program = static_cast<Program*>(self);
    program->runs++;
    program->seen = *xdp;
    *head = program->head, *tail = program->tail, *metadata = program->metadata;
    *target = program->target;
    return static_cast<shim_xdp_action>(program->action);
  }
  int attach(net_device* netdev, u32 how = KUNIT_XDP_FRAGMENTS) {
    return kunit_xdp_attach_as(netdev, how, run, this);
  }
};

// Sends a frame on its first way through another port, passes it on its second.
struct Router {
  int target = 0;
  int tail = 0;
  u32 second = 0;

  static constexpr u32 kMark = 14 + 8;

  static shim_xdp_action run(void* self, const kunit_xdp* xdp, int*, int* tail, u32*, int* target) {
    auto* router = static_cast<Router*>(self);
    if (xdp->data[kMark] == 0xFE) {
      router->second += xdp->fragments == 2;
      return SHIM_XDP_PASS;
    }
    xdp->data[kMark] = 0xFE;
    *tail = router->tail, *target = router->target;
    return SHIM_XDP_REDIRECT;
  }
  int attach(net_device* netdev) {
    return kunit_xdp_attach_as(netdev, KUNIT_XDP_FRAGMENTS, run, this);
  }
};

u32 newest(const ReceiveBench& bench) { return bench.pools() - 1; }

// The ring has all its pages, the reserve up to three, and nobody else any.
void expect_all_pages_back(const ReceiveBench& bench) {
  const kunit_pool pool = bench.pool(newest(bench));
  const int held = pool.in_flight - static_cast<int>(pool.stored);
  EXPECT_GE(held, static_cast<int>(bench.held() * kPieces));
  EXPECT_LE(held, static_cast<int>(bench.held() * kPieces + kPieces));
  EXPECT_EQ(pool.shared, 0u);
}

// --- what a program sees, and who may have one ---

CASE(a_program_sees_the_pieces) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  for (const u32 length :
       {60u, head(), head() + 1, head() + kPage, head() + kPage + 1, kMtu + 14}) {
    EXPECT(bench.pass(1, 0, length - 14));
    EXPECT_EQ(program.seen.headroom, shim_xdp_headroom());
    EXPECT_EQ(program.seen.frame_size, kPage);
    EXPECT_EQ(program.seen.length, min(length, head()));
    EXPECT_EQ(program.seen.fragments, (length > head()) + (length > head() + kPage));
    EXPECT_EQ(program.seen.fragments_length, length - min(length, head()));
  }
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(D61_hints_are_there_as_well) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev(), KUNIT_XDP_FRAGMENTS | KUNIT_XDP_BOUND), 0);
  auto edit = [&](wire::RxCqe& cqe) {
    cqe.flags = wire::RxCqe::HashType::put(wire::hash::kTcpIpv4);
    cqe.packets[0].hash = 0x12345678;
  };
  bench.on_completion = edit;
  EXPECT(bench.pass(1, 0, kPayload));
  bench.on_completion = nullptr;
  EXPECT(program.seen.has_hash);
  EXPECT_EQ(program.seen.hash, 0x12345678u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(who_may_have_a_program) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  EXPECT(kunit_netdev_gives_fragments(bench.netdev()));
  EXPECT(kunit_netdev_sends_fragments(bench.netdev()));
  EXPECT_EQ(program.attach(bench.netdev(), 0), kInvalid);
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  EXPECT_EQ(kunit_netdev_set_scatter(bench.netdev(), false), kInvalid);
  EXPECT(kunit_netdev_gives_fragments(bench.netdev()));
  // Nor another that does not take them.
  Program plain;
  EXPECT_EQ(plain.attach(bench.netdev(), 0), kInvalid);
  EXPECT(bench.pass(1, 0, kPayload));
  EXPECT_EQ(program.runs, 1u);
  // Where a frame is in one page, any program will do, and none needs the flag.
  ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), 3502), 0);
  EXPECT_EQ(plain.attach(bench.netdev(), 0), 0);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), 3503), kInvalid);
  EXPECT_EQ(program.attach(bench.netdev()), 0);
  EXPECT_EQ(kunit_netdev_set_scatter(bench.netdev(), false), 0);
  EXPECT(!kunit_netdev_gives_fragments(bench.netdev()));
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), kMtu), kInvalid);
  ASSERT_EQ(kunit_netdev_set_scatter(bench.netdev(), true), 0);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), kMtu), 0);
  EXPECT(bench.pass(50, 0, kPayload));
  EXPECT_EQ(program.runs, 51u);
  bench.nic.close(0);
  EXPECT(!kunit_netdev_sends_fragments(bench.netdev()));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// --- what it decides ---

CASE(each_verdict_is_carried_out_and_counted) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  u32 dropped = 0;
  EXPECT(bench.pass(100, 0, kPayload));
  const kunit_pool before = bench.pool(newest(bench));
  const u64 maps = bench.dma().maps;
  for (const u32 action : {u32{SHIM_XDP_DROP}, u32{SHIM_XDP_ABORTED}, 77u})
    for (const u32 payload : {kPayload, 100u}) {
      program.action = action;
      EXPECT_EQ(bench.inject(60, 0, payload), 60u);
      dropped += 60;
      EXPECT_EQ(bench.arrived(), 0u);
      EXPECT_EQ(bench.queue_stat("xdp_drop"), dropped);
    }
  // What is dropped stays in its slot, but for the first reserve.
  const kunit_pool after = bench.pool(newest(bench));
  EXPECT_LE(after.fast + after.slow, before.fast + before.slow + kPieces);
  EXPECT_EQ(after.cached + after.ringed, before.cached + before.ringed);
  program.action = SHIM_XDP_PASS;
  EXPECT(bench.pass(200, 0, kPayload));
  EXPECT_EQ(bench.queue_stat("packets"), dropped + 300u);
  EXPECT_EQ(bench.dma().maps, maps);
  expect_all_pages_back(bench);
  program.action = SHIM_XDP_DROP;  // the end comes with a full reserve
  EXPECT_EQ(bench.inject(10, 0, kPayload), 10u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// The frame from byte `from` on, `length` bytes of it.
bool holds_part(const Skb& skb, const Frame& frame, u32 from, u32 length) {
  if (skb.look().length != length)
    return false;
  for (u32 at = 0; at < length; at += 61) {
    u8 byte = 0;
    if (!kunit_skb_copy(skb.get(), at, &byte, 1) || byte != frame.bytes()[from + at])
      return false;
  }
  return true;
}

CASE(a_passed_frame_may_be_moved_cut_and_carry_metadata) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const Frame frame = ReceiveBench::numbered(3, kPayload);
  const int second = static_cast<int>(frame.length() - head() - kPage);  // bytes in the last page
  for (const int cut : {0, 1, second - 1, second, second + 1, second + 4095, second + 4096,
                        second + 4097, static_cast<int>(frame.length()) - 100})
    for (const u32 metadata : {0u, 8u}) {
      program.head = metadata ? 14 : 0, program.tail = -cut, program.metadata = metadata;
      ASSERT(bench.inject(frame));
      const Skb skb = bench.take();
      ASSERT(skb);
      const u32 length = frame.length() - static_cast<u32>(cut + program.head);
      if (!holds_part(skb, frame, static_cast<u32>(program.head), length))
        FAIL("cut by %d: the content is not right", cut);
      EXPECT_EQ(skb.look().metadata, metadata);
      EXPECT_EQ(skb.look().fragments, u32{cut < second} + u32{cut < second + 4096});
      EXPECT(skb.look().recycles);
    }
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// Pages that a program cuts off are replaced, whatever it decides.
CASE(what_is_cut_off_is_replaced) {
  ReceiveBench bench{kTwoPorts};
  ASSERT(bench.up());
  Tap other{bench.other()};
  Program program;
  program.target = 12345;  // no netdev has that index
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  for (const u32 action : {SHIM_XDP_DROP, SHIM_XDP_PASS, SHIM_XDP_TX, SHIM_XDP_REDIRECT})
    for (const int cut : {3000, 6000, 8000}) {
      program.action = action, program.tail = -cut;
      for (u32 round = 0; round < 3; round++) {
        EXPECT_EQ(bench.inject(48, 0, kPayload), 48u);
        EXPECT_EQ(bench.arrived(), action == SHIM_XDP_PASS ? 48u : 0u);
        EXPECT_EQ(other.count(), action == SHIM_XDP_TX ? 48u : 0u);
        bench.clear_arrived();
        other.clear();
      }
      expect_all_pages_back(bench);
      if (kunit_failed()) {
        kunit_note("action %u, cut by %d", action, cut);
        return;
      }
    }
  Router router{.target = kunit_netdev_index(bench.other()), .tail = -6000};
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  for (u32 round = 0; round < 3; round++) {
    EXPECT_EQ(bench.inject(40, 0, kPayload), 40u);
    EXPECT_EQ(bench.arrived(), 40u);
    bench.clear_arrived();
    expect_all_pages_back(bench);
  }
  EXPECT_EQ(bench.queue_stat("no_buffer"), 0u);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  program.action = SHIM_XDP_PASS, program.tail = 0;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  EXPECT(bench.pass(200, 0, kPayload));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_frame_that_is_sent_back_arrives_whole) {
  ReceiveBench bench{kTwoPorts};
  ASSERT(bench.up());
  Tap other{bench.other()};
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  const u64 maps = bench.dma().maps;
  u32 n = 0;
  for (const u32 payload : {100u, 4000u, kPayload}) {
    for (u32 round = 0; round < 4; round++) {
      EXPECT_EQ(bench.inject(40, n, payload), 40u);
      ASSERT_EQ(other.count(), 40u);
      for (u32 i = 0; i < 40; i++, n++)
        EXPECT(other.take().holds(ReceiveBench::numbered(n, payload)));
    }
  }
  EXPECT_EQ(bench.queue_stat("xdp_tx"), n);
  EXPECT_EQ(bench.stat("tx_0_packets"), n);
  EXPECT_EQ(bench.arrived(), 0u);
  expect_all_pages_back(bench);
  // Pages of the pool are mapped already; what there is more are new pages of pools.
  kunit_pool there{};
  ASSERT(kunit_pool_look(bench.other(), 0, &there));
  EXPECT_LE(bench.dma().maps - maps, 64u * 4);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_frame_without_room_for_the_kernels_part_is_dropped) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  u32 dropped = 0;
  for (const u32 action : {SHIM_XDP_TX, SHIM_XDP_REDIRECT}) {
    program.action = action;
    program.target = kunit_netdev_index(bench.netdev());
    program.head = 39 - static_cast<int>(shim_xdp_headroom());
    EXPECT_EQ(bench.inject(90, 0, kPayload), 90u);
    dropped += 90;
    EXPECT_EQ(bench.queue_stat("xdp_drop"), dropped);
    expect_all_pages_back(bench);
  }
  EXPECT_EQ(bench.queue_stat("xdp_tx"), 0u);
  program.action = SHIM_XDP_PASS, program.head = 0;
  EXPECT(bench.pass(200, 0, kPayload));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_full_SQ_sends_nothing_back) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(50, 0, kPayload), 50u);
  EXPECT_EQ(bench.inject(70, 0, kPayload), 70u);
  bench.nic.device().stalled = false;
  // Before anything is read: the driver may wait for an answer already, with RTNL.
  kunit_function_run(bench.function());
  const u64 sent = bench.queue_stat("xdp_tx");
  EXPECT_GE(sent, 50u);
  EXPECT_LE(sent, 64u);  // of two BU each
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 120 - sent);
  bench.nic.settle();
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(frames_in_an_SQ_that_dies_are_returned) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  Program program;
  program.action = SHIM_XDP_TX;
  ASSERT_EQ(program.attach(bench.netdev()), 0);
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(30, 0, kPayload), 30u);
  bench.nic.device().fault("tx disable x1");
  bench.nic.device().stalled = false;
  kunit_function_run(bench.function());
  EXPECT(bench.await_recoveries(1));
  EXPECT(bench.await_pools(1));
  expect_all_pages_back(bench);
  program.action = SHIM_XDP_PASS;
  EXPECT(bench.pass(100, 0, kPayload));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// --- redirects ---

CASE(redirected_frames_leave_through_the_other_port) {
  ReceiveBench bench{kTwoPorts};
  ASSERT(bench.up());
  Router router{.target = kunit_netdev_index(bench.other())};
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  for (u32 round = 0; round < 4; round++) {
    EXPECT_EQ(bench.inject(40, round * 40, kPayload), 40u);
    for (u32 i = 0; i < 40; i++) {
      const Skb skb = bench.take();
      ASSERT(skb);
      const Frame frame = ReceiveBench::numbered(round * 40 + i, kPayload);
      frame.bytes()[Router::kMark] = 0xFE;
      EXPECT(skb.holds(frame));
    }
  }
  EXPECT_EQ(router.second, 160u);
  EXPECT_EQ(bench.queue_stat("xdp_redirect"), 160u);
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit"), 160u);
  expect_all_pages_back(bench);
  // A port that is down takes none, and the frames are dropped.
  bench.nic.close(0);
  EXPECT_EQ(bench.inject(40, 0, kPayload), 40u);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 40u);
  expect_all_pages_back(bench);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(frames_of_an_old_pool_return_to_it) {
  ReceiveBench bench{kTwoPorts};
  ASSERT(bench.up());
  Router router{.target = kunit_netdev_index(bench.other())};
  ASSERT_EQ(router.attach(bench.netdev()), 0);
  const u32 id = bench.pool(newest(bench)).id;
  bench.nic.device().stalled = true;
  EXPECT_EQ(bench.inject(40, 0, kPayload), 40u);
  // They are in port 0's SQ when the ring that they came from is replaced.
  auto go_on = [&](const ModelDevice::Request&) { bench.nic.device().stalled = false; };
  bench.nic.device().on_request = go_on;
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), 0);
  bench.nic.device().on_request = nullptr;
  bench.nic.settle();
  bench.clear_arrived();
  EXPECT(bench.await_pools(1));
  EXPECT_NE(bench.pool().id, id);
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit"), 40u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

// --- frames that are handed over ---

CASE(frames_in_pieces_are_sent_and_freed_once) {
  ReceiveBench bench{kTwoPorts};
  ASSERT(bench.up());
  const Frame frame = Frame::raw(8000, 1, 0xFF, 9);
  for (const u32 fragments : {3u, 4u, 7u, 17u}) {
    kunit_frames* frames = kunit_frames_create(frame.bytes(), frame.length(), 30, fragments);
    ASSERT(frames);
    for (u32 round = 0; round < 5; round++) {
      EXPECT_EQ(kunit_frames_send(frames, bench.other(), 6, true), 6);
      bench.nic.settle();
      EXPECT_EQ(kunit_frames_under_way(frames), 0u);
      for (u32 i = 0; i < 6; i++)
        EXPECT(bench.take().holds(frame));
      EXPECT_EQ(bench.arrived(), 0u);
    }
    kunit_frames_destroy(frames);
  }
  EXPECT_EQ(bench.nic.stat(0, "tx_0_xdp_xmit"), 120u);
}

CASE(frames_in_pieces_that_cannot_be_mapped_are_not_taken) {
  ReceiveBench bench{kScattered};
  ASSERT(bench.up());
  const Frame frame = Frame::raw(8000, 1, 0xFF, 9);
  kunit_frames* frames = kunit_frames_create(frame.bytes(), frame.length(), 12, 3);
  ASSERT(frames);
  const u32 mapped = kunit_dma_streaming(bench.function());
  for (u32 n = 1; n <= 4; n++) {
    kunit_dma_fail_nth(bench.function(), n);
    EXPECT_EQ(kunit_frames_send(frames, bench.netdev(), 1, true), 0);
    EXPECT_EQ(kunit_dma_streaming(bench.function()), mapped);
  }
  kunit_dma_fail_nth(bench.function(), 5);  // the second frame's first piece
  EXPECT_EQ(kunit_frames_send(frames, bench.netdev(), 2, true), 1);
  bench.nic.settle();
  EXPECT_EQ(kunit_frames_send(frames, bench.netdev(), 4, true), 4);
  bench.nic.settle();
  EXPECT_EQ(kunit_frames_under_way(frames), 0u);
  kunit_frames_destroy(frames);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

constexpr mana_case kCases[] = {
    LIST(a_program_sees_the_pieces),
    LIST(D61_hints_are_there_as_well),
    LIST(who_may_have_a_program),
    LIST(each_verdict_is_carried_out_and_counted),
    LIST(a_passed_frame_may_be_moved_cut_and_carry_metadata),
    LIST(what_is_cut_off_is_replaced),
    LIST(a_frame_that_is_sent_back_arrives_whole),
    LIST(a_frame_without_room_for_the_kernels_part_is_dropped),
    LIST(a_full_SQ_sends_nothing_back),
    LIST(frames_in_an_SQ_that_dies_are_returned),
    LIST(redirected_frames_leave_through_the_other_port),
    LIST(frames_of_an_old_pool_return_to_it),
    LIST(frames_in_pieces_are_sent_and_freed_once),
    LIST(frames_in_pieces_that_cannot_be_mapped_are_not_taken),
};

}  // namespace

MANA_SUITE(xdp_frags, kCases)

}  // namespace mana::kunit
