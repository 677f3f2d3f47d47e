// SPDX-License-Identifier: GPL-2.0
// src/port/rx_scatter.cc: jumbo frames in several pages, with XDP and without. Received data
// bounces: what the driver does not sync, it does not see.
#include "driver_test.h"

namespace mana::test {
namespace {

// The first page has headroom in front and the stack's room behind.
constexpr u32 kHead = 4096 - 256 - 320;
constexpr u32 kPage = 4096;

class RxScatterTest : public DriverTest {
 protected:
  void SetUp() override {
    config.queues = 1;
    config.mtu = 9'216;
  }
  void bring_up_scattered() {
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    for (u32 i : {1u, 0u}) {
      ASSERT_EQ(set_scatter(i, true), 0);
      ASSERT_EQ(set_mtu(i, 9000), 0);
      ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(i), 128, 256, nullptr); }), 0);
      ASSERT_EQ(open(i), 0);
    }
    kernel.settle();
  }
  int set_scatter(u32 index, bool on) {
    return under_rtnl([&] { return mana_port_set_rx_scatter(port(index), on); });
  }
  int set_mtu(u32 index, u32 mtu, netlink_ext_ack* ack = nullptr) {
    return under_rtnl([&] { return mana_port_set_mtu(port(index), mtu, ack); });
  }
  // A packet of so many bytes, the Ethernet header included.
  static PacketSpec of_length(u32 length, u32 sequence = 0) {
    const u32 headers = static_cast<u32>(make_packet({.payload = 0}).size());
    return {.payload = length - headers, .sequence = sequence};
  }
  sk_buff* skb_of_length(u32 length, u32 sequence = 0) {
    return skb_of(kernel, of_length(length, sequence));
  }
  size_t send_some(u32 count, u32 length = 9'000) {
    size_t arrived = 0;
    for (u32 i = 0; i < count; i++)
      arrived += send(0, skb_of_length(length, i), 1).size();
    return arrived;
  }
  page_pool* pool() {
    for (page_pool* pool : kernel.pools_)
      if (pool->config.netdev == netdev(1) && pool->config.napi)
        return pool;
    return nullptr;
  }
  u32 in_flight() {
    u32 users = 0;
    for (const page* pg : pool()->pages)
      users += pg->users;
    return users;
  }
  // 128 buffers of three pages, and what is kept for the next packet.
  void expect_only_the_ring_holds_pages() {
    EXPECT_GE(in_flight(), 128u * 3);
    EXPECT_LE(in_flight(), 128u * 3 + 3);
  }
  void attach(std::function<shim_xdp_action(FakeXdp&)> run) {
    program.run = std::move(run);
    program.references = 1;
    program.takes_frags = true;
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), &program, nullptr); }), 0);
    kernel.settle();
  }
  void detach() {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), nullptr, nullptr); }), 0);
    EXPECT_EQ(program.references, 0);
  }
  bpf_prog program;
};

TEST_F(RxScatterTest, PostedBuffers) {
  bring_up_scattered();
  EXPECT_EQ(pool()->config.order, 0u);
  EXPECT_EQ(objects[1].request.wq_bytes, 128u * 64);
  EXPECT_EQ(objects[1].request.cq_bytes, 128u * 64);
  std::set<u64> addresses;
  for (u32 i = 0; i < 127; i++) {
    const Bytes bytes = wqe(objects[1], i * 64, 64);
    u32 words[16];
    std::memcpy(words, bytes.data(), sizeof(words));
    EXPECT_EQ(words[0], 0u);
    EXPECT_EQ(words[1], 0x203u);
    for (u32 sge = 0; sge < 3; sge++) {
      u64 address = 0;
      std::memcpy(&address, &words[4 + 4 * sge], sizeof(address));
      EXPECT_EQ(words[7 + 4 * sge], sge == 0 ? kHead : kPage);
      EXPECT_TRUE(addresses.insert(address / kPage).second);  // no page twice
    }
  }
}

