// SPDX-License-Identifier: GPL-2.0
// src/port/tx_queue.cc: the ring as the device reads it, and the frames as the other port gets
// them.
#include "driver_test.h"

namespace mana::test {
namespace {

class TxQueueTest : public DriverTest {
 protected:
  void SetUp() override {
    config.queues = 1;
    config.options = "vport-offset=5";
  }
  void bring_up_watched() {
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    ASSERT_EQ(open(0), 0);
    ASSERT_EQ(open(1), 0);
    kernel.settle();
    ASSERT_EQ(objects.size(), 4u);
    ASSERT_EQ(objects[0].request.wq_type, wire::WqType::kSq);
  }
  const Object& sq() const { return objects[0]; }
  // The WQE of the next packet, before the device looks. Consumes the packet.
  Bytes post(sk_buff* skb, u32 length = 64) {
    device->stalled = true;
    const u32 position = tail_;
    if (!transmit(0, skb)) {
      kernel.free_skb(skb);
      ADD_FAILURE() << "not taken";
    }
    for (const Doorbell& bell : doorbells())
      if (bell.page == 1 && bell.reg == wire::doorbell::kSq)
        tail_ = bell.value;
    const Bytes bytes = wqe(sq(), position, length);
    device->stalled = false;
    kernel.settle();
    return bytes;
  }
  static u32 word(const Bytes& bytes, u32 index) {
    u32 value = 0;
    std::memcpy(&value, &bytes[4 * index], 4);
    return value;
  }
  // With the ids of the real queue, and addresses left out, as the data sheet's example has them.
  Bytes normalised(Bytes bytes, u32 sgl, u32 sges) {
    u32 dw0 = word(bytes, 2), dw1 = word(bytes, 3);
    EXPECT_EQ(wire::TxOob::CqId::get(dw0), sq().cq_id);
    EXPECT_EQ(dw1 & wire::TxOob::SqFrame::kMask, sq().wq_id & wire::TxOob::SqFrame::kMask);
    dw0 = wire::TxOob::CqId::replace(dw0, 0x2A);
    dw1 = wire::TxOob::SqFrame::replace(dw1, 0x1418 >> 10);
    std::memcpy(&bytes[8], &dw0, 4);
    std::memcpy(&bytes[12], &dw1, 4);
    for (u32 i = 0; i < sges; i++) {
      const u64 address = 0x1000ull * (i + 1);
      const u32 key = 0x99;
      std::memcpy(&bytes[sgl + 16 * i], &address, 8);
      std::memcpy(&bytes[sgl + 16 * i + 8], &key, 4);
    }
    return bytes;
  }
  void expect_no_trouble() {
    EXPECT_EQ(stat(0, "queue_recoveries"), 0u);
    EXPECT_EQ(stat(0, "tx_cq_err"), 0u);
    EXPECT_EQ(stat(0, "tx_cqe_misdirected"), 0u);
    EXPECT_EQ(netdev(0)->txqs[0].outstanding, 0u);
  }

