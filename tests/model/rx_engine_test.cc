// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

#include "model/toeplitz.h"

namespace mana::test {
namespace {

using wire::RxCqe;
using wire::TriState;

constexpr uint32_t kGoodBad = RxCqe::IpGood::kMask | RxCqe::IpBad::kMask | RxCqe::TcpGood::kMask |
                              RxCqe::TcpBad::kMask | RxCqe::UdpGood::kMask | RxCqe::UdpBad::kMask |
                              RxCqe::OuterIpGood::kMask | RxCqe::OuterIpBad::kMask;

class RxEngine : public ScriptedDriver {
 protected:
  void SetUp() override { open_two_ports(); }
  std::optional<Received> transfer(const Bytes& frame) {
    EXPECT_EQ(send_frame(a, frame), 32);
    return next_received(b);
  }
  uint32_t checksum_flags(const Bytes& frame) {
    const auto received = transfer(frame);
    return received ? received->cqe.flags & kGoodBad : 0xFFFFFFFF;
  }
};

TEST_F(RxEngine, M54_OneWqeForEachPacketInOrder) {
  for (uint32_t i = 0; i < 10; i++) {
    const Bytes frame = make_packet({.payload = 50 + i});
    const auto received = transfer(frame);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->cqe.type(), wire::RxCqeType::kOk);
    EXPECT_EQ(RxCqe::ClientType::get(received->cqe.dw0), 1u);
    EXPECT_EQ(RxCqe::VendorError::get(received->cqe.dw0), 0u);
    EXPECT_EQ(received->frame, frame);
    EXPECT_EQ(received->cqe.wqe_offset, i * 32);
    for (int info = 1; info < 4; info++) {
      EXPECT_EQ(received->cqe.packets[info].length, 0);
      EXPECT_EQ(received->cqe.packets[info].hash, 0u);
    }
    EXPECT_EQ(received->cqe.packets[0].reserved0, 0);
    EXPECT_EQ(received->cqe.packets[0].reserved1, 0u);
    // Not a byte further.
    EXPECT_EQ(*host.at(b.buffers[0][i] + frame.size()), 0xEE);
  }
}

TEST_F(RxEngine, M54_SeveralSges) {
  b = open_port(1, 1, 0);
  Queue& rq = b.rqs[0];
  const uint64_t memory = host.take_pages(8192);
  std::memset(host.at(memory), 0xEE, 8192);
  std::vector<wire::Sge> sges;
  for (uint64_t i = 0; i < 15; i++)
    sges.push_back({memory + (14 - i) * 256, mkey, 100});
  rq.wq.post(make_wqe({.sges = sges}));
  ring_rq(rq.wq);
  const Bytes frame = make_packet({.payload = 1200});
  EXPECT_EQ(send_frame(a, frame), 32);
  const auto cqe = rq.cq.next();
  ASSERT_TRUE(cqe);
  for (uint64_t i = 0; i * 100 < frame.size(); i++) {
    const size_t end = std::min<size_t>(frame.size(), (i + 1) * 100);
    EXPECT_EQ(host.bytes(sges[i].address, end - i * 100), slice(frame, i * 100, end));
    EXPECT_EQ(*host.at(sges[i].address + 100), 0xEE);
  }
}

TEST_F(RxEngine, M54_StripsAndReportsVlan) {
  const auto received = transfer(make_packet({.tag = 0xE123}));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, make_packet({}));
  EXPECT_EQ(RxCqe::VlanPresent::get(received->cqe.flags), 1u);
  EXPECT_EQ(RxCqe::VlanId::get(received->cqe.flags), 0x123u);
  const auto untagged = transfer(make_packet({}));
  EXPECT_EQ(untagged->cqe.flags & 0x1FFF, 0u);
}

