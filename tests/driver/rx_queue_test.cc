// SPDX-License-Identifier: GPL-2.0
// src/port/rx_queue.cc. Received data bounces: what the driver does not sync, it does not see.
#include "driver_test.h"

namespace mana::test {
namespace {

class RxQueueTest : public DriverTest {
 protected:
  void SetUp() override {
    config.queues = 1;
    config.mtu = 9000;
  }
  void bring_up_small() {  // with a ring of 128 buffers at port 1
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(1), 128, 256, nullptr); }), 0);
    ASSERT_EQ(open(1), 0);
    ASSERT_EQ(open(0), 0);
    kernel.settle();
  }
  size_t send_some(u32 count) {
    size_t arrived = 0;
    for (u32 i = 0; i < count; i++)
      arrived += send(0, skb_of(kernel, {.sequence = i}), 1).size();
    return arrived;
  }
  // The flags word of the next completions of port 1.
  void set_flags(u32 flags) {
    device->edit_write = [=](u64, u8* bytes, u32 length) {
      if (length == 63 && (bytes[0] & 0x3F) == 1)
        std::memcpy(bytes + 4, &flags, sizeof(flags));
    };
  }
  page_pool* pool() {
    for (page_pool* pool : kernel.pools_)
      if (pool->config.netdev == netdev(1))
        return pool;
    return nullptr;
  }
  // The ring's 128 buffers, one of which waits for its turn, and perhaps half a page.
  void expect_only_the_ring_holds_buffers() {
    const u32 held = in_flight();
    EXPECT_EQ(held, 128 + held % 2);
  }
  u32 in_flight() {
    u32 users = 0;
    for (const page* pg : pool()->pages)
      users += pg->users;
    return users;
  }
};