 private:
  u32 tail_ = 0;
};

// Appendix B.5: 54 bytes of headers, 1000 of payload.
TEST_F(TxQueueTest, D51_ShortForm) {
  bring_up_watched();
  PacketSpec spec{.payload = 1000, .seed = Seed::kPseudo, .tcp_options = 0};
  Bytes bytes = post(skb_of(kernel, spec, {1000}));
  bytes.resize(48);  // the rest of the BU is padding
  const Bytes expected = {0, 0,    0, 0, 2, 2, 0, 0, 0x24, 0x2a, 0, 0, 0x22, 0x14, 0, 5,
                          0, 0x10, 0, 0, 0, 0, 0, 0, 0x99, 0,    0, 0, 0x36, 0,    0, 0,
                          0, 0x20, 0, 0, 0, 0, 0, 0, 0x99, 0,    0, 0, 0xe8, 3,    0, 0};
  EXPECT_EQ(normalised(bytes, 16, 2), expected);
  const auto frames = take_received(1);
  ASSERT_EQ(frames.size(), 1u);
  spec.seed = Seed::kFinal;
  EXPECT_EQ(frames[0], make_packet(spec));
  expect_no_trouble();
}

// Appendix B.6, with the offset in both fields.
TEST_F(TxQueueTest, D54_LsoWithVlan) {
  bring_up_watched();
  PacketSpec spec{.payload = 8192, .seed = Seed::kPseudo, .tcp_options = 0};
  sk_buff* skb = skb_of(kernel, spec, {8192});
  skb->gso_size = 1460;
  skb->gso_segments = 6;
  skb->tci = 3 << 13 | 100;
  const Bytes bytes = post(skb);
  const Bytes expected = {0,    0,    0, 0x36, 2,    0x0e, 0xb4, 5,    0x35, 0x2a, 0,    0, 0x22,
                          0x14, 0,    5, 8,    0,    0x43, 6,    0,    0,    5,    0,    0, 0,
                          0,    0,    0, 0,    0,    0,    0,    0x10, 0,    0,    0,    0, 0,
                          0,    0x99, 0, 0,    0,    0x36, 0,    0,    0,    0,    0x20, 0, 0,
                          0,    0,    0, 0,    0x99, 0,    0,    0,    0,    0x20, 0,    0};
  EXPECT_EQ(normalised(bytes, 32, 2), expected);
  ASSERT_EQ(kernel.received.size(), 6u);
  EXPECT_EQ(kernel.received[0].skb->rx_tci, 100);
  for (const Bytes& frame : take_received(1))
    EXPECT_TRUE(checksums_are_right(frame));
  EXPECT_EQ(stat(0, "tx_0_packets"), 6u);
  EXPECT_EQ(stat(0, "tx_0_tso_packets"), 1u);
  EXPECT_EQ(stat(0, "tx_0_bytes"), 8192u + 6 * 54);
  expect_no_trouble();
}

TEST_F(TxQueueTest, D51_OffsetsThatOnlyTheLongFormHolds) {
  config.options = "vport-offset=300";
  bring_up_watched();
  const Bytes bytes = post(skb_of(kernel, {}));
  EXPECT_EQ(wire::TxOob::PacketFormat::get(word(bytes, 2)), wire::TxOob::kLongFormat);
  EXPECT_EQ(wire::TxOob::ShortVportOffset::get(word(bytes, 3)), 0u);
  EXPECT_EQ(wire::TxOob::InjectVlan::get(word(bytes, 4)), 0u);
  EXPECT_EQ(wire::TxOob::LongVportOffset::get(word(bytes, 5)), 300u);
  EXPECT_EQ(take_received(1).size(), 1u);
  expect_no_trouble();
}

TEST_F(TxQueueTest, D51_VlanAtTheEdges) {
  bring_up_watched();
  for (int tci : {0, 1, 0x0FFF, 0x1000, 0xE000, 0xFFFF}) {
    sk_buff* skb = skb_of(kernel, {});
    skb->tci = tci;
    const Bytes bytes = post(skb);
    EXPECT_EQ(wire::TxOob::InjectVlan::get(word(bytes, 4)), 1u);
    EXPECT_EQ(wire::TxOob::Pcp::get(word(bytes, 4)), static_cast<u32>(tci) >> 13);
    EXPECT_EQ(wire::TxOob::Dei::get(word(bytes, 4)), static_cast<u32>(tci) >> 12 & 1);
    EXPECT_EQ(wire::TxOob::VlanId::get(word(bytes, 4)), static_cast<u32>(tci) & 0xFFF);
    EXPECT_EQ(word(bytes, 4) & 0xFFF7, 0u);
    EXPECT_EQ(word(bytes, 6), 0u);
    EXPECT_EQ(word(bytes, 7), 0u);
    take_received(1);
  }
}

TEST_F(TxQueueTest, D52_IdsOfEveryQueue) {
  config.queues = 2;
  start();
  ASSERT_EQ(probe(), 0);
  watch();
  ASSERT_EQ(open(0), 0);
  for (u32 queue : {0u, 1u}) {
    device->stalled = true;
    ASSERT_TRUE(transmit(0, skb_of(kernel, {}), queue));
    const Object& object = objects.at(queue * 2);
    const Bytes bytes = wqe(object, 0, 32);
    EXPECT_EQ(wire::TxOob::CqId::get(word(bytes, 2)), object.cq_id);
    EXPECT_EQ(word(bytes, 3) & wire::TxOob::SqFrame::kMask,
              object.wq_id & wire::TxOob::SqFrame::kMask);
    const Doorbell bell = doorbells().back();
    EXPECT_EQ(bell, (Doorbell{1, wire::doorbell::kSq, object.wq_id, 32, false}));
    device->stalled = false;
    kernel.settle();
  }
}

TEST_F(TxQueueTest, D53_ChecksumOffloads) {
  bring_up_watched();
  for (int family : {4, 6})
    for (int protocol : {6, 17}) {
      PacketSpec spec{.family = family, .protocol = protocol, .seed = Seed::kPseudo};
      const Bytes bytes = post(skb_of(kernel, spec));
      const u32 dw0 = word(bytes, 2);
      EXPECT_EQ(wire::TxOob::IsIpv4::get(dw0), family == 4);
      EXPECT_EQ(wire::TxOob::IsIpv6::get(dw0), family == 6);
      EXPECT_EQ(wire::TxOob::ComputeTcpChecksum::get(dw0), protocol == 6);
      EXPECT_EQ(wire::TxOob::ComputeUdpChecksum::get(dw0), protocol == 17);
      EXPECT_EQ(wire::TxOob::SuppressCqe::get(dw0), 0u);
      EXPECT_EQ(wire::TxOob::TransportOffset::get(word(bytes, 3)), l4_offset(spec));
      const auto frames = take_received(1);
      ASSERT_EQ(frames.size(), 1u);
      EXPECT_TRUE(checksums_are_right(frames[0]));
    }
  // Nothing asked, nothing set.
  const Bytes bytes = post(skb_of(kernel, {}));
  EXPECT_EQ(word(bytes, 2) & 0xFF, 0u);
  EXPECT_EQ(wire::TxOob::TransportOffset::get(word(bytes, 3)), 0u);
  expect_no_trouble();
}

TEST_F(TxQueueTest, D53_WhatIsLeftToSoftware) {
  bring_up_watched();
  sk_buff* skb = skb_of(kernel, {.seed = Seed::kPseudo});
  const auto can = [&] { return mana_port_can_checksum(port(0), skb); };
  EXPECT_TRUE(can());
  skb->checksum_start = 1023;
  EXPECT_TRUE(can());
  skb->checksum_start = 1024;
  EXPECT_FALSE(can());
  skb->checksum_start = 34;
  for (u32 field : {0u, 2u, 8u, 10u, 17u}) {  // SCTP is 8
    skb->checksum_offset = field;
    EXPECT_FALSE(can()) << field;
  }
  skb->checksum_offset = 6;
  EXPECT_TRUE(can());
  skb->family = 0;
  EXPECT_FALSE(can());
  skb->checksum = false;
  EXPECT_TRUE(can());
  kernel.free_skb(skb);
}

TEST_F(TxQueueTest, D54_WhatSegmentationNeeds) {
  bring_up_watched();
  sk_buff* skb = skb_of(kernel, {.payload = 5000, .seed = Seed::kPseudo});
  const auto can = [&](u32 headers, u32 mss) {
    skb->tcp_headers = headers;
    skb->gso_size = mss;
    return mana_port_can_segment(port(0), skb);
  };
  EXPECT_TRUE(can(255, 1460));
  EXPECT_FALSE(can(256, 1460));
  EXPECT_TRUE(can(66, 16383));
  EXPECT_FALSE(can(66, 16384));
  EXPECT_TRUE(can(66, 1));
  EXPECT_TRUE(can(66, 0));  // not a GSO packet at all
  kernel.free_skb(skb);
}

TEST_F(TxQueueTest, D54_HeadersAreTheFirstSgeAlone) {
  bring_up_watched();
  for (int family : {4, 6}) {
    PacketSpec spec{.family = family, .payload = 4000, .seed = Seed::kPseudo};
    const u32 headers = header_bytes(spec);
    // All linear; headers split over a fragment; headers and a piece linear.
    for (std::vector<u32> pieces : {std::vector<u32>{}, {4010}, {1000, 2000}}) {
      sk_buff* skb = skb_of(kernel, spec, pieces);
      skb->gso_size = 1000;
      skb->gso_segments = 4;
      const Bytes bytes = post(skb, 128);
      EXPECT_EQ(wire::WqeHeader::LastVbytes::get(word(bytes, 0)), headers);
      EXPECT_EQ(wire::WqeHeader::ClientOobInSgl::get(word(bytes, 1)), 1u);
      EXPECT_EQ(wire::WqeHeader::ClientDataUnit::get(word(bytes, 1)), 1000u);
      EXPECT_GE(wire::WqeHeader::SgeCount::get(word(bytes, 1)), 2u);
      EXPECT_EQ(wire::TxOob::ComputeIpChecksum::get(word(bytes, 2)), 1u);
      EXPECT_EQ(wire::TxOob::ComputeTcpChecksum::get(word(bytes, 2)), 1u);
      EXPECT_EQ(word(bytes, 4 + 3), headers);  // size of SGE 0
      const auto frames = take_received(1);
      EXPECT_EQ(frames.size(), 4u);
      for (const Bytes& frame : frames)
        EXPECT_TRUE(checksums_are_right(frame));
    }
  }
  expect_no_trouble();
}

TEST_F(TxQueueTest, D54_NoPayloadIsDropped) {
  bring_up_watched();
  sk_buff* skb = skb_of(kernel, {.payload = 0, .seed = Seed::kPseudo});
  skb->gso_size = 1000;
  skb->gso_segments = 1;
  EXPECT_TRUE(transmit(0, skb));
  EXPECT_EQ(kernel.dropped, 1u);
  EXPECT_EQ(kernel.drop_reasons, (std::vector{SHIM_DROP_BAD_GSO}));
  EXPECT_EQ(stat(0, "tx_0_dropped"), 1u);
  kernel.settle();
  EXPECT_EQ(traffic(1), 2u);
}

TEST_F(TxQueueTest, D55_TooManySges) {
  bring_up_watched();
  for (u32 fragments : {1u, 28u, 29u, 30u, 31u, 40u}) {
    PacketSpec spec{.payload = 1400};
    sk_buff* skb = skb_of(kernel, spec, std::vector<u32>(fragments, 30));
    const u64 before = stat(0, "tx_0_linearized");
    const Bytes bytes = post(skb);
    const u32 count = wire::WqeHeader::SgeCount::get(word(bytes, 1));
    EXPECT_EQ(count, fragments <= 29 ? fragments + 1 : 1);
    EXPECT_EQ(stat(0, "tx_0_linearized") - before, fragments > 29);
    const auto frames = take_received(1);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0], make_packet(spec));
  }
  sk_buff* skb = skb_of(kernel, {}, {20});
  skb->frag_list = true;
  (void)post(skb);
  EXPECT_EQ(take_received(1).size(), 1u);
  expect_no_trouble();
}