TEST_F(RxEngine, M55_GoodChecksums) {
  const uint32_t ip = RxCqe::IpGood::kMask;
  EXPECT_EQ(checksum_flags(make_packet({})), ip | RxCqe::TcpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.protocol = 17})), ip | RxCqe::UdpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.family = 6})), ip | RxCqe::TcpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.family = 6, .protocol = 17})), ip | RxCqe::UdpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.ip_options = 12})), ip | RxCqe::TcpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.payload = 0, .padding = 9})), ip | RxCqe::TcpGood::kMask);
  EXPECT_EQ(checksum_flags(make_packet({.protocol = 1})), ip) << "ICMP";
  EXPECT_EQ(checksum_flags(make_packet({.fragment = true})), ip);
  EXPECT_EQ(checksum_flags(make_packet({.family = 0})), 0u);
  EXPECT_EQ(checksum_flags(make_packet({.protocol = 17, .udp_no_checksum = true})), ip);
}

TEST_F(RxEngine, M55_BadChecksums) {
  for (const int family : {4, 6}) {
    for (const int protocol : {6, 17}) {
      Bytes frame = make_packet({.family = family, .protocol = protocol});
      frame.back() ^= 1;
      EXPECT_EQ(
          checksum_flags(frame),
          RxCqe::IpGood::kMask | (protocol == 6 ? RxCqe::TcpBad::kMask : RxCqe::UdpBad::kMask));
    }
  }
  Bytes frame = make_packet({});
  frame[22]--;  // time to live
  EXPECT_EQ(checksum_flags(frame), static_cast<uint32_t>(RxCqe::IpBad::kMask));
  EXPECT_EQ(port_statistic(1, "rx_checksum_bad"), 5u);
}

TEST_F(RxEngine, M56_Truncated) {
  b = open_port(1, 1, 3, 100);
  const Bytes frame = make_packet({.payload = 200});
  EXPECT_EQ(send_frame(a, frame), 32);
  const auto cqe = b.rqs[0].cq.next();
  ASSERT_TRUE(cqe);
  RxCqe rx;
  std::memcpy(&rx, &*cqe, sizeof(rx));
  EXPECT_EQ(rx.type(), wire::RxCqeType::kTruncated);
  EXPECT_EQ(rx.packets[0].length, frame.size());
  EXPECT_EQ(*host.at(b.buffers[0][0] + 99), frame[99]);
  EXPECT_EQ(*host.at(b.buffers[0][0] + 100), 0xEE);
  b.consumed[0]++;
  // One WQE was used.
  const Bytes fits = make_packet({.payload = 34});
  ASSERT_EQ(fits.size(), 100u);
  EXPECT_EQ(transfer(fits)->frame, fits);
  EXPECT_EQ(port_statistic(1, "rx_truncated"), 1u);
}

TEST_F(RxEngine, M57_NoWqe) {
  for (int i = 0; i < 20; i++)
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_EQ(port_statistic(1, "rx_packets"), 16u);
  EXPECT_EQ(port_statistic(1, "rx_dropped_no_wqe"), 4u);
  EXPECT_EQ(statistic("rx_discards_no_wqe"), 4u);
  post_buffers(b, 0, 1);
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_EQ(port_statistic(1, "rx_packets"), 17u);
}

TEST_F(RxEngine, M57_Disabled) {
  ASSERT_TRUE(steer(b, TriState::kOff).ok());
  EXPECT_FALSE(transfer(make_packet({})));
  EXPECT_EQ(statistic("rx_errors_vport_disabled"), 1u);
  ASSERT_TRUE(steer(b, TriState::kOn).ok());
  EXPECT_TRUE(transfer(make_packet({})));
}

TEST_F(RxEngine, M58_NoCoalescingWhereItIsNotOffered) {
  // Asked for, it still is one packet, one completion, and an answer of the first version.
  wire::ConfigVportRxRequest message = {};
  message.vport = b.handle;
  message.rx_enable = message.rss_enable = TriState::kUnchanged;
  message.coalesce_4 = 1;
  message.coalesce_8 = 1;
  const Response response = command(wire::Command::kConfigVportRx, message, 2, 5);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.header.response.version, 1);
  Queue& sq = a.sqs[0];
  for (int i = 0; i < 8; i++)
    sq.wq.post(make_wqe(tx_wqe(a, sq, make_packet({}), {})));
  ring_sq(sq.wq);
  run();
  for (int i = 0; i < 8; i++) {
    const auto received = next_received(b);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->cqe.type(), wire::RxCqeType::kOk);
  }
}