TEST_F(RxQueueTest, ManyLaps) {
  bring_up_small();
  EXPECT_EQ(send_some(1'000), 1'000u);
  expect_only_the_ring_holds_buffers();
  EXPECT_EQ(stat(1, "rx_0_packets"), 1'000u);
  // All those packets went round in a few pages.
  EXPECT_LT(pool()->taken, 80u);
  EXPECT_EQ(device->port_statistic(1, "rx_dropped_no_wqe"), 0u);
}

TEST_F(RxQueueTest, D62_OneWqeStaysFreeForTheFence) {
  bring_up_small();
  u32 posted = 0;
  for (const Doorbell& bell : doorbells())
    if (bell.page == 1 && bell.reg == wire::doorbell::kRq && bell.id == objects[1].wq_id)
      posted = bell.value / 32;
  EXPECT_EQ(posted, 127u);
  EXPECT_EQ(objects[1].request.wq_type, wire::WqType::kRq);
  EXPECT_GE(objects[1].request.cq_bytes / 64, posted + 1);
}

TEST_F(RxQueueTest, PostedBuffers) {
  bring_up_small();
  std::set<u64> addresses;
  for (u32 i = 0; i < 127; i++) {
    const Bytes bytes = wqe(objects[1], i * 32, 32);
    u32 words[8];
    std::memcpy(words, bytes.data(), sizeof(words));
    EXPECT_EQ(words[0], 0u);
    EXPECT_EQ(words[1], 0x201u);
    u64 address = 0;
    std::memcpy(&address, &words[4], sizeof(address));
    EXPECT_TRUE(addresses.insert(address).second);
    const auto* region = kernel.region_of(address, words[7]);
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->kind, FakeKernel::Region::kPage);
    EXPECT_GE(words[7], 1518u);
  }
}

TEST_F(RxQueueTest, D58_LengthsThatCannotBe) {
  bring_up_small();
  for (u32 length : {0u, 9'000u, 65'535u}) {
    device->fault("rx length " + std::to_string(length) + " x1");
    EXPECT_EQ(send_some(1), 0u);
    EXPECT_EQ(send_some(1), 1u);
  }
  EXPECT_EQ(stat(1, "rx_0_bad_length"), 3u);
  expect_only_the_ring_holds_buffers();
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
  shim_link_stats stats{};
  mana_port_get_stats(port(1), &stats);
  EXPECT_EQ(stats.rx_length_errors, 3u);
}

TEST_F(RxQueueTest, D58_TruncatedFramesTakeOneBuffer) {
  bring_up_small();
  for (int i = 0; i < 200; i++) {
    device->fault("rx type 4 x1");
    ASSERT_EQ(send_some(1), 0u);
  }
  EXPECT_EQ(send_some(200), 200u);
  EXPECT_EQ(stat(1, "rx_0_truncated"), 200u);
  expect_only_the_ring_holds_buffers();
}

TEST_F(RxQueueTest, D58_AFrameLongerThanItsBuffer) {
  bring_up_small();
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(0), 9000, nullptr); }), 0);
  EXPECT_EQ(send(0, skb_of(kernel, {.payload = 8'000}), 1).size(), 0u);
  EXPECT_EQ(send_some(1), 1u);
  EXPECT_EQ(stat(1, "rx_0_truncated"), 1u);
}

TEST_F(RxQueueTest, D59_TypesThatWereNotNegotiated) {
  bring_up_small();
  u64 recoveries = 0;
  for (int type : {2, 7, 0, 5, 32, 63}) {
    device->fault("rx type " + std::to_string(type) + " x1");
    EXPECT_EQ(send_some(1), 0u);
    kernel.pass(1'000);
    EXPECT_EQ(stat(1, "queue_recoveries"), ++recoveries) << type;
    EXPECT_EQ(send_some(3), 3u);
  }
  EXPECT_EQ(stat(1, "rx_coalesced_err"), 2u);
  EXPECT_EQ(stat(1, "rx_cqe_unknown_type"), 4u);
}

TEST_F(RxQueueTest, D59_ACompletionOfAnotherQueue) {
  bring_up_small();
  device->fault("rx wq x1");
  EXPECT_EQ(send_some(1), 0u);
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "rx_cqe_misdirected"), 1u);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
  EXPECT_EQ(send_some(3), 3u);
}

TEST_F(RxQueueTest, D36_MoreCompletionsThanBuffers) {
  bring_up_small();
  // A whole lap, and what no buffer is left for.
  wire::Cqe cqe{};
  cqe.data[0] = 0x41;
  cqe.data[2] = 64;
  cqe.trailer = objects[1].wq_id;
  for (u32 i = 0; i < 128; i++)
    forge_cqe(objects[1], i, cqe);
  poll_all();
  EXPECT_EQ(kernel.received.size(), 128u);  // buffers were posted again meanwhile
  kernel.free_received();
  expect_only_the_ring_holds_buffers();
  // Device and driver do not agree any more about where they are.
  ASSERT_EQ(stop(1), 0);
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(send_some(3), 3u);
}

TEST_F(RxQueueTest, D39_OwnerBitsAhead) {
  bring_up_small();
  device->fault("rx owner x1");
  EXPECT_EQ(send_some(1), 0u);
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
  EXPECT_EQ(send_some(3), 3u);
}

TEST_F(RxQueueTest, D40_ABurstIsHandledInPollsOfABudget) {
  bring_up_small();
  kernel.mmio.clear();
  std::vector<sk_buff*> packets;
  device->stalled = true;
  for (u32 i = 0; i < 120; i++)
    ASSERT_TRUE(transmit(0, skb_of(kernel, {.sequence = i})));
  device->stalled = false;
  kernel.settle();
  EXPECT_EQ(take_received(1).size(), 120u);  // the fake checks each poll's budget
  // Few doorbells for many buffers.
  size_t rings = 0;
  for (const Doorbell& bell : doorbells())
    rings += bell.page == 1 && bell.reg == wire::doorbell::kRq;
  EXPECT_LE(rings, 4u);
}

TEST_F(RxQueueTest, OneDoorbellForManyBuffers) {
  bring_up_small();
  kernel.mmio.clear();
  u32 told = 127 * 32;
  EXPECT_EQ(send_some(1'000), 1'000u);
  u32 rings = 0;
  for (const Doorbell& bell : doorbells())
    if (bell.page == 1 && bell.reg == wire::doorbell::kRq && bell.id == objects[1].wq_id) {
      rings++;
      EXPECT_GE(bell.value - told, 32 * 32u);  // the device never waits for more than 31
      told = bell.value;
    }
  EXPECT_LE(rings, 1'000u / 32);
  EXPECT_GE(told, (127 + 1'000 - 31) * 32u);
}

TEST_F(RxQueueTest, D60_DataIsSyncedBeforeItIsDelivered) {
  bring_up_small();
  for (u32 payload : {1u, 60u, 100u, 1'400u}) {
    PacketSpec spec{.payload = payload};
    const auto frames = send(0, skb_of(kernel, spec), 1);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0], make_packet(spec));
  }
}

TEST_F(RxQueueTest, D61_ChecksumGood) {
  bring_up_small();
  using Rx = wire::RxCqe;
  for (u32 bits = 0; bits < 64; bits++) {
    const u32 flags = bits << 25;
    set_flags(flags);
    sk_buff* sent = skb_of(kernel, {});
    ASSERT_TRUE(transmit(0, sent));
    kernel.settle();
    ASSERT_EQ(kernel.received.size(), 1u);
    const bool good =
        Rx::IpGood::get(flags) && (Rx::TcpGood::get(flags) || Rx::UdpGood::get(flags));
    EXPECT_EQ(kernel.received[0].skb->checksum_good, good) << bits;
    kernel.free_received();
  }
  netdev(1)->rx_checksum = false;
  set_flags(0x0A000000);
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  kernel.settle();
  EXPECT_FALSE(kernel.received.at(0).skb->checksum_good);
}

// Appendix B.7
TEST_F(RxQueueTest, HashAndVlan) {
  bring_up_small();
  device->edit_write = [](u64, u8* bytes, u32 length) {
    const u32 flags = 0x0A021064, hash = 0xDEADBEEF;
    if (length == 63 && (bytes[0] & 0x3F) == 1) {
      std::memcpy(bytes + 4, &flags, sizeof(flags));
      std::memcpy(bytes + 16, &hash, sizeof(hash));
    }
  };
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  kernel.settle();
  const sk_buff& skb = *kernel.received.at(0).skb;
  EXPECT_TRUE(skb.has_hash);
  EXPECT_TRUE(skb.hash_l4);
  EXPECT_EQ(skb.hash, 0xDEADBEEF);
  EXPECT_EQ(skb.rx_tci, 100);
  EXPECT_EQ(skb.rx_queue, 0u);
  kernel.free_received();
  set_flags(0x00010000);  // IPv4 only
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  kernel.settle();
  EXPECT_TRUE(kernel.received.at(0).skb->has_hash);
  EXPECT_FALSE(kernel.received.at(0).skb->hash_l4);
  EXPECT_EQ(kernel.received.at(0).skb->rx_tci, -1);
}

TEST_F(RxQueueTest, WithoutReplacementThePacketIsDroppedAndTheRingStaysFull) {
  bring_up_small();
  kernel.fail_always[static_cast<int>(Failing::kPage)] = true;
  EXPECT_EQ(send_some(300), 0u);
  kernel.fail_always[static_cast<int>(Failing::kPage)] = false;
  EXPECT_EQ(stat(1, "rx_0_no_buffer"), 300u);
  expect_only_the_ring_holds_buffers();
  EXPECT_EQ(send_some(300), 300u);
}

TEST_F(RxQueueTest, WithoutSkbThePacketIsDropped) {
  bring_up_small();
  kernel.fail_always[static_cast<int>(Failing::kSkb)] = true;
  EXPECT_EQ(send_some(300), 0u);
  kernel.fail_always[static_cast<int>(Failing::kSkb)] = false;
  EXPECT_EQ(stat(1, "rx_0_no_skb"), 300u);
  expect_only_the_ring_holds_buffers();
  EXPECT_EQ(send_some(10), 10u);
}

TEST_F(RxQueueTest, PagesInTheStackOutliveTheQueue) {
  bring_up_small();
  for (u32 i = 0; i < 100; i++) {
    ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
    kernel.settle();
  }
  ASSERT_EQ(stop(1), 0);
  EXPECT_EQ(kernel.received.size(), 100u);
  for (auto& received : kernel.received)
    EXPECT_EQ(received.skb->bytes(), make_packet({}));
  kernel.free_received();
  EXPECT_EQ(pool(), nullptr);
}

TEST_F(RxQueueTest, JumboFramesInWholePages) {
  start();
  ASSERT_EQ(probe(), 0);
  for (u32 i : {0u, 1u}) {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(i), 9000, nullptr); }), 0);
    ASSERT_EQ(open(i), 0);
  }
  for (u32 payload : {10u, 2'000u, 4'000u, 8'934u}) {
    PacketSpec spec{.payload = payload};
    const auto frames = send(0, skb_of(kernel, spec), 1);
    ASSERT_EQ(frames.size(), 1u) << payload;
    EXPECT_EQ(frames[0], make_packet(spec));
  }
}

// --- XDP ---

class XdpTest : public RxQueueTest {
 protected:
  void attach(std::function<shim_xdp_action(FakeXdp&)> run) {
    program.run = std::move(run);
    program.references = 1;
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), &program, nullptr); }), 0);
    kernel.settle();
  }
  void detach() {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), nullptr, nullptr); }), 0);
    EXPECT_EQ(program.references, 0);
  }
  bpf_prog program;
};

