// SPDX-License-Identifier: GPL-2.0
// The traffic generator behind the ports.
#include "scripted_driver.h"

#include "model/load.h"

namespace mana::test {
namespace {

using model::LoadTcp;

constexpr uint32_t kIp = 14;
constexpr uint32_t kL4 = 34;
constexpr uint32_t kLater = 1000;  // ns, between bursts

class Load : public ScriptedDriver {
 protected:
  void SetUp() override { open_two_ports(); }

  void start(uint64_t frames) {
    write(model::Load::kTrigger, frames, 8);
    run();
  }
  std::vector<Bytes> arrived(Port& port) {
    std::vector<Bytes> frames;
    while (auto received = next_received(port))
      frames.push_back(received->frame);
    return frames;
  }
  uint64_t report(const std::string& name) {
    const std::string text = control("load");
    const size_t at = text.find("\"" + name + "\":");
    return at == std::string::npos ? ~0ull : std::stoull(text.substr(at + name.size() + 3));
  }
};

TEST_F(Load, SendsBurstsAtIntervals) {
  ASSERT_EQ(control("load 0 udp 64 burst 3 interval 1000"), "ok");
  start(7);
  EXPECT_EQ(arrived(a).size(), 3u);
  EXPECT_EQ(read(model::Load::kTrigger, 8), 4u);
  pass_time(kLater - 1);
  EXPECT_TRUE(arrived(a).empty());
  pass_time(1);
  EXPECT_EQ(arrived(a).size(), 3u);
  pass_time(kLater);
  EXPECT_EQ(arrived(a).size(), 1u);
  pass_time(kLater);
  EXPECT_TRUE(arrived(a).empty());
  EXPECT_TRUE(arrived(b).empty());
  EXPECT_EQ(report("sent"), 7u);
  EXPECT_EQ(report("remaining"), 0u);
}

TEST_F(Load, MakesGoodUdpFrames) {
  ASSERT_EQ(control("load 1 udp 80 burst 8 flows 3"), "ok");
  start(5);
  const auto frames = arrived(b);
  ASSERT_EQ(frames.size(), 5u);
  for (size_t i = 0; i < frames.size(); i++) {
    EXPECT_EQ(frames[i].size(), 80u);
    EXPECT_EQ(slice(frames[i], 0, 6), b.mac);
    EXPECT_TRUE(checksums_are_right(frames[i]));
    EXPECT_EQ(get32(frames[i], kIp + 12), 0xC6120102u);  // 198.18.1.2
    EXPECT_EQ(get32(frames[i], kIp + 16), 0xC6120101u);
    EXPECT_EQ(get16(frames[i], kL4), model::kLoadUdpSource + i % 3);
    EXPECT_EQ(get16(frames[i], kL4 + 2), model::kLoadUdpPort);
  }
}

TEST_F(Load, ForAnotherPortsNetwork) {
  ASSERT_EQ(control("load 0 udp 64 to 1"), "ok");
  start(1);
  const auto frames = arrived(a);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(slice(frames[0], 0, 6), a.mac);
  EXPECT_EQ(get32(frames[0], kIp + 16), 0xC6120102u);
  EXPECT_TRUE(checksums_are_right(frames[0]));
}

TEST_F(Load, TakesWhatTheGuestSends) {
  ASSERT_EQ(control("load 0 sink"), "ok");
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_TRUE(arrived(b).empty());
  EXPECT_TRUE(arrived(a).empty());
  EXPECT_EQ(report("sunk"), 1u);
  ASSERT_EQ(control("load 0 off"), "ok");
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_EQ(arrived(b).size(), 1u);
}

TEST_F(Load, Echoes) {
  ASSERT_EQ(control("load 0 echo"), "ok");
  const Bytes sent = make_packet({.protocol = 17});
  EXPECT_EQ(send_frame(a, sent), 32);
  EXPECT_EQ(send_frame(a, make_packet({.protocol = 6})), 32);
  const auto frames = arrived(a);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(checksums_are_right(frames[0]));
  EXPECT_EQ(slice(frames[0], 0, 6), slice(sent, 6, 12));
  EXPECT_EQ(get32(frames[0], kIp + 12), get32(sent, kIp + 16));
  EXPECT_EQ(get16(frames[0], kL4), get16(sent, kL4 + 2));
  EXPECT_EQ(slice(frames[0], kL4 + 8, frames[0].size()), slice(sent, kL4 + 8, sent.size()));
}

TEST_F(Load, CountsWhatFindsNoBuffer) {
  ASSERT_EQ(control("load 0 udp 64 burst 64"), "ok");
  start(20);  // there are 16 buffers
  EXPECT_EQ(arrived(a).size(), 16u);
  EXPECT_EQ(report("refused"), 4u);
}

TEST_F(Load, RefusesNonsense) {
  for (const char* line :
       {"load 2 udp 64", "load 0", "load 0 icmp 64", "load 0 udp", "load 0 udp 41",
        "load 0 udp 10000", "load 0 udp 64 burst 0", "load 0 udp 64 burst 5000",
        "load 0 udp 64 flows 0", "load 0 udp 64 to 2", "load 0 udp 64 speed 3",
        "load 0 udp 64 burst", "load 0 tcp 0", "load 0 tcp 9217", "load 0 off now"})
    EXPECT_EQ(control(line), "<failed>") << line;
}

TEST_F(Load, TheTriggerIsNothingWithoutIt) {
  const uint64_t ignored = statistic("ignored");
  start(5);
  EXPECT_EQ(statistic("ignored"), ignored + 1);
  EXPECT_EQ(read(model::Load::kTrigger, 8), ~0ull);
  EXPECT_TRUE(arrived(a).empty());
}

class ExternalLoad : public Load {
 protected:
  void SetUp() override {
    config.external_ports = 1;
    open_two_ports();
  }
};

TEST_F(ExternalLoad, GoesThroughTheBackend) {
  ASSERT_EQ(control("load 0 udp 64 burst 2"), "ok");
  start(2);
  ASSERT_EQ(host.transmitted.size(), 2u);
  EXPECT_EQ(host.transmitted[0].port, 0u);
  EXPECT_TRUE(checksums_are_right(host.transmitted[0].frame));
  EXPECT_TRUE(arrived(a).empty());
  EXPECT_TRUE(receive(0, make_packet({})));
  EXPECT_TRUE(arrived(a).empty());
  EXPECT_EQ(report("sunk"), 1u);
}

class LoadTcpPeer : public Load {
 protected:
  static constexpr uint32_t kSequence = 5000;
  static constexpr uint32_t kScale = 2;