// D-34 and D-35: all sizes of WQE at all places of a ring, with content.
TEST_F(TxQueueTest, D35_EverySizeEverywhere) {
  bring_up_watched();
  u32 sequence = 0;
  for (u32 round = 0; round < 160; round++)
    for (u32 fragments : {0u, 1u, 4u, 13u, 28u, 29u}) {
      PacketSpec spec{.payload = 600 + 7 * fragments, .sequence = sequence++};
      sk_buff* skb = skb_of(kernel, spec, std::vector<u32>(fragments, 20));
      skb->tci = round % 3 == 0 ? 7 : -1;
      const auto frames = send(0, skb, 1);
      ASSERT_EQ(frames.size(), 1u);
      ASSERT_EQ(frames[0], make_packet(spec));
    }
  expect_no_trouble();
}

TEST_F(TxQueueTest, D34_FullRingStopsAndWakes) {
  bring_up_watched();
  device->stalled = true;
  u32 sent = 0;
  for (; sent < 1'000; sent++) {
    sk_buff* skb = skb_of(kernel, {.sequence = sent}, {20, 20, 20});
    if (!transmit(0, skb)) {
      kernel.free_skb(skb);
      break;
    }
  }
  EXPECT_TRUE(netdev(0)->txqs[0].stopped);
  EXPECT_LT(sent, 256u / 3 + 1);
  const u32 tail = doorbells().back().value;
  EXPECT_LE(tail, sq().request.wq_bytes);
  EXPECT_EQ(stat(0, "stop_queue"), 1u) << "the device must not answer here";
}