TEST_F(XdpTest, Verdicts) {
  bring_up_small();
  shim_xdp_action verdict = SHIM_XDP_DROP;
  u32 seen = 0;
  attach([&](FakeXdp& xdp) {
    seen++;
    EXPECT_EQ(xdp.headroom, 192u);
    EXPECT_EQ(xdp.frame_size, 2048u);
    return verdict;
  });
  EXPECT_EQ(send_some(300), 0u);
  verdict = SHIM_XDP_ABORTED;
  EXPECT_EQ(send_some(5), 0u);
  verdict = SHIM_XDP_PASS;
  EXPECT_EQ(send_some(300), 300u);
  EXPECT_EQ(seen, 605u);
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 305u);
  verdict = SHIM_XDP_REDIRECT;
  EXPECT_EQ(send_some(5), 0u);
  EXPECT_EQ(kernel.redirected.size(), 5u);
  EXPECT_EQ(stat(1, "rx_0_xdp_redirect"), 5u);
  kernel.redirect_fails = true;
  EXPECT_EQ(send_some(5), 0u);
  EXPECT_EQ(kernel.exceptions, 5u);
  detach();
  EXPECT_EQ(send_some(3), 3u);
}

TEST_F(XdpTest, TransmitSendsTheFrameBack) {
  bring_up_small();
  attach([](FakeXdp& xdp) {
    u8* data = xdp.memory + xdp.headroom;
    for (int i = 0; i < 6; i++)
      std::swap(data[i], data[6 + i]);
    return SHIM_XDP_TX;
  });
  for (u32 i = 0; i < 300; i++) {
    PacketSpec spec{.sequence = i};
    ASSERT_TRUE(transmit(0, skb_of(kernel, spec)));
    kernel.settle();
    const auto back = take_received(0);
    ASSERT_EQ(back.size(), 1u);
    Bytes expected = make_packet(spec);
    std::swap_ranges(expected.begin(), expected.begin() + 6, expected.begin() + 6);
    ASSERT_EQ(back[0], expected);
  }
  EXPECT_EQ(stat(1, "rx_0_xdp_tx"), 300u);
  // No room in the ring: dropped.
  shim_txq(netdev(1), 0)->stopped = true;
  EXPECT_EQ(send_some(2), 0u);
  shim_txq(netdev(1), 0)->stopped = false;
  EXPECT_EQ(kernel.exceptions, 2u);
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 2u);
  EXPECT_EQ(take_received(0).size(), 0u);
  detach();
  EXPECT_EQ(send_some(1), 1u);  // nothing is kept any more for what the program might do
  expect_only_the_ring_holds_buffers();
}

