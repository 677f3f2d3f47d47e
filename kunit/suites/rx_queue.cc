// SPDX-License-Identifier: GPL-2.0
// src/port/rx_queue.cc without its buffers (page_pool.cc), its programs (xdp.cc) and its NAPI
// (napi.cc): what is posted, what completions may say, and what becomes of the packet.
#include <initializer_list>

#include "kunit/harness/receive_bench.h"
#include "kunit/shim/polls.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

using wire::RxCqe;

wire::Sge sge_of(const ReceiveBench& bench, u32 index) {
  wire::Sge sge;
  __builtin_memcpy(&sge, bench.wqe(index) + 16, sizeof(sge));
  return sge;
}

void set_type(RxCqe& cqe, u32 type) {
  cqe.dw0 = (cqe.dw0 & ~RxCqe::Type::kMask) | RxCqe::Type::put(type);
}

// A completion that the device knows nothing of, in the first place of a CQ that is new.
void forge(const ReceiveBench& bench, u32 dw0, u32 trailer = 0) {
  {
    const StillFunction still{bench.nic.function()};
    wire::Cqe* cqe = bench.cqe(0);
    cqe->data[0] = dw0;
    cqe->data[2] = 64;
    cqe->trailer = bench.rq().wq_id | wire::OwnerBits::put(1) | trailer;
  }
  kunit_busy_poll(bench.netdev(), 0, 1, 64);
}

// --- what is posted ---

CASE(D62_one_wqe_stays_free_for_the_fence) {
  ReceiveBench bench;
  ASSERT(bench.up());
  EXPECT_EQ(bench.rq().bells, 1u);
  EXPECT_EQ(bench.rq().tail, 127 * wire::kBasicUnit);
  EXPECT_EQ(bench.rq().wq_bytes, 128 * wire::kBasicUnit);
  EXPECT_GE(bench.rq().cq_bytes / wire::Cqe::kSize, 127u + 1);
  EXPECT_EQ(bench.rq().arms, 1u);
  // All packets and the fence at once: the last completion has its place too.
  EXPECT_EQ(bench.inject(128), 127u);
  EXPECT(bench.arrive(127));
}

CASE(D35_posted_wqes_are_32_bytes_with_one_SGE) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 i = 0; i < 127; i++) {
    u32 words[4];
    __builtin_memcpy(words, bench.wqe(i), sizeof(words));
    EXPECT_EQ(words[0], 0u);
    EXPECT_EQ(words[1], 0x201u);
    EXPECT_EQ(words[2], 0u);
    EXPECT_EQ(words[3], 0u);
    EXPECT_EQ(sge_of(bench, i).memory_key, sge_of(bench, 0).memory_key);
    EXPECT_EQ(sge_of(bench, i).size, sge_of(bench, 0).size);
  }
  EXPECT_NE(sge_of(bench, 0).memory_key, 0u);
  EXPECT_GE(sge_of(bench, 0).size, 1500u + 18);
}

CASE(D30_D33_many_laps) {
  ReceiveBench bench;
  ASSERT(bench.up());
  EXPECT(bench.pass(5 * 128 + 3));
  EXPECT_LE(127 + 5 * 128 + 3 - bench.rq().tail / wire::kBasicUnit, bench.kUntold);
  EXPECT(!bench.rq().backwards);
  EXPECT_EQ(bench.rq().wqe_counts, 0u);
  EXPECT_EQ(bench.queue_stat("packets"), 5u * 128 + 3);
  EXPECT_EQ(bench.queue_stat("bytes"), (5u * 128 + 3) * 114);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  // One doorbell for many buffers, however few of them a poll consumes.
  u32 bells = bench.rq().bells;
  for (u32 i = 0; i < 128; i++)
    ASSERT(bench.inject(ReceiveBench::numbered(i)));
  EXPECT_LE(bench.rq().bells - bells, 128 / 32 + 1);
  EXPECT_GE(bench.rq().bells - bells, 128 / 32 - 1);
  EXPECT_EQ(bench.without_buffer(), 0u);
  bells = bench.rq().bells;
  bench.expect_whole_ring();
  EXPECT_LE(bench.rq().bells - bells, (96u + 127) / 32);
}

// --- lengths ---