  void SetUp() override {
    Load::SetUp();
    ASSERT_EQ(control("load 0 tcp 100 timestamps burst 8 interval 1000"), "ok");
  }
  // A segment of the guest's; `window` in bytes.
  Bytes segment(uint8_t flags, uint32_t sequence, uint32_t acknowledged, uint32_t window,
                uint32_t payload = 0) {
    Bytes frame = make_packet({.payload = payload,
                               .sequence = sequence,
                               .tcp_flags = flags,
                               .tcp_options = flags & LoadTcp::kSyn ? 16u : 0u});
    put32(frame, kL4 + 8, acknowledged);
    put16(frame, kL4 + 14, window >> (flags & LoadTcp::kSyn ? 0 : kScale));
    if (flags & LoadTcp::kSyn) {
      const Bytes options = {1, 3, 3, kScale, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0};
      std::copy(options.begin(), options.end(), frame.begin() + kL4 + 20);
    }
    return frame;
  }
  Bytes exchange_one(const Bytes& frame) {
    EXPECT_EQ(send_frame(a, frame), 32);
    const auto frames = arrived(a);
    EXPECT_EQ(frames.size(), 1u);
    return frames.empty() ? Bytes(100) : frames[0];
  }
  // The peer's next sequence number.
  uint32_t connect(uint32_t window) {
    const Bytes answer = exchange_one(segment(LoadTcp::kSyn, kSequence, 0, 1000));
    EXPECT_EQ(answer[kL4 + 13], LoadTcp::kSyn | LoadTcp::kAck);
    EXPECT_EQ(get32(answer, kL4 + 8), kSequence + 1);
    EXPECT_TRUE(checksums_are_right(answer));
    const uint32_t next = get32(answer, kL4 + 4) + 1;
    EXPECT_EQ(send_frame(a, segment(LoadTcp::kAck, kSequence + 1, next, window)), 32);
    EXPECT_TRUE(arrived(a).empty());
    return next;
  }
};

TEST_F(LoadTcpPeer, SendsAsFarAsTheWindowGoes) {
  const uint32_t next = connect(400);
  start(6);
  auto frames = arrived(a);
  ASSERT_EQ(frames.size(), 4u);
  for (uint32_t i = 0; i < 4; i++) {
    EXPECT_EQ(frames[i].size(), kL4 + 32 + 100);
    EXPECT_EQ(get32(frames[i], kL4 + 4), next + 100 * i);
    EXPECT_EQ(frames[i][kL4 + 13], LoadTcp::kAck);
    // The answer to the SYN had longer headers in the same buffer.
    EXPECT_TRUE(checksums_are_right(frames[i]));
  }
  pass_time(kLater);
  EXPECT_TRUE(arrived(a).empty());
  EXPECT_EQ(send_frame(a, segment(LoadTcp::kAck, kSequence + 1, next + 400, 1000)), 32);
  pass_time(kLater);
  frames = arrived(a);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(get32(frames[0], kL4 + 4), next + 400);
  EXPECT_EQ(report("remaining"), 0u);
}

TEST_F(LoadTcpPeer, AcknowledgesOnceForAllThatCameTogether) {
  connect(1000);
  for (uint32_t i = 0; i < 3; i++) {
    a.sqs[0].wq.post(make_wqe(tx_wqe(
        a, a.sqs[0], segment(LoadTcp::kAck, kSequence + 1 + 50 * i, 0, 1000, 50), SendSpec{})));
  }
  ring_sq(a.sqs[0].wq);
  run();
  const auto frames = arrived(a);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0][kL4 + 13], LoadTcp::kAck);
  EXPECT_EQ(get32(frames[0], kL4 + 8), kSequence + 1 + 150);
}