// D-58, D-60: every length around the edges of the pages.
TEST_F(RxScatterTest, D60_LengthsAtTheEdgesOfPages) {
  bring_up_scattered();
  for (u32 edge : {kHead, kHead + kPage})
    for (u32 length = edge - 2; length <= edge + 2; length++) {
      const PacketSpec spec = of_length(length);
      ASSERT_TRUE(transmit(0, skb_of(kernel, spec)));
      kernel.settle();
      ASSERT_EQ(kernel.received.size(), 1u) << length;
      const sk_buff& skb = *kernel.received.front().skb;
      EXPECT_EQ(skb.bytes(), make_packet(spec)) << length;
      const u32 tails = (length - kHead + kPage - 1) / kPage * (length > kHead);
      EXPECT_EQ(skb.pages.size(), tails) << length;
      EXPECT_EQ(skb.truesize, kPage * (1 + tails));
      kernel.free_received();
    }
  for (u32 length : {100u, 1'514u, 9'014u})
    EXPECT_EQ(send(0, skb_of_length(length), 1).at(0), make_packet(of_length(length)));
  expect_only_the_ring_holds_pages();
}

TEST_F(RxScatterTest, ManyLapsInAFewPages) {
  bring_up_scattered();
  EXPECT_EQ(send_some(600), 600u);
  EXPECT_EQ(send_some(300, 4'000), 300u);
  EXPECT_EQ(send_some(300, 100), 300u);
  expect_only_the_ring_holds_pages();
  EXPECT_LT(pool()->taken, 128u * 3 + 16);
  EXPECT_EQ(stat(1, "rx_0_packets"), 1'200u);
  EXPECT_EQ(device->port_statistic(1, "rx_dropped_no_wqe"), 0u);
}

TEST_F(RxScatterTest, D58_LengthsThatCannotBe) {
  bring_up_scattered();
  for (u32 length : {0u, kHead + 2 * kPage + 1, 65'535u}) {
    device->fault("rx length " + std::to_string(length) + " x1");
    EXPECT_EQ(send_some(1), 0u);
    EXPECT_EQ(send_some(1), 1u);
  }
  EXPECT_EQ(stat(1, "rx_0_bad_length"), 3u);
  device->fault("rx length " + std::to_string(kHead + 2 * kPage) + " x1");
  EXPECT_EQ(send_some(1), 1u);
  for (int i = 0; i < 150; i++) {
    device->fault("rx type 4 x1");
    EXPECT_EQ(send_some(1), 0u);
  }
  EXPECT_EQ(send_some(150), 150u);
  expect_only_the_ring_holds_pages();
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
}

// P6: whichever of the pages cannot be had, the packet is lost and no page is.
TEST_F(RxScatterTest, APageThatCannotBeHad) {
  bring_up_scattered();
  u64 lost = 0;
  for (u32 n = 1; n <= 3; n++)
    for (u32 round = 0; round < 150; round++) {
      kernel.fail_kind[static_cast<int>(Failing::kPage)] = n;
      const size_t arrived = send_some(1);
      lost += 1 - arrived;
      kernel.fail_kind[static_cast<int>(Failing::kPage)] = 0;
      ASSERT_LE(in_flight(), 128u * 3 + 3);
    }
  EXPECT_GE(lost, 3u);
  EXPECT_EQ(stat(1, "rx_0_no_buffer"), lost);
  kernel.fail_always[static_cast<int>(Failing::kPage)] = true;
  send_some(3);  // what is in reserve
  EXPECT_EQ(send_some(300), 0u);
  kernel.fail_always[static_cast<int>(Failing::kPage)] = false;
  EXPECT_EQ(send_some(300), 300u);
  expect_only_the_ring_holds_pages();
  // The end comes with a page in reserve.
  kernel.fail_kind[static_cast<int>(Failing::kPage)] = 2;
  EXPECT_EQ(send_some(1), 0u);
  EXPECT_EQ(in_flight(), 128u * 3 + 1);
}

TEST_F(RxScatterTest, AnSkbThatCannotBeHad) {
  bring_up_scattered();
  kernel.fail_always[static_cast<int>(Failing::kSkb)] = true;
  std::vector<sk_buff*> none;
  for (u32 length : {100u, 5'000u, 9'000u})
    for (int i = 0; i < 60; i++) {
      transmit(0, skb_of_length(length));
      kernel.settle();
    }
  kernel.fail_always[static_cast<int>(Failing::kSkb)] = false;
  EXPECT_EQ(stat(1, "rx_0_no_skb"), 180u);
  EXPECT_TRUE(kernel.received.empty());
  EXPECT_EQ(send_some(200), 200u);
  expect_only_the_ring_holds_pages();
}

TEST_F(RxScatterTest, TheMtuChangesAndTheFlag) {
  bring_up_scattered();
  const struct {
    u32 mtu, sges, order;
    bool scatter;
  } kTable[] = {{1'500, 1, 0, true}, {3'502, 1, 0, true},  {3'503, 2, 0, true},
                {7'598, 2, 0, true}, {7'599, 3, 0, true},  {9'000, 3, 0, true},
                {9'216, 3, 0, true}, {9'000, 1, 2, false}, {3'600, 1, 0, false},
                {3'600, 2, 0, true}};
  for (const auto& row : kTable) {
    ASSERT_EQ(set_mtu(0, row.mtu), 0);
    ASSERT_EQ(set_mtu(1, row.mtu), 0);
    objects.clear();
    ASSERT_EQ(set_scatter(1, !row.scatter), 0);
    ASSERT_EQ(set_scatter(1, row.scatter), 0);
    EXPECT_EQ(netdev(1)->rx_frags, row.scatter);
    ASSERT_EQ(stop(1), 0);
    ASSERT_EQ(open(1), 0);
    kernel.settle();
    EXPECT_EQ(pool()->config.order, row.order) << row.mtu;
    u32 words[2];
    const Bytes bytes =
        wqe(objects.back().request.wq_type == wire::WqType::kRq ? objects.back()
                                                                : objects[objects.size() - 2],
            0, 8);
    std::memcpy(words, bytes.data(), sizeof(words));
    EXPECT_EQ(words[1], 0x200u + row.sges) << row.mtu;
    const u32 most = std::min(row.mtu + 14, 11'000u);
    EXPECT_EQ(send_some(140, most), 140u) << row.mtu;
  }
}

// --- XDP ---

TEST_F(RxScatterTest, XdpSeesAllPiecesAndItsVerdictIsCarriedOut) {
  bring_up_scattered();
  shim_xdp_action verdict = SHIM_XDP_PASS;
  u32 wrong = 0;
  attach([&](FakeXdp& xdp) {
    wrong += xdp.headroom != 256 || xdp.frame_size != kPage || !xdp.completion ||
             xdp.rxq->frag_size != kPage;
    wrong += xdp.total() > kHead && (xdp.length != kHead || xdp.frags == 0);
    return verdict;
  });
  for (u32 length : {100u, kHead, kHead + 1, 9'014u}) {
    const PacketSpec spec = of_length(length);
    for (int i = 0; i < 140; i++) {
      const auto frames = send(0, skb_of(kernel, spec), 1);
      ASSERT_EQ(frames.size(), 1u);
      ASSERT_EQ(frames[0], make_packet(spec));
    }
  }
  EXPECT_EQ(wrong, 0u);
  const u32 allocations = pool()->allocations;
  for (auto drop : {SHIM_XDP_DROP, SHIM_XDP_ABORTED}) {
    verdict = drop;
    EXPECT_EQ(send_some(150), 0u);
  }
  EXPECT_LE(pool()->allocations, allocations + 3);  // what is dropped stays in its slot
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 300u);
  verdict = SHIM_XDP_REDIRECT;
  EXPECT_EQ(send_some(20), 0u);
  ASSERT_EQ(kernel.redirected.size(), 20u);
  EXPECT_EQ(kernel.redirected[0]->pages.size(), 2u);
  kernel.free_received();
  kernel.redirect_fails = true;
  EXPECT_EQ(send_some(150), 0u);
  EXPECT_EQ(kernel.exceptions, 150u);
  expect_only_the_ring_holds_pages();
  detach();
  EXPECT_EQ(send_some(150), 150u);
}

TEST_F(RxScatterTest, XdpSendsAllPiecesBack) {
  bring_up_scattered();
  attach([](FakeXdp& xdp) {
    u8* data = xdp.memory + xdp.headroom;
    for (int i = 0; i < 6; i++)
      std::swap(data[i], data[6 + i]);
    return SHIM_XDP_TX;
  });
  u32 sent = 0;
  for (u32 length : {100u, kHead, kHead + 1, kHead + kPage, 9'014u})
    for (int i = 0; i < 60; i++, sent++) {
      const PacketSpec spec = of_length(length, sent);
      ASSERT_TRUE(transmit(0, skb_of(kernel, spec)));
      kernel.settle();
      const auto back = take_received(0);
      ASSERT_EQ(back.size(), 1u) << length;
      Bytes expected = make_packet(spec);
      std::swap_ranges(expected.begin(), expected.begin() + 6, expected.begin() + 6);
      ASSERT_EQ(back[0], expected) << length;
    }
  EXPECT_EQ(stat(1, "rx_0_xdp_tx"), sent);
  expect_only_the_ring_holds_pages();
  shim_txq(netdev(1), 0)->stopped = true;
  EXPECT_EQ(send_some(5), 0u);
  shim_txq(netdev(1), 0)->stopped = false;
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 5u);
  kernel.fail_always[static_cast<int>(Failing::kFrame)] = true;
  EXPECT_EQ(send_some(5), 0u);
  kernel.fail_always[static_cast<int>(Failing::kFrame)] = false;
  EXPECT_EQ(stat(1, "rx_0_xdp_drop"), 10u);
  expect_only_the_ring_holds_pages();
}

// bpf_xdp_adjust_tail() gives pages back to the pool at once; the slot gets others.
TEST_F(RxScatterTest, XdpCutsPiecesOff) {
  bring_up_scattered();
  u32 keep = 0;
  shim_xdp_action verdict = SHIM_XDP_PASS;
  attach([&](FakeXdp& xdp) {
    while (xdp.frags > keep)
      kernel.put_page(xdp.pages[--xdp.frags]);
    return verdict;
  });
  for (auto action : {SHIM_XDP_PASS, SHIM_XDP_DROP, SHIM_XDP_TX, SHIM_XDP_REDIRECT})
    for (keep = 0; keep <= 2; keep++) {
      verdict = action;
      for (u32 i = 0; i < 140; i++) {
        const PacketSpec spec = of_length(9'000, i);
        ASSERT_TRUE(transmit(0, skb_of(kernel, spec)));
        kernel.settle();
        if (action == SHIM_XDP_PASS) {
          const auto frames = take_received(1);
          ASSERT_EQ(frames.size(), 1u);
          const Bytes all = make_packet(spec);
          const long kept = std::min<long>(static_cast<long>(all.size()), kHead + keep * kPage);
          ASSERT_EQ(frames[0], Bytes(all.begin(), all.begin() + kept));
        }
        kernel.free_received();
      }
      expect_only_the_ring_holds_pages();
    }
  EXPECT_EQ(stat(1, "rx_0_xdp_tx"), 3 * 140u);
  EXPECT_EQ(stat(1, "rx_0_xdp_redirect"), 3 * 140u);
  EXPECT_EQ(stat(1, "rx_0_no_buffer"), 0u);
}

TEST_F(RxScatterTest, WithoutReplacementTheProgramIsNotAsked) {
  bring_up_scattered();
  u32 runs = 0;
  attach([&](FakeXdp& xdp) {
    runs++;
    while (xdp.frags)
      kernel.put_page(xdp.pages[--xdp.frags]);
    return SHIM_XDP_PASS;
  });
  kernel.fail_always[static_cast<int>(Failing::kPage)] = true;
  EXPECT_EQ(send_some(150), 0u);
  EXPECT_EQ(runs, 0u);
  EXPECT_EQ(stat(1, "rx_0_no_buffer"), 150u);
  kernel.fail_always[static_cast<int>(Failing::kPage)] = false;
  EXPECT_EQ(send_some(150), 150u);
  EXPECT_EQ(runs, 150u);
  expect_only_the_ring_holds_pages();
}

TEST_F(RxScatterTest, WhoMayHaveAProgram) {
  bring_up_scattered();
  netlink_ext_ack ack;
  program.takes_frags = false;
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_xdp(port(1), &program, &ack); }), -22);
  EXPECT_NE(std::string{ack.sentence}.find("must take frags"), std::string::npos);
  attach([](FakeXdp&) { return SHIM_XDP_PASS; });
  EXPECT_EQ(set_scatter(1, false), -22);
  EXPECT_TRUE(mana_port_rx_scatter(port(1)));
  EXPECT_EQ(send_some(3), 3u);
  // At an MTU of one page nobody needs anything.
  ASSERT_EQ(set_mtu(1, 3'502), 0);
  EXPECT_EQ(set_scatter(1, false), 0);
  EXPECT_EQ(set_mtu(1, 3'503, &ack), -22);
  EXPECT_EQ(std::string{ack.sentence}, "The MTU is too large for the attached XDP program.");
  EXPECT_EQ(set_scatter(1, true), 0);
  EXPECT_EQ(set_mtu(1, 9'000), 0);
  EXPECT_EQ(send_some(3), 3u);
  detach();
}

// --- frames of other drivers ---

TEST_F(RxScatterTest, FramesInPiecesThatAreHandedOver) {
  bring_up_scattered();
  u32 taken = 0;
  for (u32 pieces : {1u, 2u, 17u, 29u, 30u}) {
    const PacketSpec spec = of_length(6'000, pieces);
    const Bytes all = make_packet(spec);
    xdp_frame* frame = kernel.make_frame(Bytes(all.begin(), all.begin() + 1'500));
    for (u32 i = 0; i < pieces; i++)
      frame->more.emplace_back(all.begin() + 1'500 + i * 4'500 / pieces,
                               all.begin() + 1'500 + (i + 1) * 4'500 / pieces);
    const int expected = pieces <= 29;  // D-55: with the first, 30 SGEs
    ASSERT_EQ(mana_port_xdp_transmit(port(0), 1, &frame, true), expected) << pieces;
    kernel.settle();
    if (!expected) {
      kernel.return_frame(frame);
      continue;
    }
    taken++;
    const auto frames = take_received(1);
    ASSERT_EQ(frames.size(), 1u) << pieces;
    EXPECT_EQ(frames[0], all) << pieces;
  }
  EXPECT_EQ(stat(0, "tx_0_xdp_xmit"), taken);
  // One of the pieces cannot be mapped: the frame stays the caller's, and nothing stays mapped.
  for (u32 n = 1; n <= 3; n++) {
    const Bytes all = make_packet(of_length(6'000));
    xdp_frame* frame = kernel.make_frame(Bytes(all.begin(), all.begin() + 2'000));
    for (u32 i = 1; i < 3; i++)
      frame->more.emplace_back(all.begin() + i * 2'000, all.begin() + (i + 1) * 2'000);
    kernel.fail_kind[static_cast<int>(Failing::kMap)] = n;
    EXPECT_EQ(mana_port_xdp_transmit(port(0), 1, &frame, true), 0);
    kernel.fail_kind[static_cast<int>(Failing::kMap)] = 0;
    kernel.return_frame(frame);
  }
  EXPECT_EQ(send_some(3), 3u);
}

}  // namespace
}  // namespace mana::test
