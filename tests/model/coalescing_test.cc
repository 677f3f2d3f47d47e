// SPDX-License-Identifier: GPL-2.0
// rx_engine.cc: several received packets in one completion (data sheet 7.8, 8.7.3).
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::RxCqe;
using wire::RxCqeType;
using wire::TriState;

class Coalescing : public ScriptedDriver {
 protected:
  void SetUp() override { prepare("coalescing=8"); }
  void prepare(const std::string& text) {
    options = text;
    open_two_ports();
    post_buffers(b, 0, 32);
  }
  Response ask(uint8_t four, uint8_t eight, uint16_t version = 5) {
    wire::ConfigVportRxRequest message = {};
    message.vport = b.handle;
    message.rx_enable = message.rss_enable = TriState::kUnchanged;
    message.coalesce_4 = four;
    message.coalesce_8 = eight;
    message.update_hash_key = 1;
    std::memset(message.hash_key, 0x6D, sizeof(message.hash_key));
    message.hash_key[7] = 0x11;
    const Response response = command(wire::Command::kConfigVportRx, message, 2, version);
    EXPECT_TRUE(response.ok());
    return response;
  }
  // All of them in one run of the device.
  void send(const std::vector<Bytes>& frames) {
    Queue& sq = a.sqs[0];
    uint64_t memory = host.take_pages(frames.size() * 4096);
    for (const Bytes& frame : frames) {
      WqeSpec spec = tx_wqe(a, sq, frame, {});
      host.store_bytes(memory, frame);
      spec.sges = {{memory, mkey, static_cast<uint32_t>(frame.size())}};
      sq.wq.post(make_wqe(spec));
      memory += 4096;
    }
    ring_sq(sq.wq);
    run();
  }
  static std::vector<Bytes> packets(size_t count, uint32_t first = 50) {
    std::vector<Bytes> all;
    for (uint32_t i = 0; i < count; i++)
      all.push_back(make_packet({.payload = first + i}));
    return all;
  }
  // The next completion: its type, and its packets as they lie in their buffers.
  int take(std::vector<Bytes>& frames) {
    const auto raw = b.rqs[0].cq.next();
    if (!raw)
      return -1;
    std::memcpy(&cqe, &*raw, sizeof(cqe));
    const bool eight = cqe.type() == RxCqeType::kCoalesced8;
    for (size_t i = 0; i < (eight ? 8 : 4); i++) {
      const auto& pair = cqe.pairs[i / 2];
      const uint32_t length = !eight       ? cqe.packets[i].length
                              : i % 2 == 0 ? pair.length_even
                                           : pair.length_odd;
      if (length == 0)
        break;
      frames.push_back(host.bytes(b.buffers[0].at(b.consumed[0]++), length));
    }
    return static_cast<int>(cqe.type());
  }
  // Types of all completions there are; their packets must be these.
  std::vector<int> types(const std::vector<Bytes>& expected) {
    std::vector<int> all;
    std::vector<Bytes> frames;
    for (int type = take(frames); type >= 0; type = take(frames))
      all.push_back(type);
    EXPECT_EQ(frames, expected);
    return all;
  }
  void window_ends() { pass_time(3000); }

  RxCqe cqe = {};
};

TEST_F(Coalescing, M58_UpToFourInVersion2) {
  const Response response = ask(1, 1, 2);
  EXPECT_EQ(response.header.response.version, 2);
  EXPECT_EQ(response.as<wire::ConfigVportRxResponse>().coalescing_timeout_ns, 2048u);
  const auto frames = packets(10);
  send(frames);
  window_ends();
  EXPECT_EQ(types(frames), (std::vector<int>{2, 2, 2}));
  EXPECT_EQ(port_statistic(1, "rx_coalesced"), 10u);
  EXPECT_EQ(port_statistic(1, "rx_packets"), 10u);
}

