// SPDX-License-Identifier: GPL-2.0
// M-60: a hostile guest. Deterministic; the sanitizers are the judges.
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class Random {
 public:
  explicit Random(uint64_t seed) : state_{seed * 0x9E3779B97F4A7C15 + 1} {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(next() >> 16) % limit; }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

class Fuzz : public ScriptedDriver, public ::testing::WithParamInterface<int> {
 protected:
  Random random{static_cast<uint64_t>(GetParam())};

  uint64_t interesting() {
    static constexpr uint64_t kValues[] = {0,           1,
                                           2,           31,
                                           32,          63,
                                           64,          255,
                                           256,         4095,
                                           4096,        8192,
                                           0xFFFF,      0x10000,
                                           0x7FFFFFFF,  0x80000000,
                                           0xFFFFFFE0,  0xFFFFFFFF,
                                           0x100000000, 0x7FFFFFFFFFFFFFFF,
                                           ~0ull,       FakeHost::kMemoryBase};
    switch (random.below(6)) {
      case 0: return random.next();
      case 1: return random.below(256);
      case 2: return FakeHost::kMemoryBase + random.below(FakeHost::kMemoryBytes);
      case 3: return FakeHost::kMemoryBase + random.below(4096) * 4096ull;
      default: return kValues[random.below(std::size(kValues))];
    }
  }
  void run_some() {
    for (int i = 0; host.scheduled && i < 200; i++) {
      host.scheduled = false;
      ops_->run(model_);
    }
    // Work is bounded by what was posted, so it ends.
    EXPECT_FALSE(host.scheduled);
    host.interrupts.clear();
    host.transmitted.clear();
    host.log.clear();
  }
  void restart() {
    ops_->reset(model_);
    host.scheduled = false;
    device_id = {};
  }
  void scribble(uint64_t address, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++)
      *host.at(address + i) = static_cast<uint8_t>(random.next());
  }
};

TEST_P(Fuzz, M60_V3_Registers) {
  start();
  for (int i = 0; i < 4000; i++) {
    const uint32_t size = 1u << random.below(4);
    uint64_t offset = random.one_in(3)   ? random.below(0x48)
                      : random.one_in(8) ? interesting()
                                         : 0x1000 + random.below(0x3000);
    offset &= ~static_cast<uint64_t>(size - 1);
    if (random.one_in(4))
      read(offset, size);
    else
      write(offset, random.one_in(3) ? random.below(16) : interesting(), size);
    if (random.one_in(8))
      run_some();
  }
}

TEST_P(Fuzz, M60_V1_V2_Mailbox) {
  start();
  for (int i = 0; i < 1000; i++) {
    auto words = establish_words(hwc_frames());
    for (int changes = static_cast<int>(random.below(3)); changes > 0; changes--)
      words[random.below(8)] = random.one_in(2) ? static_cast<uint32_t>(random.next())
                                                : words[random.below(8)] ^ 1u << random.below(32);
    for (uint32_t word = 0; word < 8; word++)
      mailbox_word(word, words[word]);
    run_some();
    EXPECT_EQ(mailbox_word(7) >> 31, 0u);
  }
}