TEST_F(XdpTest, WhatIsSentBackAndSentIsPostedAgainWithoutThePool) {
  bring_up_small();
  attach([](FakeXdp&) { return SHIM_XDP_TX; });
  EXPECT_EQ(send_some(3), 0u);
  const u32 held = in_flight();
  const u32 allocations = pool()->allocations;
  EXPECT_EQ(send_some(50), 0u);
  EXPECT_EQ(in_flight(), held);
  EXPECT_EQ(pool()->allocations, allocations);
  EXPECT_EQ(stat(1, "rx_0_xdp_tx"), 53u);
}

TEST_F(XdpTest, P4_NoMoreIsKeptThanAPollReceives) {
  bring_up_small();
  attach([](FakeXdp&) { return SHIM_XDP_TX; });
  // All are on their way at once, and complete at once.
  for (u32 i = 0; i < 100; i++)
    ASSERT_TRUE(transmit(0, skb_of(kernel, {.sequence = i})));
  kernel.settle();
  EXPECT_EQ(stat(1, "rx_0_xdp_tx"), 100u);
  const u32 held = in_flight();
  EXPECT_GE(held, 128u + 64);
  EXPECT_LE(held, 128u + 64 + 1);
}

TEST_F(XdpTest, APassedFrameMayBeSmallerMovedAndHaveMetadata) {
  bring_up_small();
  attach([](FakeXdp& xdp) {
    xdp.headroom += 4;
    xdp.length -= 14;
    xdp.metadata = 8;
    return SHIM_XDP_PASS;
  });
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  kernel.settle();
  const sk_buff& skb = *kernel.received.at(0).skb;
  const Bytes sent = make_packet({});
  EXPECT_EQ(skb.metadata, 8u);
  EXPECT_EQ(skb.bytes(), Bytes(sent.begin() + 4, sent.end() - 10));
}