// The key and the values that every RSS implementation is tested with.
constexpr uint8_t kKey[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                              0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                              0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                              0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

TEST(Toeplitz, M59_KnownVectors) {
  model::Toeplitz toeplitz;
  toeplitz.set_key(kKey);
  const u8 v4[] = {66,  9,  149,       187,         161,       142,
                   100, 80, 2794 >> 8, 2794 & 0xFF, 1766 >> 8, 1766 & 0xFF};
  EXPECT_EQ(toeplitz.hash({v4, 8}), 0x323e8fc2u);
  EXPECT_EQ(toeplitz.hash({v4, 12}), 0x51ccc178u);
  const u8 v6[] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,      0x1f,        0xff,      0,
                   0,    0,    0,    0,    0,    0,         7,           0x3f,      0xfe,
                   0x25, 0x01, 0x02, 0x00, 0x00, 0x03,      0,           0,         0,
                   0,    0,    0,    0,    1,    2794 >> 8, 2794 & 0xFF, 1766 >> 8, 1766 & 0xFF};
  EXPECT_EQ(toeplitz.hash({v6, 32}), 0x2cc18cd5u);
  EXPECT_EQ(toeplitz.hash({v6, 36}), 0x40207d3du);
}

class Rss : public RxEngine {
 protected:
  void SetUp() override {
    bring_up();
    a = open_port(0);
    b = open_port(1, 4, 64);
    set_key(kKey);
  }
  void set_key(const uint8_t (&key)[40], uint16_t hash_types = 0) {
    wire::ConfigVportRxRequest message = {};
    message.vport = b.handle;
    message.rx_enable = TriState::kUnchanged;
    message.rss_enable = TriState::kOn;
    message.update_hash_key = 1;
    std::memcpy(message.hash_key, key, 40);
    message.hash_types = hash_types;
    ASSERT_TRUE(command(wire::Command::kConfigVportRx, message, 1, hash_types != 0 ? 5 : 2).ok());
  }
  // Which queue got it.
  int queue_of(const Bytes& frame, Received* out = nullptr) {
    EXPECT_EQ(send_frame(a, frame), 32);
    for (uint32_t i = 0; i < 4; i++) {
      if (auto received = next_received(b, i)) {
        if (out)
          *out = *received;
        return static_cast<int>(i);
      }
    }
    return -1;
  }
  uint32_t expected_hash(const PacketSpec& spec, bool ports) {
    model::Toeplitz toeplitz;
    toeplitz.set_key(kKey);
    const Bytes frame = make_packet(spec);
    Bytes input = spec.family == 4 ? slice(frame, 26, 34) : slice(frame, 22, 54);
    if (ports) {
      const size_t l4 = l4_offset(spec);
      input.insert(input.end(), frame.begin() + static_cast<long>(l4),
                   frame.begin() + static_cast<long>(l4) + 4);
    }
    return toeplitz.hash({input.data(), input.size()});
  }
};

TEST_F(Rss, M59_HashTypeAndValueAreReported) {
  struct {
    PacketSpec spec;
    uint32_t type;
    bool ports;
  } cases[] = {
      {{}, wire::hash::kTcpIpv4, true},
      {{.protocol = 17}, wire::hash::kUdpIpv4, true},
      {{.family = 6}, wire::hash::kTcpIpv6, true},
      {{.family = 6, .protocol = 17}, wire::hash::kUdpIpv6, true},
      {{.protocol = 1}, wire::hash::kIpv4, false},
      {{.family = 6, .protocol = 58}, wire::hash::kIpv6, false},
      {{.fragment = true}, wire::hash::kIpv4, false},
  };
  for (const auto& c : cases) {
    Received received;
    ASSERT_GE(queue_of(make_packet(c.spec), &received), 0);
    EXPECT_EQ(RxCqe::HashType::get(received.cqe.flags), c.type);
    EXPECT_EQ(received.cqe.packets[0].hash, expected_hash(c.spec, c.ports));
  }
}