CASE(D58_lengths_that_cannot_be) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 room = sge_of(bench, 0).size;
  const u32 lengths[] = {0, room + 1, 0x4000, 0xFFFF};
  u32 bad = 0;
  auto edit = [&](RxCqe& cqe) { cqe.packets[0].length = static_cast<u16>(lengths[bad++ & 3]); };
  bench.on_completion = edit;
  // More than a lap of them: each takes one buffer, and gives it back.
  EXPECT_EQ(bench.inject(120), 120u);
  EXPECT_EQ(bench.inject(120), 120u);
  bench.on_completion = nullptr;
  EXPECT_EQ(bad, 240u);
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT_EQ(bench.queue_stat("bad_length"), 240u);
  EXPECT_EQ(bench.nic.link_stats(0).rx_length_errors, 240u);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  bench.expect_whole_ring();
}

CASE(D58_every_length_up_to_the_buffers_is_taken_at_its_word) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 room = sge_of(bench, 0).size;
  // Shorter than it was, too: the device knows.
  for (u32 length : {14u, 15u, 59u, 60u, room - 1, room}) {
    auto edit = [&](RxCqe& cqe) { cqe.packets[0].length = static_cast<u16>(length); };
    const Frame frame = Frame::raw(room, 77, 1, 5);
    bench.on_completion = edit;
    ASSERT(bench.inject(frame));
    bench.on_completion = nullptr;
    const Skb skb = bench.take();
    if (!skb || !skb.holds(frame.bytes(), length))
      FAIL("a packet of %u bytes does not arrive", length);
  }
  EXPECT_EQ(bench.queue_stat("bad_length"), 0u);
}

CASE(D58_truncated_frames_take_one_buffer_each) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 room = sge_of(bench, 0).size;
  // One that really does not fit, then more than a lap.
  EXPECT(bench.inject(Frame::raw(room + 1, 77, 1)));
  EXPECT_EQ(bench.queue_stat("truncated"), 1u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "rx_truncated"), 1u);
  bench.nic.device().fault("rx type 4 x150");
  EXPECT_EQ(bench.inject(75), 75u);
  EXPECT_EQ(bench.inject(75), 75u);
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT_EQ(bench.queue_stat("truncated"), 151u);
  EXPECT_EQ(bench.nic.link_stats(0).rx_length_errors, 151u);
  bench.expect_whole_ring();
}

// --- completions that make no sense ---

CASE(D59_types_that_were_not_negotiated) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u32 recoveries = 0;
  for (u32 type : {2u, 7u, 0u, 5u, 63u}) {
    auto edit = [&](RxCqe& cqe) { set_type(cqe, type); };
    bench.on_completion = edit;
    EXPECT_EQ(bench.inject(1), 1u);
    bench.on_completion = nullptr;
    EXPECT(bench.await_recoveries(++recoveries));
    EXPECT_EQ(bench.arrived(), 0u);
    EXPECT(bench.pass(3));
  }
  EXPECT_EQ(bench.stat("rx_coalesced_err"), 2u);
  EXPECT_EQ(bench.stat("rx_cqe_unknown_type"), 3u);
}

CASE(D59_completions_of_another_queue) {
  ReceiveBench bench;
  ASSERT(bench.up());
  auto other_id = [](RxCqe& cqe) { cqe.trailer ^= 0x155; };
  bench.on_completion = other_id;
  EXPECT_EQ(bench.inject(1), 1u);
  bench.on_completion = nullptr;
  EXPECT(bench.await_recoveries(1));
  // The right number, but an SQ's.
  forge(bench, 0x41, wire::Cqe::IsSq::kMask);
  EXPECT(bench.await_recoveries(2));
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT_EQ(bench.stat("rx_cqe_misdirected"), 2u);
  bench.expect_whole_ring();
}

CASE(D39_owner_bits_ahead) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.nic.device().fault("rx owner x1");
  EXPECT_EQ(bench.inject(1), 1u);
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT(bench.await_recoveries(1));
  bench.expect_whole_ring();
}