TEST_F(TxQueueTest, D34_AFullRingEmptiesInOrder) {
  bring_up_watched();
  for (u32 round = 0; round < 5; round++) {
    device->stalled = true;
    u32 sent = 0;
    for (; sent < 1'000; sent++) {
      sk_buff* skb = skb_of(kernel, {.sequence = sent});
      if (!transmit(0, skb)) {
        kernel.free_skb(skb);
        break;
      }
    }
    device->stalled = false;
    kernel.settle();
    EXPECT_FALSE(netdev(0)->txqs[0].stopped);
    const auto frames = take_received(1);
    ASSERT_EQ(frames.size(), sent);
    for (u32 i = 0; i < sent; i++)
      EXPECT_EQ(get32(frames[i], 38), i);
  }
  EXPECT_EQ(stat(0, "wake_queue"), 5u);
  expect_no_trouble();
}

TEST_F(TxQueueTest, D29_DoorbellsWaitForTheLastPacketOfABatch) {
  bring_up_watched();
  kernel.mmio.clear();
  kernel.xmit_more = true;
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  EXPECT_TRUE(doorbells().empty());
  kernel.xmit_more = false;
  // The last one is dropped: the others go all the same.
  kernel.fail_nth = 1;
  ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  EXPECT_EQ(doorbells().size(), 1u);
  kernel.settle();
  EXPECT_EQ(take_received(1).size(), 2u);
  EXPECT_EQ(stat(0, "tx_0_mana_map_err"), 1u);
}

