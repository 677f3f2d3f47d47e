// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

constexpr uint32_t kIpv4 = 1 << 2;
constexpr uint32_t kIpv6 = 1 << 3;
constexpr uint32_t kIpChecksum = 1 << 4;
constexpr uint32_t kTcpChecksum = 1 << 5;
constexpr uint32_t kUdpChecksum = 1 << 6;
constexpr uint32_t kSuppress = 1 << 7;

class TxEngine : public ScriptedDriver {
 protected:
  void SetUp() override { open_two_ports(); }

  // What port b receives for it.
  std::optional<Received> transfer(const Bytes& frame, const SendSpec& spec) {
    EXPECT_EQ(send_frame(a, frame, spec), 32);
    arm(a.sqs[0].cq, false);
    return next_received(b);
  }
};

TEST_F(TxEngine, M48_OneCompletionForEachWqeInOrder) {
  Queue& sq = a.sqs[0];
  std::vector<uint32_t> positions;
  for (int i = 0; i < 10; i++) {
    positions.push_back(sq.wq.tail);
    sq.wq.post(make_wqe(tx_wqe(a, sq, make_packet({}),
                               {.pieces = std::vector<uint32_t>(static_cast<size_t>(i), 5)})));
  }
  ring_sq(sq.wq);
  run();
  for (const uint32_t position : positions) {
    const auto cqe = sq.cq.next();
    ASSERT_TRUE(cqe);
    EXPECT_EQ(cqe->data[0], 0x60u) << "type 32, client 1, no vendor error";
    EXPECT_EQ(cqe->data[2], position);
    EXPECT_TRUE(cqe->is_sq());
    EXPECT_EQ(cqe->wq_id(), sq.wq.id);
    for (int word = 3; word < 15; word++)
      EXPECT_EQ(cqe->data[word], 0u);
  }
  EXPECT_FALSE(sq.cq.next());
}

TEST_F(TxEngine, M48_SuppressedCompletions) {
  EXPECT_EQ(send_frame(a, make_packet({}), {.flags = kSuppress}), -1);
  EXPECT_EQ(port_statistic(0, "tx_packets"), 1u);
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  // An error is told in any case.
  EXPECT_EQ(send_frame(a, make_packet({}), {.flags = kSuppress, .short_offset = 200}), 39);
}

class TxEngineThatCompletesAll : public TxEngine {
 protected:
  void SetUp() override {
    options = "suppression=0";
    open_two_ports();
  }
};

TEST_F(TxEngineThatCompletesAll, M48_SuppressionIsIgnored) {
  EXPECT_EQ(send_frame(a, make_packet({}), {.flags = kSuppress}), 32);
  EXPECT_EQ(port_statistic(0, "tx_packets"), 1u);
  EXPECT_EQ(send_frame(a, make_packet({}), {.flags = kSuppress, .short_offset = 200}), 39);
}

TEST_F(TxEngine, M49_ChecksumsFromTheSeed) {
  for (const int family : {4, 6}) {
    for (const int protocol : {6, 17}) {
      for (const uint32_t payload : {0u, 1u, 2u, 99u, 100u, 1400u}) {
        for (const bool offset : {true, false}) {
          PacketSpec packet{
              .family = family, .protocol = protocol, .payload = payload, .seed = Seed::kPseudo};
          const Bytes frame = make_packet(packet);
          if (payload > 0) {
            ASSERT_FALSE(checksums_are_right(frame));
          }
          SendSpec spec{.flags = (family == 4 ? kIpv4 : kIpv6) |
                                 (protocol == 6 ? kTcpChecksum : kUdpChecksum)};
          spec.transport_offset = offset ? l4_offset(packet) : 0;
          const auto received = transfer(frame, spec);
          ASSERT_TRUE(received);
          packet.seed = Seed::kFinal;
          EXPECT_EQ(received->frame, make_packet(packet))
              << family << " " << protocol << " " << payload;
          EXPECT_TRUE(checksums_are_right(received->frame));
          post_buffers(b, 0, 1);
        }
      }
    }
  }
}