CASE(D36_more_completions_than_buffers) {
  ReceiveBench bench;
  ASSERT(bench.up());
  bench.remove_tap();
  {
    const StillFunction still{bench.nic.function()};
    for (u32 i = 0; i < 128; i++) {
      wire::Cqe* cqe = bench.cqe(i);
      cqe->data[0] = 0x41;
      cqe->data[2] = 64;
      cqe->trailer = bench.rq().wq_id | wire::OwnerBits::put(1);
    }
  }
  kunit_busy_poll(bench.netdev(), 0, 4, 64);
  bench.nic.settle();
  // One for each; the ring was filled again meanwhile, and no further than it is long.
  EXPECT_EQ(bench.queue_stat("packets"), 128u);
  EXPECT(!bench.rq().backwards);
  EXPECT_EQ(bench.pool().in_flight - static_cast<int>(bench.pool().stored), 64);
  // Device and driver do not agree any more where they are.
  bench.nic.close(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT_EQ(bench.inject(127), 127u);
}

CASE(each_drop_is_counted_once_and_in_its_place) {
  ReceiveBench bench;
  ASSERT(bench.up());
  constexpr const char* kCounters[] = {"packets", "xdp_drop",   "no_buffer",
                                       "no_skb",  "bad_length", "truncated"};
  const struct {
    const char* fault;
    const char* counter;
  } kTable[] = {{"rx length 0 x1", "bad_length"},
                {"rx length 65535 x1", "bad_length"},
                {"rx type 4 x1", "truncated"},
                {"rx length 60 x1", "packets"}};
  for (const auto& row : kTable) {
    u64 before[6];
    for (u32 i = 0; i < 6; i++)
      before[i] = bench.queue_stat(kCounters[i]);
    const shim_link_stats link = bench.nic.link_stats(0);
    bench.nic.device().fault(row.fault);
    EXPECT_EQ(bench.inject(1), 1u);
    bool found = false;
    for (u32 i = 0; i < 6; i++) {
      const bool is_it = __builtin_strcmp(kCounters[i], row.counter) == 0;
      found |= is_it;
      if (bench.queue_stat(kCounters[i]) - before[i] != is_it)
        FAIL("\"%s\" counts as %s", row.fault, kCounters[i]);
    }
    EXPECT(found);
    const shim_link_stats now = bench.nic.link_stats(0);
    EXPECT_EQ(now.rx_packets + now.rx_errors + now.rx_dropped,
              link.rx_packets + link.rx_errors + link.rx_dropped + 1);
  }
}

CASE(D68_completions_of_random_words) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u64 state = 88172645463325252ull;  // xorshift64
  auto random = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<u32>(state >> 11);
  };
  auto edit = [&](RxCqe& cqe) {
    auto* words = reinterpret_cast<u32*>(&cqe);
    // Mostly something that is believed at first sight, so that the rest is looked at.
    const bool wild = random() % 8 == 0;
    for (u32 i = wild ? 0 : 1; i < 15; i++)
      words[i] = random();
    if (random() % 2)
      cqe.packets[0].length = static_cast<u16>(random() % 2048);
    if (wild && random() % 2)
      cqe.trailer = random();
  };
  for (u32 round = 0; round < 12; round++) {
    bench.on_completion = edit;
    bench.inject(24);
    bench.on_completion = nullptr;
    shim_sleep_ms(400);  // for a recovery
    bench.clear_arrived();
  }
  bench.nic.settle();
  EXPECT_NE(bench.queue_stat("packets"), 0u);
  EXPECT_NE(bench.queue_stat("bad_length"), 0u);
  EXPECT_NE(bench.stat("queue_recoveries"), 0u);
  bench.expect_whole_ring();
}

// --- what the device found out ---

CASE(D61_checksum_good_takes_a_good_IP_header_and_a_good_L4_sum) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u32 n = 0;
  auto edit = [&](RxCqe& cqe) { cqe.flags = n++ << 25; };
  bench.on_completion = edit;
  ASSERT_EQ(bench.inject(64), 64u);
  bench.on_completion = nullptr;
  for (u32 bits = 0; bits < 64; bits++) {
    const u32 flags = bits << 25;
    const bool good =
        RxCqe::IpGood::get(flags) && (RxCqe::TcpGood::get(flags) || RxCqe::UdpGood::get(flags));
    const Skb skb = bench.take();
    ASSERT(skb);
    if (skb.look().checksum_good != good)
      FAIL("flags %#x", flags);
  }
}