TEST_F(Coalescing, M58_UpToEightInVersion5) {
  ask(0, 1);
  const auto frames = packets(19);
  send(frames);
  window_ends();
  EXPECT_EQ(types(frames), (std::vector<int>{7, 7, 7}));
  ask(1, 0);
  const auto more = packets(4, 300);
  send(more);
  EXPECT_EQ(types(more), (std::vector<int>{2})) << "the older form can still be had";
}

TEST_F(Coalescing, M58_OffUntilAskedForAndOffAgain) {
  const auto frames = packets(3);
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{1, 1, 1}));
  ask(1, 0);
  send(frames);
  EXPECT_EQ(types({}), (std::vector<int>{})) << "three wait for a fourth";
  ask(0, 0);
  EXPECT_EQ(types(frames), (std::vector<int>{2})) << "or for the end of it";
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{1, 1, 1}));
}

TEST_F(Coalescing, M58_NoLongerThanTheWindow) {
  ask(1, 0);
  const auto frames = packets(2);
  send(frames);
  pass_time(2047);
  EXPECT_EQ(types({}), (std::vector<int>{}));
  pass_time(1);
  EXPECT_EQ(types(frames), (std::vector<int>{2}));
  send({frames[0]});
  window_ends();
  EXPECT_EQ(types({frames[0]}), (std::vector<int>{1})) << "one is an ordinary completion";
}

TEST_F(Coalescing, M58_FlagsAreThoseOfEveryPacket) {
  ask(1, 0);
  const Bytes tcp = make_packet({});
  const Bytes udp = make_packet({.protocol = 17});
  Bytes bad = tcp;
  bad[l4_offset({}) + 16] ^= 1;
  const std::vector<Bytes> frames = {tcp, tcp, udp, udp, udp, bad, bad, tcp};
  send(frames);
  window_ends();
  std::vector<Bytes> arrived;
  EXPECT_EQ(take(arrived), 2);
  EXPECT_NE(RxCqe::TcpGood::get(cqe.flags), 0u);
  EXPECT_EQ(take(arrived), 2);
  EXPECT_NE(RxCqe::UdpGood::get(cqe.flags), 0u);
  EXPECT_EQ(take(arrived), 2);
  EXPECT_NE(RxCqe::TcpBad::get(cqe.flags), 0u);
  EXPECT_EQ(take(arrived), 1);
  EXPECT_EQ(arrived, frames);
}

TEST_F(Coalescing, M58_EachPacketHasItsHash) {
  ask(0, 1);
  ASSERT_TRUE(
      steer(b, TriState::kUnchanged, TriState::kOn, std::vector<uint64_t>(128, b.rqs[0].object))
          .ok());
  ask(0, 0);
  std::vector<Bytes> frames, arrived;
  for (uint16_t i = 0; i < 8; i++)
    frames.push_back(make_packet({.source_port = i}));
  send(frames);
  uint32_t hashes[8];
  for (uint32_t& hash : hashes) {
    EXPECT_EQ(take(arrived), 1);
    hash = cqe.packets[0].hash;
  }
  EXPECT_NE(hashes[0], hashes[1]);
  ask(0, 1);
  send(frames);
  EXPECT_EQ(take(arrived), 7);
  EXPECT_EQ(RxCqe::HashType::get(cqe.flags), wire::hash::kTcpIpv4);
  for (size_t i = 0; i < 8; i++)
    EXPECT_EQ(i % 2 == 0 ? cqe.pairs[i / 2].hash_even : cqe.pairs[i / 2].hash_odd, hashes[i]);
  ask(1, 0);
  send({frames[0], frames[1], frames[2], frames[3]});
  EXPECT_EQ(take(arrived), 2);
  for (size_t i = 0; i < 4; i++)
    EXPECT_EQ(cqe.packets[i].hash, hashes[i]);
}

TEST_F(Coalescing, M56_WhatDoesNotFitIsAlone) {
  b = open_port(1, 1, 0);
  post_buffers(b, 0, 8, 200);
  ask(1, 0);
  const auto frames = packets(2);
  send({frames[0], make_packet({.payload = 400}), frames[1]});
  window_ends();
  std::vector<Bytes> arrived;
  EXPECT_EQ(take(arrived), 1);
  EXPECT_EQ(take(arrived), 4);
  EXPECT_EQ(take(arrived), 1);
  EXPECT_EQ(arrived[0], frames[0]);
  EXPECT_EQ(arrived[2], frames[1]);
}