TEST_F(TxEngine, M49_Ipv4HeaderChecksum) {
  Bytes frame = make_packet({.ip_options = 8});
  put16(frame, 24, 0xBEEF);
  const auto received = transfer(frame, {.flags = kIpv4 | kIpChecksum});
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, make_packet({.ip_options = 8}));
}

TEST_F(TxEngine, M49_PaddingIsNotSummed) {
  PacketSpec packet{.payload = 3, .seed = Seed::kPseudo, .padding = 5};
  Bytes frame = make_packet(packet);
  for (size_t i = frame.size() - 5; i < frame.size(); i++)
    frame[i] = 0xA5;
  const auto received = transfer(frame, {.flags = kIpv4 | kTcpChecksum});
  ASSERT_TRUE(received);
  EXPECT_TRUE(checksums_are_right(received->frame));
}

TEST_F(TxEngine, M49_UdpChecksumIsNeverZero) {
  // Find a payload whose sum is all ones.
  PacketSpec packet{.protocol = 17, .payload = 2, .seed = Seed::kPseudo};
  Bytes frame = make_packet(packet);
  const size_t l4 = l4_offset(packet);
  put16(frame, l4 + 8, 0);
  const Bytes segment = slice(frame, l4, frame.size());
  put16(frame, l4 + 8, internet_checksum(segment));
  const auto received = transfer(frame, {.flags = kIpv4 | kUdpChecksum});
  ASSERT_TRUE(received);
  EXPECT_EQ(get16(received->frame, l4 + 6), 0xFFFF);
}

TEST_F(TxEngine, M49_NoRequestNoChange) {
  Bytes frame = make_packet({.seed = Seed::kPseudo});
  const auto received = transfer(frame, {});
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, frame);
}

TEST_F(TxEngine, M51_VportOffset) {
  const int mine = static_cast<int>(a.vport_offset);
  const int other = static_cast<int>(b.vport_offset);
  const Bytes frame = make_packet({});
  EXPECT_EQ(send_frame(a, frame, {.short_offset = 255}), 39);
  EXPECT_EQ(send_frame(a, frame, {.short_offset = 0}), 39);
  EXPECT_EQ(send_frame(a, frame, {.short_offset = other}), 35) << "another vPort's";
  // The long form: either place, the long one first.
  EXPECT_EQ(send_frame(a, frame, {.long_form = true, .short_offset = mine, .long_offset = 0}), 32);
  EXPECT_EQ(send_frame(a, frame, {.long_form = true, .short_offset = 0, .long_offset = mine}), 32);
  EXPECT_EQ(send_frame(a, frame, {.long_form = true, .short_offset = mine, .long_offset = mine}),
            32);
  EXPECT_EQ(send_frame(a, frame, {.long_form = true, .short_offset = mine, .long_offset = 4095}),
            39);
  EXPECT_EQ(send_frame(a, frame, {.long_form = true, .short_offset = 0, .long_offset = 0}), 39);
  EXPECT_EQ(statistic("tx_errors_invalid_vport_offset"), 4u);
}

TEST_F(TxEngine, M51_OffsetsThatNeedTheLongForm) {
  stop();
  options = "vport-offset=4000";
  device_id = {};
  open_two_ports();
  EXPECT_EQ(a.vport_offset, 4000u);
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_EQ(next_received(b)->frame, make_packet({}));
}

TEST_F(TxEngine, M51_OtherOobFields) {
  const Bytes frame = make_packet({});
  WqeSpec spec = tx_wqe(a, a.sqs[0], frame, {});
  spec.oob[0] += 1 << 8;  // completion CQ
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 35);
  spec = tx_wqe(a, a.sqs[0], frame, {});
  spec.oob[1] ^= 1 << 10;  // SQ frame
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 35);
  spec = tx_wqe(a, a.sqs[0], frame, {});
  spec.oob[0] |= 2;  // an unknown form
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 35);
  spec = tx_wqe(a, a.sqs[0], frame, {});
  spec.oob[0] |= 1;  // the long form in a short OOB
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 35);
  EXPECT_EQ(statistic("tx_errors_invalid_oob"), 4u);
  EXPECT_EQ(send_frame(a, frame), 32) << "only that packet is affected";
}