TEST_P(Fuzz, M60_V6_V7_Messages) {
  static constexpr uint32_t kCodes[] = {
      1,       2,       3,       4,       5,       10,      11,      12,      13,
      25,      26,      27,      81,      84,      0x20001, 0x20002, 0x20003, 0x20004,
      0x20005, 0x20006, 0x20007, 0x20008, 0x2000A, 0x2000B, 0x2000C, 0x20099};
  open_two_ports();
  std::vector<uint64_t> known = {a.handle,        b.handle,        eq.id, hwc_eq.id,
                                 a.sqs[0].object, b.rqs[0].object, pdid,  page_,
                                 a.sqs[0].wq.id,  a.sqs[0].cq.id,  4096,  8192};
  for (int i = 0; i < 3000; i++) {
    if (control("objects").find("\"hwc\":1") == std::string::npos || random.one_in(500)) {
      restart();
      open_two_ports();
    }
    Bytes message(random.one_in(4) ? 40 + random.below(4057) : 40 + random.below(12) * 8);
    for (size_t at = 40; at + 8 <= message.size(); at += 4) {
      const uint64_t value = random.one_in(2)
                                 ? known[random.below(static_cast<uint32_t>(known.size()))]
                                 : interesting();
      std::memcpy(&message[at], &value, random.one_in(2) ? 8 : 4);
    }
    device_id = random.one_in(10) ? wire::DeviceId{} : wire::DeviceId{wire::DeviceType::kMana, 1};
    fill_header(message, static_cast<Command>(kCodes[random.below(std::size(kCodes))]),
                random.one_in(8) ? static_cast<uint32_t>(interesting()) : 4096,
                static_cast<uint16_t>(random.below(7)), static_cast<uint16_t>(1 + random.below(6)));
    if (random.one_in(4)) {
      const size_t at = random.below(40);
      message[at] ^= static_cast<uint8_t>(1u << random.below(8));
    }
    post_response_buffer(random.one_in(10) ? random.below(4097) : 4096);
    host.store_bytes(request_buffer_, message);
    WqeSpec spec{.sges = {{request_buffer_, hwc_mkey, static_cast<uint32_t>(message.size())}},
                 .oob = {0, 0, 0, 0, hwc_cq.id, hwc_sq.id}};
    if (random.one_in(20))
      spec.sges[0].size = static_cast<uint32_t>(interesting());
    if (random.one_in(40))
      spec.sge_count = static_cast<int>(random.below(256));
    if (random.one_in(40))
      spec.oob_code = static_cast<int>(random.below(8));
    hwc_sq.post(make_wqe(spec));
    ring(hwc_page, wire::doorbell::kSq, wire::doorbell::work_queue(hwc_sq.id, hwc_sq.tail));
    run_some();
    // The channel's own consumer keeps up, so that it never overflows.
    while (auto cqe = hwc_cq.next()) {
      wire::HwcRxCqe rx;
      std::memcpy(&rx, &*cqe, sizeof(rx));
      if (!cqe->is_sq() && rx.wqe_offset / 32 < response_buffers_.size()) {
        // Handles and ids that the model gave out are good food.
        const uint64_t value =
            host.load<uint64_t>(response_buffers_[rx.wqe_offset / 32] + 32 + 8 * random.below(2));
        known[random.below(static_cast<uint32_t>(known.size()))] = value;
      }
    }
    ring(hwc_page, wire::doorbell::kCq,
         wire::doorbell::completion_queue(hwc_cq.id, hwc_cq.index(), true));
    while (hwc_eq.next()) {
    }
    ring(hwc_page, wire::doorbell::kEq,
         wire::doorbell::event_queue(hwc_eq.id, hwc_eq.index(), true));
  }
}