TEST_F(XdpTest, BeyondHalfAPageAProgramHasItsFullHeadroom) {
  bring_up_small();
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(1), 3'000, nullptr); }), 0);
  u32 seen = 0;
  attach([&](FakeXdp& xdp) {
    seen++;
    EXPECT_EQ(xdp.headroom, 256u);
    EXPECT_EQ(xdp.frame_size, 4096u);
    return SHIM_XDP_PASS;
  });
  EXPECT_EQ(send_some(3), 3u);
  EXPECT_EQ(seen, 3u);
}

TEST_F(XdpTest, WhereNothingIsSyncedAProgramComesAndGoesWithoutTheDevice) {
  kernel.will_sync = false;
  bring_up_small();
  EXPECT_TRUE(pool()->config.bidirectional);
  page_pool* const before = pool();
  for (u32 mtu : {1'500u, 3'000u}) {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(1), mtu, nullptr); }), 0);
    device->requests.clear();
    u32 seen = 0;
    for (u32 round = 1; round <= 3; round++) {
      attach([&](FakeXdp&) {
        seen++;
        return SHIM_XDP_TX;
      });
      EXPECT_EQ(send_some(1), 0u);
      EXPECT_EQ(seen, round);
      detach();
      EXPECT_EQ(send_some(1), 1u);
    }
    EXPECT_TRUE(device->requests.empty());
    if (mtu == 1'500)
      EXPECT_EQ(pool(), before);
  }
}

TEST_F(XdpTest, WhereDataBouncesTheBuffersAreTheDevicesToReadOnlyWithAProgram) {
  bring_up_small();
  EXPECT_FALSE(pool()->config.bidirectional);
  attach([](FakeXdp&) { return SHIM_XDP_PASS; });
  EXPECT_TRUE(pool()->config.bidirectional);
  EXPECT_EQ(send_some(3), 3u);
  device->requests.clear();
  detach();
  EXPECT_TRUE(device->requests.empty());
  EXPECT_EQ(send_some(3), 3u);
  ASSERT_EQ(stop(1), 0);
  ASSERT_EQ(open(1), 0);
  EXPECT_FALSE(pool()->config.bidirectional);
}