TEST_F(TxEngine, M51_V14_OffloadsThatDoNotMatchThePacket) {
  const Bytes tcp = make_packet({.seed = Seed::kPseudo});
  const Bytes udp = make_packet({.protocol = 17, .seed = Seed::kPseudo});
  const Bytes raw = make_packet({.family = 0});
  EXPECT_EQ(send_frame(a, tcp, {.flags = kIpv4 | kUdpChecksum}), 35);
  EXPECT_EQ(send_frame(a, udp, {.flags = kIpv4 | kTcpChecksum}), 35);
  EXPECT_EQ(send_frame(a, tcp, {.flags = kIpv6 | kTcpChecksum}), 35);
  EXPECT_EQ(send_frame(a, tcp, {.flags = kIpv4 | kTcpChecksum | kUdpChecksum}), 35);
  EXPECT_EQ(send_frame(a, raw, {.flags = kIpChecksum}), 35);
  EXPECT_EQ(send_frame(a, raw, {.flags = kTcpChecksum}), 35);
  for (const uint32_t offset : {1u, 33u, 35u, 1000u, 1023u})
    EXPECT_EQ(send_frame(a, tcp, {.flags = kIpv4 | kTcpChecksum, .transport_offset = offset}), 35)
        << offset;
  EXPECT_EQ(send_frame(a, make_packet({.seed = Seed::kPseudo, .fragment = true}),
                       {.flags = kIpv4 | kTcpChecksum}),
            35);
  EXPECT_FALSE(next_received(b));
}

TEST_F(TxEngine, M52_VlanInsertion) {
  for (const int tci : {0x0064, 0x6064, 0xFFFF, 0x0000}) {
    const auto received = transfer(make_packet({}), {.tci = tci});
    ASSERT_TRUE(received);
    EXPECT_EQ(received->frame, make_packet({}));
    EXPECT_EQ(wire::RxCqe::VlanPresent::get(received->cqe.flags), 1u);
    EXPECT_EQ(wire::RxCqe::VlanId::get(received->cqe.flags), static_cast<uint32_t>(tci) & 0xFFF);
  }
}

TEST_F(TxEngine, M52_VlanInsertionOnTheWire) {
  stop();
  config.external_ports = 1;
  device_id = {};
  open_two_ports();
  EXPECT_EQ(send_frame(a, make_packet({}), {.tci = 0x6064}), 32);
  ASSERT_EQ(host.transmitted.size(), 1u);
  EXPECT_EQ(host.transmitted[0].port, 0u);
  EXPECT_EQ(host.transmitted[0].frame, with_tag(make_packet({}), 0x6064));
  // With checksums, and a tag that was in the frame already.
  const Bytes inner = make_packet({.seed = Seed::kPseudo, .tag = 5});
  EXPECT_EQ(send_frame(a, inner, {.flags = kIpv4 | kTcpChecksum, .tci = 0x0007}), 32);
  EXPECT_EQ(host.transmitted[1].frame, with_tag(make_packet({.tag = 5}), 7));
}

TEST_F(TxEngine, M52_ReservedBitsAreIgnored) {
  WqeSpec spec = tx_wqe(a, a.sqs[0], make_packet({}), {.long_form = true});
  spec.oob[2] |= 0x0000FFF6;  // reserved, inner IPv6 and TCP options; VLAN not injected
  spec.oob[2] |= 0xFFFF0000;
  spec.oob[3] |= 0xF000FFFF;
  spec.oob[4] = spec.oob[5] = 0xFFFFFFFF;
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 32);
  const auto received = next_received(b);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, make_packet({}));
  EXPECT_EQ(wire::RxCqe::VlanPresent::get(received->cqe.flags), 0u);
}