CASE(D61_frames_with_right_and_wrong_sums) {
  ReceiveBench bench;
  ASSERT(bench.up());
  for (u32 family : {4u, 6u})
    for (u32 protocol : {6u, 17u})
      for (bool wrong : {false, true}) {
        const Frame frame{{.family = family, .protocol = protocol, .destination = 1}};
        frame.bytes()[frame.payload() + 3] ^= wrong;
        ASSERT(bench.inject(frame));
        const Skb skb = bench.take();
        ASSERT(skb);
        EXPECT(skb.holds(frame));  // delivered in any case
        EXPECT_EQ(skb.look().checksum_good, !wrong);
      }
}

CASE(the_hash_and_its_kind) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u32 n = 0;
  // No bit, then each alone.
  auto edit = [&](RxCqe& cqe) {
    cqe.flags = RxCqe::HashType::put(n == 0 ? 0 : 1u << (n - 1));
    cqe.packets[0].hash = 0xDEADBE00 + n++;
  };
  bench.on_completion = edit;
  ASSERT_EQ(bench.inject(10), 10u);
  bench.on_completion = nullptr;
  for (u32 i = 0; i < 10; i++) {
    const Skb skb = bench.take();
    ASSERT(skb);
    const kunit_received seen = skb.look();
    EXPECT_EQ(seen.has_hash, i != 0);
    if (i == 0)
      continue;
    EXPECT_EQ(seen.hash, 0xDEADBE00 + i);
    EXPECT_EQ(seen.hash_l4, i != 1 && i != 4 && i != 7);  // IPv4, IPv6, IPv6 with extensions
  }
}

CASE(the_VLAN_tag) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 ids[] = {0, 1, 100, 4095};
  u32 n = 0;
  auto edit = [&](RxCqe& cqe) {
    cqe.flags = RxCqe::VlanPresent::put(n < 4) | RxCqe::VlanId::put(ids[n & 3]);
    n++;
  };
  bench.on_completion = edit;
  ASSERT_EQ(bench.inject(5), 5u);
  bench.on_completion = nullptr;
  for (u32 i = 0; i < 5; i++) {
    const Skb skb = bench.take();
    ASSERT(skb);
    EXPECT_EQ(skb.look().vlan, i < 4);
    EXPECT_EQ(skb.look().tci, i < 4 ? ids[i] : 0u);
  }
  // In earnest: the tag leaves the frame.
  const Frame tagged{{.destination = 1, .tagged = true, .tci = 77}};
  const Frame plain{{.destination = 1}};
  ASSERT(bench.inject(tagged));
  const Skb skb = bench.take();
  ASSERT(skb);
  EXPECT_EQ(skb.look().tci, 77u);
  EXPECT(skb.holds(plain));
}

CASE(features_that_are_off) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const Frame frame{{.destination = 1}};
  auto hashed = [](RxCqe& cqe) {
    cqe.flags |= RxCqe::HashType::put(wire::hash::kUdpIpv4);
    cqe.packets[0].hash = 0x1234;
  };
  bench.on_completion = hashed;
  for (u32 on = 0; on < 4; on++) {
    const bool checksum = (on & 1) != 0, hash = (on & 2) != 0;
    kunit_netdev_set_feature(bench.netdev(), KUNIT_FEATURE_RX_CHECKSUM, checksum);
    kunit_netdev_set_feature(bench.netdev(), KUNIT_FEATURE_RX_HASH, hash);
    ASSERT(bench.inject(frame));
    const Skb skb = bench.take();
    ASSERT(skb);
    EXPECT_EQ(skb.look().checksum_good, checksum);
    EXPECT_EQ(skb.look().has_hash, hash);
  }
}

CASE(packets_are_recorded_at_their_queue) {
  ReceiveBench bench{{.queues = 2}};
  ASSERT(bench.up());
  u32 seen[2] = {};
  for (u16 flow = 0; flow < 24; flow++)
    ASSERT(bench.inject(Frame{{.destination = 1, .source_port = static_cast<u16>(1000 + flow)}}));
  for (u32 i = 0; i < 24; i++) {
    const Skb skb = bench.take();
    ASSERT(skb);
    ASSERT(skb.look().queue < 2);
    seen[skb.look().queue]++;
  }
  EXPECT_EQ(seen[0], bench.stat("rx_0_packets"));
  EXPECT_EQ(seen[1], bench.stat("rx_1_packets"));
  if (kunit_cpus() > 1) {
    EXPECT_NE(seen[0], 0u);
    EXPECT_NE(seen[1], 0u);
  }
}