TEST_F(LoadTcpPeer, EndsWithTheGuest) {
  const uint32_t next = connect(1000);
  const Bytes answer =
      exchange_one(segment(LoadTcp::kFin | LoadTcp::kAck, kSequence + 1, next, 1000));
  EXPECT_EQ(answer[kL4 + 13], LoadTcp::kFin | LoadTcp::kAck);
  EXPECT_EQ(get32(answer, kL4 + 8), kSequence + 2);
  start(3);
  EXPECT_TRUE(arrived(a).empty()) << "to nobody";
}

TEST_F(LoadTcpPeer, ForgetsAConnectionThatWasReset) {
  const uint32_t next = connect(1000);
  EXPECT_EQ(send_frame(a, segment(LoadTcp::kRst, kSequence + 1, next, 1000)), 32);
  start(3);
  EXPECT_TRUE(arrived(a).empty());
}

TEST_F(LoadTcpPeer, LosesNothingForLackOfBuffers) {
  connect(4000);
  start(40);  // there are 16 buffers, one of them used by the answer to the SYN
  pass_time(kLater);
  pass_time(kLater);
  auto frames = arrived(a);
  EXPECT_EQ(frames.size(), 15u);
  post_buffers(a, 0, 16);
  pass_time(kLater);
  const auto more = arrived(a);
  ASSERT_FALSE(more.empty());
  EXPECT_EQ(get32(more[0], kL4 + 4), get32(frames.back(), kL4 + 4) + 100);
}

}  // namespace
}  // namespace mana::test
