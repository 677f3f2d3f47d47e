// SPDX-License-Identifier: GPL-2.0
// SQ and RQ: tails, fetching, malformed WQEs.
#include "model/work_queue.h"

#include "scripted_driver.h"

namespace mana::test {
namespace {

class WorkQueue : public ScriptedDriver {
 protected:
  void SetUp() override {
    open_two_ports();
    sq = &a.sqs[0];
  }
  void ring_tail(uint32_t tail) {
    ring(page_, wire::doorbell::kSq, wire::doorbell::work_queue(sq->wq.id, tail));
    run();
  }
  Bytes good_wqe() { return make_wqe(tx_wqe(a, *sq, make_packet({}), {})); }
  uint64_t ignored() { return statistic("ignored"); }

  Queue* sq = nullptr;
};

TEST_F(WorkQueue, M26_V3_TailsOutsideTheWindow) {
  const uint64_t before = ignored();
  sq->wq.post(good_wqe());
  ring_tail(sq->wq.tail + 1);  // misaligned
  ring_tail(31);
  ring_tail(4096 + 32);  // beyond the ring
  ring_tail(0xFFFFFFE0);  // behind
  EXPECT_EQ(ignored() - before, 4u);
  EXPECT_EQ(next_tx_type(*sq), -1);
  ring_tail(0);  // equal to P: says nothing, and is no fault
  EXPECT_EQ(ignored() - before, 4u);

  ring_tail(sq->wq.tail);
  EXPECT_EQ(next_tx_type(*sq), 32);
  ring_tail(0);  // behind C
  EXPECT_EQ(ignored() - before, 5u);
}

TEST_F(WorkQueue, M26_UnknownIdsAndForeignPages) {
  const uint64_t before = ignored();
  sq->wq.post(good_wqe());
  const uint32_t tail = sq->wq.tail;
  ring(page_, wire::doorbell::kSq, wire::doorbell::work_queue(0xFFFFFF, tail));
  ring(page_, wire::doorbell::kSq, wire::doorbell::work_queue(a.rqs[0].wq.id, tail));
  ring(page_, wire::doorbell::kRq, wire::doorbell::work_queue(sq->wq.id, tail));
  ring(0, wire::doorbell::kSq, wire::doorbell::work_queue(sq->wq.id, tail));
  ring(2, wire::doorbell::kSq, wire::doorbell::work_queue(sq->wq.id, tail));
  ring(page_, wire::doorbell::kSq, wire::doorbell::work_queue(hwc_sq.id, hwc_sq.tail + 64));
  run();
  EXPECT_EQ(ignored() - before, 6u);
  EXPECT_EQ(next_tx_type(*sq), -1);
}

TEST_F(WorkQueue, M26_ACompletelyFullRing) {
  a.sqs[0] = *create_queue(wire::WqType::kSq, a, 4096, 8192);
  for (int i = 0; i < 128; i++)
    sq->wq.post(good_wqe());
  ring_tail(sq->wq.tail);
  for (int i = 0; i < 128; i++)
    ASSERT_EQ(next_tx_type(*sq), 32) << i;
}

TEST(WorkQueueObject, M27_TailWrapsAt32Bits) {
  FakeHost fake;
  const vnic_host callbacks = fake.callbacks();
  model::Host host{callbacks};
  const uint64_t page = fake.take_pages(4096);
  auto* queue = host.create<model::WorkQueue>(
      0, wire::WqType::kSq, model::RingMemory::one_page(page), nullptr, nullptr, nullptr, 1u);
  ASSERT_NE(queue, nullptr);
  auto* wqe = new model::Wqe;
  const Bytes one = make_wqe({.sges = {{0x1000, 1, 1}}});
  for (int i = 0; i < 128; i++)
    fake.store_bytes(page + i * 32ull, one);
  // Move close to the wrap in whole rings, then step over it.
  uint32_t tail = 0;
  for (uint64_t moved = 0; moved + 4096 < 0x1'0000'0000; moved += 4096) {
    tail += 4096;
    ASSERT_TRUE(queue->doorbell(tail));
    queue->skip_all();
  }
  EXPECT_EQ(tail, 0xFFFFF000);
  for (int i = 0; i < 300; i++) {
    tail += 32;
    ASSERT_TRUE(queue->doorbell(tail)) << i;
    ASSERT_EQ(queue->fetch(host, *wqe), model::FetchResult::kOk) << i;
    EXPECT_EQ(wqe->position, tail - 32);
    queue->consume(*wqe);
    ASSERT_EQ(queue->fetch(host, *wqe), model::FetchResult::kEmpty);
  }
  EXPECT_FALSE(queue->doorbell(0xFFFFFFE0)) << "now behind";
  delete wqe;
  host.destroy(queue);
}

TEST_F(WorkQueue, M28_EverySizeAtEveryPosition) {
  // SGEs of one byte each behind a first one with the headers; both OOB sizes.
  const Bytes frame = make_packet({.payload = 200});
  uint32_t checked = 0;
  for (const bool long_form : {false, true}) {
    for (uint32_t sges = 1; sges <= (long_form ? 30u : 31u); sges++) {
      SendSpec spec{.long_form = long_form};
      if (sges > 1)
        spec.pieces = {100};
      for (uint32_t i = 2; i < sges; i++)
        spec.pieces.push_back(1);
      ASSERT_EQ(send_frame(a, frame, spec), 32) << sges;
      arm(sq->cq, false);
      checked++;
      if (auto received = next_received(b)) {
        ASSERT_EQ(received->frame, frame) << sges;
        arm(b.rqs[0].cq, false);
      }
      if (checked % 8 == 0)
        post_buffers(b, 0, 8);
    }
  }
  // Start positions: one-BU WQEs in between shift the others through the ring.
  for (uint32_t i = 0; i < 128; i++) {
    SendSpec spec{.pieces = {60, 10, 10, 10, 10}};
    ASSERT_EQ(send_frame(a, frame, spec), 32) << i;
    ASSERT_EQ(send_frame(a, frame), 32);
    arm(sq->cq, false);
  }
  EXPECT_EQ(port_statistic(0, "tx_errors"), 0u);
}

TEST_F(WorkQueue, M28_V15_WqesAreCopiedOnce) {
  for (int i = 0; i < 10; i++)
    sq->wq.post(good_wqe());
  uint64_t bytes_read = 0;
  host.on_access = [&](const FakeHost::Access& access) {
    if (!access.is_write && !access.is_interrupt &&
        access.address / 4096 == sq->wq.address() / 4096)
      bytes_read += access.length;
  };
  ring_tail(sq->wq.tail);
  host.on_access = nullptr;
  EXPECT_EQ(bytes_read, sq->wq.tail);
}

TEST_F(WorkQueue, V15_AWqeThatChangesAfterTheCopy) {
  sq->wq.post(good_wqe());
  // When the frame is fetched the WQE has been copied; scribble over it.
  host.on_access = [&](const FakeHost::Access& access) {
    if (!access.is_write && access.address >= frame_buffer_ &&
        access.address < frame_buffer_ + 4096)
      std::memset(host.at(sq->wq.address()), 0xFF, 4096);
  };
  ring_tail(sq->wq.tail);
  host.on_access = nullptr;
  EXPECT_EQ(next_tx_type(*sq), 32);
}

class MalformedWqe : public WorkQueue {
 protected:
  void expect_disabled(const Bytes& wqe) {
    Queue& other = a.sqs[1];
    EXPECT_EQ(send_wqe(*sq, wqe), 42);
    // Once; and nothing further.
    sq->wq.post(good_wqe());
    sq->wq.post(good_wqe());
    ring_tail(sq->wq.tail);
    EXPECT_EQ(next_tx_type(*sq), -1);
    EXPECT_EQ(statistic("queues_disabled"), ++disabled_);
    // Other queues do not notice.
    EXPECT_EQ(send_wqe(other, make_wqe(tx_wqe(a, other, make_packet({}), {}))), 32);
    // Destroyed and created again it works.
    EXPECT_TRUE(destroy_queue(wire::WqType::kSq, *sq).ok());
    auto fresh = create_queue(wire::WqType::kSq, a);
    ASSERT_TRUE(fresh);
    *sq = *fresh;
    EXPECT_EQ(send_wqe(*sq, good_wqe()), 32);
  }
  void SetUp() override {
    WorkQueue::SetUp();
    a.sqs.push_back(*create_queue(wire::WqType::kSq, a));
    sq = &a.sqs[0];
  }
  WqeSpec good() { return tx_wqe(a, *sq, make_packet({}), {}); }