// --- sizes ---

CASE(every_boundary_of_the_MTU) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const struct {
    u32 mtu;
    u32 truesize;  // of the data
  } kTable[] = {{68, 2048},   {1500, 2048}, {1518, 2048},  {1519, 4096},
                {3694, 4096}, {3695, 8192}, {7791, 16384}, {9000, 16384}};
  for (const auto& row : kTable) {
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), row.mtu), 0);
    const u32 room = sge_of(bench, 0).size;
    // With an inner tag; as long as the buffer; and by one byte too long.
    for (u32 length : {row.mtu + 14, row.mtu + 18, room, room + 1}) {
      if (length > 9000 + 14 + 4)
        continue;  // the device has no such frames
      const Frame frame = Frame::raw(length, 77, 1, static_cast<u8>(length));
      ASSERT(bench.inject(frame));
      const Skb skb = bench.take();
      if (static_cast<bool>(skb) != (length <= room) || (skb && !skb.holds(frame)))
        FAIL("at an MTU of %u, with %u bytes", row.mtu, length);
      if (skb) {
        EXPECT_GE(skb.look().truesize, row.truesize);
        EXPECT_LE(skb.look().truesize, row.truesize + 512);
      }
    }
  }
}

CASE(an_MTU_within_the_buffers_is_no_news_for_the_device) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 requests = bench.nic.device().change_count();
  const u32 id = bench.pool().id;
  for (u32 mtu : {68u, 1500u, 1518u})
    EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), mtu), 0);
  EXPECT_EQ(bench.nic.device().change_count(), requests);
  EXPECT_EQ(bench.pool().id, id);
  EXPECT_EQ(kunit_netdev_set_mtu(bench.netdev(), 1519), 0);
  EXPECT_NE(bench.nic.device().change_count(), requests);
  EXPECT_NE(bench.pool().id, id);
}

CASE(jumbo_frames_of_all_sizes_in_a_full_ring) {
  ReceiveBench bench{{.mtu = 9000}};
  ASSERT(bench.up());
  for (u32 length = 14; length <= 9014; length += 900)
    ASSERT(bench.inject(Frame::raw(length, 77, 1, static_cast<u8>(length >> 4))));
  for (u32 length = 14; length <= 9014; length += 900) {
    const Skb skb = bench.take();
    if (!skb || !skb.holds(Frame::raw(length, 77, 1, static_cast<u8>(length >> 4))))
      FAIL("a frame of %u bytes does not arrive as it was", length);
  }
  bench.expect_whole_ring();
}

CASE(segments_that_the_stack_merges) {
  ReceiveBench bench;
  ASSERT(bench.up());
  kunit_netdev_set_feature(bench.netdev(), KUNIT_FEATURE_GRO, true);
  constexpr u32 kSegments = 10, kBytes = 500, kHeaders = 14 + 20 + 20;
  auto segment = [](u32 i) {
    return Frame{{.protocol = 6,
                  .payload = kBytes,
                  .destination = 1,
                  .sequence = 0x10000 + i * kBytes,
                  .flags = 0x10,
                  .fill = static_cast<u8>(i)}};
  };
  ASSERT_EQ(bench.inject_each(kSegments, segment), kSegments);
  EXPECT_LE(bench.arrived(), 2u);
  u32 next = 0;
  while (bench.arrived() != 0) {
    const Skb skb = bench.take();
    for (u32 at = kHeaders; at < skb.look().length; at += kBytes, next++) {
      u8 part[kBytes];
      ASSERT(kunit_skb_copy(skb.get(), at, part, kBytes));
      const Frame frame = segment(next);
      EXPECT_EQ(__builtin_memcmp(part, frame.bytes() + kHeaders, kBytes), 0);
    }
  }
  EXPECT_EQ(next, kSegments);
  EXPECT_EQ(bench.queue_stat("packets"), kSegments);
  EXPECT_EQ(bench.pool().in_flight - static_cast<int>(bench.pool().stored), 64);
}