TEST_F(TxQueueTest, MappingsThatFailLeaveNothing) {
  bring_up_watched();
  for (u64 n = 1; n <= 6; n++) {
    kernel.fail_nth = n;
    sk_buff* skb = skb_of(kernel, {.payload = 500, .seed = Seed::kPseudo}, {100, 100, 100});
    skb->gso_size = 100;
    skb->gso_segments = 5;
    EXPECT_TRUE(transmit(0, skb));
    EXPECT_EQ(kernel.fail_nth, 0u);
    kernel.fail_nth = 0;
    for (const auto& [address, region] : kernel.regions_)
      if (n <= 5)
        EXPECT_NE(region.kind, FakeKernel::Region::kMap) << n;
    kernel.settle();
    take_received(1);
    if (n == 5)
      break;
  }
  EXPECT_EQ(kernel.dropped, 5u);
  EXPECT_EQ(traffic(1), 2u);
}

// --- small packets are copied ---

TEST_F(TxQueueTest, PacketsOfEverySizeArriveWhole) {
  bring_up_watched();
  for (u32 payload = 0; payload < 160; payload++) {
    PacketSpec spec{.protocol = 17, .payload = payload, .sequence = payload};
    const auto frames = send(0, skb_of(kernel, spec), 1);
    ASSERT_EQ(frames.size(), 1u) << payload;
    ASSERT_EQ(frames[0], make_packet(spec)) << payload;
  }
  expect_no_trouble();
}