TEST_F(TxEngine, M52_ATagInTheFrameIsATagToo) {
  const auto received = transfer(make_packet({.seed = Seed::kPseudo, .tag = 0x2064}),
                                 {.flags = kIpv4 | kTcpChecksum, .transport_offset = 38});
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, make_packet({}));
  EXPECT_EQ(wire::RxCqe::VlanId::get(received->cqe.flags), 0x64u);
}

TEST_F(TxEngine, M53_FramesAboveTheMtu) {
  const auto frame_of = [](uint32_t bytes) {
    return make_packet({.payload = bytes - 14 - 20 - 32});
  };
  ASSERT_EQ(frame_of(1514).size(), 1514u);
  EXPECT_EQ(send_frame(a, frame_of(1514)), 32);
  EXPECT_EQ(send_frame(a, frame_of(1515)), 34);
  EXPECT_EQ(send_frame(a, frame_of(1518)), 34);
  EXPECT_EQ(send_frame(a, frame_of(9000)), 34);
  EXPECT_EQ(send_frame(a, frame_of(1514), {.tci = 5}), 32) << "a tag is not counted";
  EXPECT_EQ(send_frame(a, with_tag(frame_of(1514), 5)), 32);
  EXPECT_EQ(send_frame(a, with_tag(frame_of(1515), 5)), 34);
  EXPECT_EQ(statistic("tx_errors_mtu_violation"), 4u);
}

TEST_F(TxEngine, M53_VportNotConfigured) {
  stop();
  config.ports = 3;
  device_id = {};
  open_two_ports();
  // The offset of the third, which nobody configured.
  EXPECT_EQ(send_frame(a, make_packet({}), {.short_offset = static_cast<int>(b.vport_offset) + 1}),
            40);
  EXPECT_EQ(statistic("tx_errors_vport_disabled"), 1u);
}

TEST_F(TxEngine, ShortFrames) {
  EXPECT_EQ(send_frame(a, Bytes(13)), 37);
  Bytes tiny(14);
  tiny[0] = 0xFF;
  EXPECT_EQ(send_frame(a, tiny), 32);
  EXPECT_EQ(next_received(b)->frame, tiny) << "nobody pads";
}

TEST_F(TxEngine, QueuesTakeTurns) {
  a.sqs.push_back(*create_queue(wire::WqType::kSq, a));
  for (int i = 0; i < 60; i++)
    a.sqs[0].wq.post(make_wqe(tx_wqe(a, a.sqs[0], make_packet({}), {})));
  a.sqs[1].wq.post(make_wqe(tx_wqe(a, a.sqs[1], make_packet({}), {})));
  ring_sq(a.sqs[0].wq);
  ring_sq(a.sqs[1].wq);
  // The short queue is done before the long one.
  std::vector<int> order;
  host.on_access = [&](const FakeHost::Access& access) {
    if (!access.is_write || access.length != 1)
      return;
    for (int i = 0; i < 2; i++) {
      if (access.address / 4096 == a.sqs[static_cast<size_t>(i)].cq.address() / 4096)
        order.push_back(i);
    }
  };
  run();
  host.on_access = nullptr;
  ASSERT_EQ(order.size(), 61u);
  EXPECT_NE(order.back(), 1);
}

// ---- LSO ----