TEST_F(XdpTest, WhatAProgramDropsStaysInItsSlot) {
  bring_up_small();
  attach([](FakeXdp& xdp) {
    std::memset(xdp.memory, 0xEE, xdp.headroom + xdp.length);
    return SHIM_XDP_DROP;
  });
  const u32 before = pool()->allocations;
  const u64 buffers = stat(1, "rx_0_pool_buffers");
  EXPECT_EQ(send_some(500), 0u);
  EXPECT_EQ(pool()->allocations, before);
  EXPECT_EQ(stat(1, "rx_0_pool_buffers"), buffers);
  expect_only_the_ring_holds_buffers();
  detach();
  EXPECT_EQ(send_some(300), 300u);
}

TEST_F(XdpTest, WithoutReplacementWhatAProgramWantsToKeepIsDropped) {
  bring_up_small();
  shim_xdp_action verdict = SHIM_XDP_PASS;
  attach([&](FakeXdp&) { return verdict; });
  EXPECT_EQ(send_some(1), 1u);  // the first half of a page
  EXPECT_EQ(send_some(1), 1u);  // and the second
  kernel.fail_always[static_cast<int>(Failing::kPage)] = true;
  u64 lost = 0;
  for (auto action : {SHIM_XDP_PASS, SHIM_XDP_TX, SHIM_XDP_REDIRECT}) {
    verdict = action;
    EXPECT_EQ(send_some(150), 0u);
    EXPECT_EQ(stat(1, "rx_0_no_buffer"), lost += 150);
  }
  kernel.fail_always[static_cast<int>(Failing::kPage)] = false;
  EXPECT_EQ(stat(1, "rx_0_xdp_tx") + stat(1, "rx_0_xdp_redirect"), 0u);
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 0u);
  EXPECT_EQ(stat(1, "rx_0_packets"), 2u);
  expect_only_the_ring_holds_buffers();
  verdict = SHIM_XDP_PASS;
  EXPECT_EQ(send_some(300), 300u);
}

TEST_F(XdpTest, HintsAreForProgramsThatAskForThem) {
  bring_up_small();
  set_flags(wire::RxCqe::HashType::put(wire::hash::kTcpIpv6) | wire::RxCqe::VlanPresent::kMask |
            wire::RxCqe::VlanId::put(77));
  u32 told = 0;
  for (const bool hints : {true, false}) {
    program.hints = hints;
    attach([&](FakeXdp& xdp) {
      u32 hash = 0, kinds = 0;
      u16 tci = 0;
      if (xdp.completion) {
        told++;
        EXPECT_TRUE(mana_rx_hint_hash(xdp.completion, &hash, &kinds));
        EXPECT_EQ(kinds, u32{SHIM_HASH_IPV6 | SHIM_HASH_L4 | SHIM_HASH_TCP});
        EXPECT_TRUE(mana_rx_hint_vlan(xdp.completion, &tci));
        EXPECT_EQ(tci, 77u);
      }
      return SHIM_XDP_DROP;
    });
    EXPECT_EQ(send_some(5), 0u);
    EXPECT_EQ(told, 5u);
    detach();
  }
}

TEST_F(XdpTest, ALargeMtuRefusesAProgram) {
  bring_up_small();
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(1), 9000, nullptr); }), 0);
  netlink_ext_ack ack;
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), &program, &ack); }), -22);
  EXPECT_NE(ack.sentence, nullptr);
  EXPECT_EQ(program.references, 1);
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(1), 1500, nullptr); }), 0);
  attach([](FakeXdp&) { return SHIM_XDP_PASS; });
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(1), 9000, &ack); }), -22);
  EXPECT_EQ(send_some(3), 3u);
}

}  // namespace
}  // namespace mana::test