TEST_F(TxQueueTest, UpTo128BytesNeedNoMapping) {
  bring_up_watched();
  const u32 headers = static_cast<u32>(make_packet({.protocol = 17, .payload = 0}).size());
  const auto arrives = [&](u32 size, std::vector<u32> pieces, int tci) {
    kernel.fail_kind[static_cast<int>(Failing::kMap)] = 1;
    sk_buff* skb = skb_of(kernel, {.protocol = 17, .payload = size - headers}, pieces);
    skb->tci = tci;
    const size_t frames = send(0, skb, 1).size();
    kernel.fail_kind[static_cast<int>(Failing::kMap)] = 0;
    return frames == 1;
  };
  EXPECT_TRUE(arrives(headers, {}, -1));
  EXPECT_TRUE(arrives(64, {}, -1));
  EXPECT_TRUE(arrives(65, {}, -1));
  EXPECT_TRUE(arrives(128, {}, -1));
  EXPECT_EQ(stat(0, "tx_0_mana_map_err"), 0u);
  EXPECT_FALSE(arrives(129, {}, -1));
  EXPECT_FALSE(arrives(100, {10}, -1));
  EXPECT_FALSE(arrives(100, {}, 5));
  EXPECT_EQ(stat(0, "tx_0_mana_map_err"), 3u);
}

// The copy is memory that a host may read: nothing from beyond the packet's end gets there.
TEST_F(TxQueueTest, NothingBeyondAPacketIsCopied) {
  bring_up_watched();
  for (u32 size : {42u, 50u, 63u, 64u, 65u, 100u, 127u}) {
    const u32 payload = size - static_cast<u32>(make_packet({.protocol = 17, .payload = 0}).size());
    sk_buff* skb = skb_of(kernel, {.protocol = 17, .payload = payload});
    skb->linear.reserve(256);
    std::memset(skb->linear.data() + size, 0xEE, 256 - size);
    const Bytes bytes = post(skb, 32);
    u64 address = 0;
    std::memcpy(&address, &bytes[16], 8);
    EXPECT_EQ(word(bytes, 7), size);
    u64 start = 0;
    const FakeKernel::Region* region = kernel.region_of(address, 128, &start);
    ASSERT_NE(region, nullptr);
    ASSERT_EQ(region->kind, FakeKernel::Region::kCoherent);
    EXPECT_EQ(region->memory[address - start + size], 0u) << size;
    take_received(1);
  }
}

// Many in flight: each has a slot of its own, all round the ring.
TEST_F(TxQueueTest, CopiesDoNotMeet) {
  bring_up_watched();
  for (u32 round = 0; round < 7; round++) {
    device->stalled = true;
    for (u32 i = 0; i < 100; i++)
      ASSERT_TRUE(transmit(
          0,
          skb_of(kernel, {.protocol = 17, .payload = 20 + i % 60, .sequence = round * 100 + i})));
    device->stalled = false;
    kernel.settle();
    const auto frames = take_received(1);
    ASSERT_EQ(frames.size(), 100u);
    for (u32 i = 0; i < 100; i++)
      ASSERT_EQ(frames[i],
                make_packet({.protocol = 17, .payload = 20 + i % 60, .sequence = round * 100 + i}));
  }
  expect_no_trouble();
}

// --- completions ---