// --- the end ---

CASE(D63_close_waits_for_the_fence) {
  ReceiveBench bench;
  ASSERT(bench.up());
  const u32 from = bench.nic.device().request_count();
  u32 fences = 0;
  auto count = [&](RxCqe&) { fences++; };
  bench.on_fence = count;
  const u64 before = kunit_now_ns();
  bench.nic.close(0);
  EXPECT_EQ(fences, 1u);
  EXPECT_EQ(bench.nic.device().count_of(wire::Command::kFenceRq, from), 1u);
  EXPECT_LE(kunit_now_ns() - before, 900'000'000);
}

CASE(D63_close_without_a_fence_waits_and_goes_on) {
  for (bool refused : {true, false}) {
    ReceiveBench bench;
    ASSERT(bench.up());
    // Refused, or answered while the completion never comes.
    auto swallow = [](RxCqe& cqe) { set_type(cqe, 4); };
    if (refused)
      bench.nic.device().fault("hwc 0x20006 status 1 x1");
    else
      bench.on_fence = swallow;
    const u64 before = kunit_now_ns();
    bench.nic.close(0);
    const u64 took = kunit_now_ns() - before;
    EXPECT_GE(took, refused ? 100'000'000 : 1'100'000'000);
    EXPECT_LE(took, 3'000'000'000);
    bench.on_fence = nullptr;
    EXPECT_EQ(bench.pools(), 0u);
    ASSERT_EQ(bench.nic.open(0), 0);
    bench.expect_whole_ring();
  }
}

CASE(a_fence_that_nobody_asked_for) {
  ReceiveBench bench;
  ASSERT(bench.up());
  forge(bench, 3);
  EXPECT_EQ(bench.queue_stat("packets"), 0u);
  EXPECT_EQ(bench.rq().tail, 127 * wire::kBasicUnit);  // it took no buffer
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(statistics_never_go_back) {
  ReceiveBench bench;
  ASSERT(bench.up());
  u64 packets = 0, bytes = 0;
  const auto grown = [&](u32 count) {
    EXPECT_EQ(bench.queue_stat("packets"), packets + count);
    EXPECT_EQ(bench.queue_stat("bytes"), bytes + count * 114);
    packets += count, bytes += count * 114;
    EXPECT_EQ(bench.nic.link_stats(0).rx_packets, packets);
  };
  EXPECT(bench.pass(10));
  grown(10);
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 128), 0);
  grown(0);
  EXPECT(bench.pass(7));
  grown(7);
  bench.nic.close(0);
  grown(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  EXPECT(bench.pass(5));
  grown(5);
}

constexpr mana_case kCases[] = {
    LIST(D62_one_wqe_stays_free_for_the_fence),
    LIST(D35_posted_wqes_are_32_bytes_with_one_SGE),
    LIST(D30_D33_many_laps),
    LIST(D58_lengths_that_cannot_be),
    LIST(D58_every_length_up_to_the_buffers_is_taken_at_its_word),
    LIST(D58_truncated_frames_take_one_buffer_each),
    LIST(D59_types_that_were_not_negotiated),
    LIST(D59_completions_of_another_queue),
    LIST(D39_owner_bits_ahead),
    LIST(D36_more_completions_than_buffers),
    LIST(each_drop_is_counted_once_and_in_its_place),
    LIST(D68_completions_of_random_words),
    LIST(D61_checksum_good_takes_a_good_IP_header_and_a_good_L4_sum),
    LIST(D61_frames_with_right_and_wrong_sums),
    LIST(the_hash_and_its_kind),
    LIST(the_VLAN_tag),
    LIST(features_that_are_off),
    LIST(packets_are_recorded_at_their_queue),
    LIST(every_boundary_of_the_MTU),
    LIST(an_MTU_within_the_buffers_is_no_news_for_the_device),
    LIST(jumbo_frames_of_all_sizes_in_a_full_ring),
    LIST(segments_that_the_stack_merges),
    LIST(D63_close_waits_for_the_fence),
    LIST(D63_close_without_a_fence_waits_and_goes_on),
    LIST(a_fence_that_nobody_asked_for),
    LIST(statistics_never_go_back),
};

}  // namespace

MANA_SUITE(rx_queue, kCases)

}  // namespace mana::kunit