TEST_F(Coalescing, M46_FenceIsBehindThePackets) {
  ask(1, 0);
  const auto frames = packets(3);
  send(frames);
  EXPECT_TRUE(fence(b.rqs[0]).ok());
  EXPECT_EQ(types(frames), (std::vector<int>{2, 3}));
}

TEST_F(Coalescing, M44_DestroyedWhilePacketsWait) {
  ask(1, 0);
  send(packets(3));
  EXPECT_TRUE(destroy_queue(wire::WqType::kRq, b.rqs[0]).ok());
  window_ends();
  EXPECT_FALSE(b.rqs[0].cq.next());
}

TEST_F(Coalescing, M45_AnOldDriverSwitchesNothingOff) {
  ask(1, 0);
  wire::ConfigVportRxRequest message = {};
  message.vport = b.handle;
  message.rx_enable = message.rss_enable = TriState::kUnchanged;
  Bytes raw(wire::kConfigVportRxV1Bytes);
  std::memcpy(raw.data(), static_cast<const void*>(&message), raw.size());
  fill_header(raw, wire::Command::kConfigVportRx, 4096, 1, 1);
  ASSERT_TRUE(exchange(raw).ok());
  const auto frames = packets(4);
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{2}));
}

TEST_F(Coalescing, Faults) {
  ask(1, 0);
  const auto frames = packets(4);
  EXPECT_EQ(control("fault rx coalesce 1"), "ok");
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{1, 1, 1, 1}));
  EXPECT_EQ(control("fault clear"), "ok");
  EXPECT_EQ(control("fault rx coalesce 2"), "ok");
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{2, 2}));
  EXPECT_EQ(control("fault clear"), "ok");
  // Lengths that cannot be: the third of four, then the first.
  std::vector<Bytes> arrived;
  EXPECT_EQ(control("fault rx length 60000 x1 skip 2"), "ok");
  send(frames);
  const auto raw = b.rqs[0].cq.next();
  ASSERT_TRUE(raw);
  std::memcpy(&cqe, &*raw, sizeof(cqe));
  EXPECT_EQ(cqe.packets[1].length, frames[1].size());
  EXPECT_EQ(cqe.packets[2].length, 60000);
  EXPECT_EQ(control("fault rx length 0 x1"), "ok");
  send(frames);
  EXPECT_EQ(take(arrived), 2);
  EXPECT_TRUE(arrived.empty());
}

TEST_F(Coalescing, M31_AnEventForEachCompletion) {
  ask(1, 0);
  const uint64_t before = statistic("cqes");
  send(packets(8));
  EXPECT_EQ(statistic("cqes") - before, 8u + 2u) << "eight of the SQ, two of the RQ";
}

class CoalescingOfFour : public Coalescing {
 protected:
  void SetUp() override { prepare("coalescing=4,coalescing-ns=5000"); }
};

TEST_F(CoalescingOfFour, M58_EightAreNotOffered) {
  EXPECT_EQ(ask(1, 1).as<wire::ConfigVportRxResponse>().coalescing_timeout_ns, 5000u);
  const auto frames = packets(6);
  send(frames);
  pass_time(4999);
  EXPECT_EQ(types({frames.begin(), frames.begin() + 4}), (std::vector<int>{2}));
  pass_time(1);
  EXPECT_EQ(types({frames.begin() + 4, frames.end()}), (std::vector<int>{2}));
}

TEST_F(CoalescingOfFour, M58_EightAloneIsNothing) {
  ask(0, 1);
  const auto frames = packets(3);
  send(frames);
  EXPECT_EQ(types(frames), (std::vector<int>{1, 1, 1}));
}

}  // namespace
}  // namespace mana::test