TEST_P(Fuzz, M60_V4_V5_Wqes) {
  open_two_ports();
  const uint64_t garbage = host.take_pages(4096);
  for (int i = 0; i < 3000; i++) {
    if (random.one_in(40)) {
      restart();
      open_two_ports();
    }
    Queue& sq = a.sqs[0];
    PacketSpec packet{.family = random.one_in(2) ? 4 : 6,
                      .protocol = random.one_in(2) ? 6 : 17,
                      .payload = random.below(1400),
                      .seed = static_cast<Seed>(random.below(3)),
                      .destination = static_cast<uint8_t>(random.one_in(4) ? 0xFF : 2)};
    packet.tag = random.one_in(6) ? static_cast<int>(random.below(65536)) : -1;
    Bytes frame = make_packet(packet);
    for (int changes = static_cast<int>(random.below(4)); changes > 0; changes--)
      frame[random.below(std::min<uint32_t>(80, static_cast<uint32_t>(frame.size())))] =
          static_cast<uint8_t>(random.next());
    SendSpec spec{.flags = random.below(64) << 2 & ~(random.one_in(3) ? 0 : 0x80u),
                  .transport_offset = random.one_in(2) ? l4_offset(packet) : random.below(1024)};
    spec.long_form = random.one_in(2);
    spec.tci = random.one_in(4) ? static_cast<int>(random.below(65536)) : -1;
    for (uint32_t pieces = random.below(5); pieces > 0; pieces--)
      spec.pieces.push_back(random.below(100));
    if (random.one_in(3)) {
      spec.mss = random.below(3000);
      spec.header = random.one_in(2) ? header_bytes(packet) : random.below(300);
    }
    WqeSpec wqe = tx_wqe(a, sq, frame, spec);
    if (wqe.sges.size() > 31)
      wqe.sges.resize(31);
    if (random.one_in(8) && !wqe.sges.empty())
      wqe.sges[random.below(static_cast<uint32_t>(wqe.sges.size()))].size =
          static_cast<uint32_t>(interesting());
    if (random.one_in(8) && !wqe.sges.empty())
      wqe.sges[random.below(static_cast<uint32_t>(wqe.sges.size()))].address = interesting();
    if (random.one_in(20))
      wqe.sge_count = static_cast<int>(random.below(256));
    Bytes bytes = make_wqe(wqe);
    if (random.one_in(10))
      bytes[random.below(static_cast<uint32_t>(bytes.size()))] =
          static_cast<uint8_t>(random.next());
    sq.wq.post(bytes);
    if (random.one_in(20))
      scribble(sq.wq.address(), 256);
    // Memory may change between the copy of the WQE and the copy of the frame.
    host.on_access = [&](const FakeHost::Access&) {
      if (random.one_in(50))
        scribble(frame_buffer_ + random.below(100), 8);
    };
    ring_sq(sq.wq);
    run_some();
    host.on_access = nullptr;
    // Receive WQEs of every kind.
    WqeSpec buffer{.sges = {}};
    for (uint32_t sges = 1 + random.below(4); sges > 0; sges--)
      buffer.sges.push_back(
          {garbage + random.below(2000), random.one_in(30) ? 0 : mkey,
           random.one_in(20) ? static_cast<uint32_t>(interesting()) : random.below(2000)});
    if (random.one_in(30))
      buffer.sge_count = static_cast<int>(random.below(40));
    b.rqs[0].wq.post(make_wqe(buffer));
    ring_rq(b.rqs[0].wq);
    if (random.one_in(3)) {
      arm(sq.cq, random.one_in(2));
      ring(page_, wire::doorbell::kCq,
           wire::doorbell::completion_queue(b.rqs[0].cq.id, random.below(600), random.one_in(2)));
      ring(page_, wire::doorbell::kEq,
           wire::doorbell::event_queue(eq.id, random.below(2100), random.one_in(2)));
    }
  }
}

TEST_P(Fuzz, M60_FramesFromOutside) {
  config.external_ports = 2;
  open_two_ports();
  for (int i = 0; i < 2000; i++) {
    Bytes frame = make_packet({.family = random.one_in(2) ? 4 : 6,
                               .protocol = random.one_in(2) ? 6 : 17,
                               .payload = random.below(1500),
                               .tag = random.one_in(3) ? 7 : -1});
    frame.resize(random.one_in(4) ? random.below(1600) : frame.size());
    for (int changes = static_cast<int>(random.below(6)); changes > 0 && !frame.empty(); changes--)
      frame[random.below(std::min<uint32_t>(100, static_cast<uint32_t>(frame.size())))] =
          static_cast<uint8_t>(random.next());
    receive(random.below(3), frame);
    if (i % 16 == 0 && i < 1600)
      post_buffers(b, 0, 1, 1 + random.below(1600));
    arm(b.rqs[0].cq, false);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Fuzz, ::testing::Range(1, 9));

}  // namespace
}  // namespace mana::test