TEST_F(TxQueueTest, D56_AnExtraCompletionFreesNothing) {
  bring_up_watched();
  device->fault("tx extra x1");
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
  EXPECT_EQ(kernel.consumed, 1u);
  kernel.pass(1'000);
  EXPECT_EQ(stat(0, "tx_cqe_misdirected"), 1u);
  EXPECT_EQ(stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(TxQueueTest, D56_CompletionsThatAreNotOursFreeNothing) {
  bring_up_watched();
  const u32 good = 0x60;  // type 32, client 1
  for (auto [dw0, trailer] : {std::pair{good, sq().wq_id},
                              {good, 1u << 24 | (sq().wq_id ^ 1)},
                              {0x20u, 1u << 24 | sq().wq_id},
                              {0xA0u, 1u << 24 | sq().wq_id}}) {
    objects.clear();
    ASSERT_EQ(stop(0), 0);
    ASSERT_EQ(open(0), 0);
    const u64 consumed = kernel.consumed;
    const u64 misdirected = stat(0, "tx_cqe_misdirected");
    // The device never hears of the packet.
    kernel.fake_mmio = [](Mmio& access) {
      return access.is_write && access.offset == 0x2000 + wire::doorbell::kSq;
    };
    ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
    wire::Cqe cqe{};
    cqe.data[0] = dw0;
    cqe.trailer = trailer;
    forge_cqe(sq(), 0, cqe);
    poll_all();
    EXPECT_EQ(kernel.consumed, consumed);
    kernel.fake_mmio = nullptr;
    kernel.pass(10'000);
    EXPECT_EQ(stat(0, "tx_cqe_misdirected"), misdirected + 1);
  }
  EXPECT_EQ(stat(0, "queue_recoveries"), 4u);
  EXPECT_EQ(kernel.consumed, 0u);
  EXPECT_EQ(kernel.dropped, 4u);
  EXPECT_EQ(traffic(1), 2u);
}

TEST_F(TxQueueTest, D56_InOrderAndOncePerCompletion) {
  bring_up_watched();
  for (int i = 0; i < 500; i++)
    ASSERT_EQ(send(0, skb_of(kernel, {}, {10}), 1).size(), 1u);
  EXPECT_EQ(kernel.consumed, 500u);
  EXPECT_EQ(kernel.dropped, 0u);
  expect_no_trouble();
}

TEST_F(TxQueueTest, D57_Type42RecreatesTheQueue) {
  bring_up_watched();
  device->fault("tx disable x1");
  (void)send(0, skb_of(kernel, {}), 1);
  kernel.pass(10'000);
  EXPECT_EQ(stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(TxQueueTest, ErrorsOfSinglePacketsAreCountedOnly) {
  bring_up_watched();
  for (int type = 33; type <= 41; type++) {
    device->fault("tx type " + std::to_string(type) + " x1");
    (void)send(0, skb_of(kernel, {}), 1);
  }
  EXPECT_EQ(stat(0, "tx_cq_err"), 9u);
  EXPECT_EQ(kernel.consumed, 9u);
  device->fault("tx type 50 x1");
  (void)send(0, skb_of(kernel, {}), 1);
  EXPECT_EQ(stat(0, "tx_cqe_unknown_type"), 1u);
  EXPECT_EQ(kernel.consumed, 10u);
  kernel.pass(1'000);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(TxQueueTest, D39_OverrunOfTheCqRecreatesTheQueue) {
  bring_up_watched();
  wire::Cqe cqe{};
  forge_cqe(sq(), 3 * sq().request.cq_bytes / 64, cqe);
  poll_all();
  kernel.pass(1'000);
  EXPECT_EQ(stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(TxQueueTest, D63_PacketsThatAreNeverSentAreDroppedInTime) {
  bring_up_watched();
  // The device never hears of them.
  kernel.fake_mmio = [](Mmio& access) {
    return access.is_write && access.offset == 0x2000 + wire::doorbell::kSq;
  };
  for (int i = 0; i < 10; i++)
    ASSERT_TRUE(transmit(0, skb_of(kernel, {}, {10, 10})));
  const u64 before = kernel.now_ms;
  ASSERT_EQ(stop(0), 0);
  EXPECT_GE(kernel.now_ms - before, 1'000u);
  EXPECT_LE(kernel.now_ms - before, 10'000u);
  EXPECT_EQ(kernel.consumed, 0u);
  EXPECT_EQ(kernel.dropped, 10u);
}

TEST_F(TxQueueTest, TheWatchdogRecreatesTheQueues) {
  bring_up_watched();
  mana_port_tx_timeout(port(0), 0);
  kernel.pass(1'000);
  EXPECT_EQ(stat(0, "tx_timeouts"), 1u);
  EXPECT_EQ(stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(traffic(), 8u);
}

// --- XDP frames of others ---

TEST_F(TxQueueTest, FramesFromRedirects) {
  bring_up_watched();
  std::vector<xdp_frame*> frames;
  for (u32 i = 0; i < 8; i++)
    frames.push_back(kernel.make_frame(make_packet({.sequence = i})));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 8, frames.data(), true), 8);
  kernel.settle();
  EXPECT_EQ(take_received(1).size(), 8u);
  EXPECT_TRUE(kernel.frames_.empty());
  EXPECT_EQ(stat(0, "tx_0_xdp_xmit"), 8u);

  // What does not fit stays the caller's.
  device->stalled = true;
  frames.clear();
  for (u32 i = 0; i < 400; i++)
    frames.push_back(kernel.make_frame(make_packet({.sequence = i})));
  const int taken = mana_port_xdp_transmit(port(0), 400, frames.data(), true);
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 257);
  for (size_t i = static_cast<size_t>(taken); i < frames.size(); i++)
    kernel.return_frame(frames[i]);
  device->stalled = false;
  kernel.settle();
  EXPECT_EQ(take_received(1).size(), static_cast<size_t>(taken));

  // Copied frames are not kept until they are sent, the others are.
  device->stalled = true;
  xdp_frame* small = kernel.make_frame(make_packet({.payload = 20}));
  xdp_frame* large = kernel.make_frame(make_packet({.payload = 500}));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 1, &small, true), 1);
  EXPECT_TRUE(kernel.frames_.empty() || !kernel.frames_.contains(small));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 1, &large, true), 1);
  EXPECT_TRUE(kernel.frames_.contains(large));
  device->stalled = false;
  kernel.settle();
  EXPECT_TRUE(kernel.frames_.empty());
  const auto both = take_received(1);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0], make_packet({.payload = 20}));
  EXPECT_EQ(both[1], make_packet({.payload = 500}));

  // A frame that cannot be mapped stays the caller's, and those after it.
  kernel.fail_kind[static_cast<int>(Failing::kMap)] = 1;
  large = kernel.make_frame(make_packet({.payload = 500}));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 1, &large, true), 0);
  kernel.return_frame(large);

  ASSERT_EQ(stop(0), 0);
  xdp_frame* late = kernel.make_frame(make_packet({}));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 1, &late, true), -100);
  kernel.return_frame(late);
}

// What is in the ring when the port stops goes back, too.
TEST_F(TxQueueTest, FramesThatAreNeverSent) {
  bring_up_watched();
  kernel.fake_mmio = [](Mmio& access) {
    return access.is_write && access.offset == 0x2000 + wire::doorbell::kSq;
  };
  std::vector<xdp_frame*> frames;
  for (u32 i = 0; i < 8; i++)
    frames.push_back(kernel.make_frame(make_packet({.payload = i % 2 ? 20u : 500u})));
  EXPECT_EQ(mana_port_xdp_transmit(port(0), 8, frames.data(), true), 8);
  EXPECT_EQ(kernel.frames_.size(), 4u);
  ASSERT_EQ(stop(0), 0);
  EXPECT_TRUE(kernel.frames_.empty());
}

}  // namespace
}  // namespace mana::test