class Lso : public TxEngine {
 protected:
  struct Case {
    int family = 4;
    uint32_t payload = 5000;
    uint32_t mss = 1000;
    int tci = -1;
    int tag = -1;
    uint8_t flags = 0x99;  // CWR, ACK, PSH, FIN
  };
  SendSpec spec_for(const PacketSpec& packet, const Case& c) {
    SendSpec spec{.flags =
                      (c.family == 4 ? kIpv4 | kIpChecksum : kIpv6 | kIpChecksum) | kTcpChecksum};
    spec.transport_offset = l4_offset(packet);
    spec.mss = c.mss;
    spec.header = header_bytes(packet);
    spec.tci = c.tci;
    return spec;
  }
  void check(const Case& c) {
    PacketSpec packet{.family = c.family,
                      .payload = c.payload,
                      .seed = Seed::kLso,
                      .tcp_flags = c.flags,
                      .tag = c.tag};
    const Bytes whole = make_packet(packet);
    ASSERT_EQ(send_frame(a, whole, spec_for(packet, c)), 32);
    const uint32_t header = header_bytes(packet) - (c.tag >= 0 ? 4 : 0);
    const uint32_t l4 = l4_offset(packet) - (c.tag >= 0 ? 4 : 0);
    const Bytes payload = slice(whole, header_bytes(packet), whole.size());
    uint32_t done = 0;
    for (uint32_t i = 0; done < c.payload; i++) {
      const auto received = next_received(b);
      ASSERT_TRUE(received) << i;
      const Bytes& segment = received->frame;
      const uint32_t size = std::min(c.mss, c.payload - done);
      ASSERT_EQ(segment.size(), header + size);
      EXPECT_TRUE(checksums_are_right(segment)) << i;
      EXPECT_EQ(slice(segment, header, segment.size()), slice(payload, done, done + size));
      EXPECT_EQ(get32(segment, l4 + 4), packet.sequence + done);
      const bool first = done == 0;
      const bool last = done + size == c.payload;
      EXPECT_EQ(segment[l4 + 13],
                0x10 | (first ? 0x80 & c.flags : 0) | (last ? c.flags & 0x09 : 0));
      if (c.family == 4) {
        EXPECT_EQ(get16(segment, 18), (0xFFFE + i) & 0xFFFF);
        EXPECT_EQ(get16(segment, 16), segment.size() - 14);
      } else {
        EXPECT_EQ(get16(segment, 18), segment.size() - 54);
      }
      EXPECT_EQ(wire::RxCqe::VlanPresent::get(received->cqe.flags), c.tci >= 0 || c.tag >= 0);
      EXPECT_TRUE(wire::RxCqe::TcpGood::get(received->cqe.flags));
      EXPECT_EQ(segment[l4 + 20], 1) << "options are repeated";
      done += size;
    }
    EXPECT_FALSE(next_received(b));
    post_buffers(b, 0, 16);
    arm(b.rqs[0].cq, false);
    arm(a.sqs[0].cq, false);
  }
};

TEST_F(Lso, M50_Segments) {
  for (const int family : {4, 6}) {
    check({.family = family});
    check({.family = family, .payload = 5001});
    check({.family = family, .payload = 1000});
    check({.family = family, .payload = 999});
    check({.family = family, .payload = 1});
    check({.family = family, .payload = 13, .mss = 1});
    check({.family = family, .payload = 15000, .mss = 1428});
  }
}

TEST_F(Lso, M50_FlagsAndTags) {
  check({.flags = 0x10});
  check({.flags = 0x18});
  check({.flags = 0x91});
  check({.tci = 0x6064});
  check({.family = 6, .tag = 100});
}

TEST_F(Lso, M50_OnTheWire) {
  stop();
  config.external_ports = 1;
  device_id = {};
  open_two_ports();
  PacketSpec packet{.payload = 3000, .seed = Seed::kLso};
  ASSERT_EQ(send_frame(a, make_packet(packet), spec_for(packet, {.tci = 9})), 32);
  ASSERT_EQ(host.transmitted.size(), 3u);
  Bytes payload;
  for (auto& sent : host.transmitted) {
    EXPECT_EQ(get16(sent.frame, 12), 0x8100);
    EXPECT_EQ(get16(sent.frame, 14), 9);
    Bytes untagged = slice(sent.frame, 0, 12);
    untagged.insert(untagged.end(), sent.frame.begin() + 16, sent.frame.end());
    EXPECT_TRUE(checksums_are_right(untagged));
    payload.insert(payload.end(), untagged.begin() + header_bytes(packet), untagged.end());
  }
  const Bytes whole = make_packet(packet);
  EXPECT_EQ(payload, slice(whole, header_bytes(packet), whole.size()));
}