TEST_F(Rss, M59_TheTableDecides) {
  std::vector<uint64_t> table;
  for (uint32_t i = 0; i < 128; i++)
    table.push_back(b.rqs[(i * 7 + i / 5) % 4].object);
  ASSERT_TRUE(steer(b, TriState::kOn, TriState::kOn, table).ok());
  int used[4] = {};
  for (uint16_t i = 0; i < 60; i++) {
    const PacketSpec spec{.source_port = static_cast<uint16_t>(1000 + i)};
    const uint32_t entry = expected_hash(spec, true) % 128;
    const int queue = queue_of(make_packet(spec));
    ASSERT_EQ(queue, static_cast<int>((entry * 7 + entry / 5) % 4)) << i;
    used[queue]++;
  }
  for (const int count : used)
    EXPECT_GT(count, 0);
}

TEST_F(Rss, M59_NotHashable) {
  std::vector<uint64_t> table(128, b.rqs[2].object);
  ASSERT_TRUE(steer(b, TriState::kOn, TriState::kOn, table).ok());
  EXPECT_EQ(queue_of(make_packet({})), 2);
  Received received;
  EXPECT_EQ(queue_of(make_packet({.family = 0}), &received), 0) << "the default object";
  EXPECT_EQ(RxCqe::HashType::get(received.cqe.flags), 0u);
  EXPECT_EQ(received.cqe.packets[0].hash, 0u);
  // RSS off: everything goes to the default.
  ASSERT_TRUE(steer(b, TriState::kOn, TriState::kOff).ok());
  EXPECT_EQ(queue_of(make_packet({}), &received), 0);
  EXPECT_EQ(RxCqe::HashType::get(received.cqe.flags), 0u);
}

TEST_F(Rss, M59_EnabledTypes) {
  set_key(kKey, wire::hash::kIpv4);
  Received received;
  ASSERT_GE(queue_of(make_packet({}), &received), 0);
  EXPECT_EQ(RxCqe::HashType::get(received.cqe.flags), wire::hash::kIpv4);
  EXPECT_EQ(received.cqe.packets[0].hash, expected_hash({}, false));
  ASSERT_GE(queue_of(make_packet({.family = 6}), &received), 0);
  EXPECT_EQ(RxCqe::HashType::get(received.cqe.flags), 0u);
}

TEST_F(Rss, M59_AnotherKeyAnotherHash) {
  uint8_t key[40];
  std::memcpy(key, kKey, 40);
  key[0] ^= 0x80;
  set_key(key);
  Received received;
  ASSERT_GE(queue_of(make_packet({}), &received), 0);
  EXPECT_NE(received.cqe.packets[0].hash, expected_hash({}, true));
}

class BadRxWqe : public RxEngine {
 protected:
  // The RQ goes out of order, the sender and other ports do not notice.
  void expect_disabled(const WqeSpec& spec) {
    b = open_port(1, 1, 0);
    b.rqs[0].wq.post(make_wqe(spec));
    ring_rq(b.rqs[0].wq);
    post_buffers(b, 0, 1);
    const uint64_t before = statistic("queues_disabled");
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
    EXPECT_FALSE(b.rqs[0].cq.next());
    EXPECT_EQ(statistic("queues_disabled"), before + 1);
    EXPECT_TRUE(fence(b.rqs[0]).ok()) << "the fence has its own way";
    EXPECT_TRUE(b.rqs[0].cq.next());
    EXPECT_TRUE(destroy_queue(wire::WqType::kRq, b.rqs[0]).ok());
    EXPECT_TRUE(destroy_queue(wire::WqType::kSq, b.sqs[0]).ok());
  }
};

TEST_F(BadRxWqe, V4_V5_DisablesTheRq) {
  const uint64_t buffer = host.take_pages(4096);
  expect_disabled({.sges = {{buffer, mkey, 1514}}, .sge_count = 0});
  expect_disabled({.sges = {{buffer, mkey, 1514}}, .sge_count = 16});
  expect_disabled({.sges = {{buffer, mkey, 1514}}, .oob_code = 6});
  expect_disabled({.sges = {{buffer, mkey, 0}}});
  expect_disabled({.sges = {{buffer, mkey + 1, 1514}}});
  expect_disabled({.sges = {{0x1000, mkey, 1514}}});
}

}  // namespace
}  // namespace mana::test