  uint64_t disabled_ = 0;
};

TEST_F(MalformedWqe, M29_V4_NoSges) {
  WqeSpec spec = good();
  spec.sge_count = 0;
  expect_disabled(make_wqe(spec));
}
TEST_F(MalformedWqe, M29_V4_MoreThanAWqeHolds) {
  WqeSpec spec = good();
  spec.sge_count = 32;
  expect_disabled(make_wqe(spec));
}
TEST_F(MalformedWqe, M29_V4_MoreThanIsPosted) {
  WqeSpec spec = good();
  spec.sge_count = 20;
  expect_disabled(make_wqe(spec));
}
TEST_F(MalformedWqe, M29_V4_UnknownOobCode) {
  for (const int code : {0, 1, 3, 4, 5}) {
    WqeSpec spec = good();
    spec.oob_code = code;
    expect_disabled(make_wqe(spec));
  }
}
TEST_F(MalformedWqe, M29_DirectSgl) {
  Bytes wqe = make_wqe(good());
  wqe[7] |= 0x80;
  expect_disabled(wqe);
}
TEST_F(MalformedWqe, M29_V5_ZeroSizedSge) {
  WqeSpec spec = good();
  spec.sges.push_back({frame_buffer_, mkey, 0});
  expect_disabled(make_wqe(spec));
}
TEST_F(MalformedWqe, M29_V5_ForeignKey) {
  WqeSpec spec = good();
  spec.sges[0].memory_key = hwc_mkey;
  expect_disabled(make_wqe(spec));
}
TEST_F(MalformedWqe, M29_V5_UnmappedAddress) {
  WqeSpec spec = good();
  spec.sges[0].address = 0x1000;
  expect_disabled(make_wqe(spec));
  spec = good();
  spec.sges[0].address = ~0ull - 5;
  expect_disabled(make_wqe(spec));
}

TEST_F(WorkQueue, V5_SizesThatOverflow32Bits) {
  WqeSpec spec = tx_wqe(a, *sq, make_packet({}), {});
  spec.sges = {{frame_buffer_, mkey, 0x80000000}, {frame_buffer_, mkey, 0x80000064}};
  EXPECT_EQ(send_wqe(*sq, make_wqe(spec)), 34) << "not 100 bytes";
}

TEST_F(WorkQueue, M30_RqCountAndOobMeanNothing) {
  Queue& rq = b.rqs[0];
  const uint64_t buffer = host.take_pages(4096);
  for (uint32_t count : {0u, 1u, 7u, 255u}) {
    WqeSpec spec{.sges = {{buffer, mkey, 1514}}, .oob = {0xFFFFFFFF, 0x12345678}};
    rq.wq.post(make_wqe(spec));
    b.buffers[0].push_back(buffer);
    ring(page_, wire::doorbell::kRq,
         wire::doorbell::work_queue(rq.wq.id, rq.wq.tail) | static_cast<uint64_t>(count) << 24);
  }
  for (int i = 0; i < 20; i++) {
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
    const auto received = next_received(b);
    ASSERT_TRUE(received) << i;
    EXPECT_EQ(received->frame, make_packet({}));
  }
  EXPECT_EQ(port_statistic(1, "rx_dropped_no_wqe"), 0u);
}

}  // namespace
}  // namespace mana::test