TEST_F(Lso, M50_SixtyFourKilobytes) {
  PacketSpec packet{.payload = 65535, .seed = Seed::kLso};
  SendSpec spec = spec_for(packet, {.mss = 1448});
  spec.pieces = {17000, 17000, 17000};
  EXPECT_EQ(send_frame(a, make_packet(packet), spec), 32);
  EXPECT_EQ(port_statistic(0, "tx_lso_segments"), 46u);
  EXPECT_EQ(port_statistic(1, "rx_packets"), 16u) << "as many as there were buffers";
  EXPECT_EQ(port_statistic(1, "rx_dropped_no_wqe"), 30u);
}

TEST_F(Lso, M60_V5_TheLargestPacket) {
  PacketSpec packet{.payload = 1000, .seed = Seed::kLso};
  SendSpec send = spec_for(packet, {.mss = 1448});
  send.pieces = {100, 100};
  WqeSpec spec = tx_wqe(a, a.sqs[0], make_packet(packet), send);
  spec.sges[3].size = 128 * 1024 - 200 - spec.sges[0].size;
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 32);
  spec.sges[3].size++;
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 34);
  spec.sges[2].size = spec.sges[3].size = 0xFFFFFFFF;
  EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 34);
}

TEST_F(Lso, M50_V13_LayoutsThatDisableTheQueue) {
  PacketSpec packet{.payload = 3000, .seed = Seed::kLso};
  const Bytes frame = make_packet(packet);
  const auto expect_disabled = [&](auto&& change) {
    WqeSpec spec = tx_wqe(a, a.sqs[0], frame, spec_for(packet, {}));
    change(spec);
    EXPECT_EQ(send_wqe(a.sqs[0], make_wqe(spec)), 42);
    ASSERT_TRUE(destroy_queue(wire::WqType::kSq, a.sqs[0]).ok());
    a.sqs[0] = *create_queue(wire::WqType::kSq, a);
  };
  expect_disabled([](WqeSpec& spec) { spec.client_data_unit = 0; });
  expect_disabled([](WqeSpec& spec) { spec.sges.pop_back(); });
  expect_disabled([](WqeSpec& spec) { spec.last_vbytes++; });
  expect_disabled([](WqeSpec& spec) { spec.last_vbytes = 0; });
  expect_disabled([](WqeSpec& spec) {
    spec.sges[0].size = 256;
    spec.last_vbytes = 0;
  });
  expect_disabled([](WqeSpec& spec) {
    spec.sges[0].size = 256 + 66;
    spec.last_vbytes = 66;
  });
}

TEST_F(Lso, M50_V13_V14_HeadersThatDoNotMatch) {
  PacketSpec packet{.payload = 3000, .seed = Seed::kLso};
  const auto sent = [&](const PacketSpec& p, auto&& change) {
    SendSpec spec = spec_for(p, {.family = p.family});
    change(spec);
    return send_frame(a, make_packet(p), spec);
  };
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.header -= 4; }), 35) << "options cut off";
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.header += 4; }), 35) << "payload in the headers";
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.header = 10; }), 35);
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.transport_offset = 0; }), 35);
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.transport_offset = 1023; }), 35);
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.flags &= ~kTcpChecksum; }), 35);
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.flags ^= kIpv4 | kIpv6; }), 35);
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.flags &= ~kIpv4; }), 35);
  packet.protocol = 17;
  EXPECT_EQ(sent(packet, [](SendSpec&) {}), 35) << "UDP is not segmented";
  packet.family = 0;
  EXPECT_EQ(sent(packet, [](SendSpec& s) { s.header = 60; }), 35);
  EXPECT_FALSE(next_received(b));
}

TEST_F(Lso, M50_SegmentsAboveTheMtu) {
  PacketSpec packet{.payload = 3000, .seed = Seed::kLso};
  EXPECT_EQ(send_frame(a, make_packet(packet), spec_for(packet, {.mss = 1449})), 34);
  EXPECT_EQ(send_frame(a, make_packet(packet), spec_for(packet, {.mss = 1448})), 32);
}

}  // namespace
}  // namespace mana::test
