// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/transmit_bench.h"

#include "shim/sync.h"
#include "wire/gdma_commands.h"

namespace mana::kunit {

namespace {

// The doorbell page of the BNIC, behind the channel's own.
constexpr u64 kSqBell = 0x2000 + wire::doorbell::kSq;

}  // namespace

TransmitBench::TransmitBench(const Config& config)
    : nic{{.ports = config.ports,
           .queues = config.queues,
           .mtu = config.mtu,
           .options = config.options,
           .pace = config.pace}},
      config_{config} {
  nic.device().edit_response = learn_;
  nic.device().eat_write = watch_;
}

TransmitBench::~TransmitBench() {
  holding_ = false;
  lose_tap();
}

void TransmitBench::lose_tap() {
  if (tap_)
    kunit_tap_destroy(exchange(tap_, nullptr));
}

bool TransmitBench::up() {
  if (!nic || !nic.device())
    return false;
  if (const int error = nic.probe(); error != 0) {
    FAIL("probe failed with %d", error);
    return false;
  }
  for (u32 port = 0; port < config_.ports; port++) {
    const int sized = kunit_netdev_set_rings(netdev(port), 128, port == 0 ? config_.ring : 128);
    const int spread = sized == 0 ? kunit_netdev_set_channels(netdev(port), config_.queues) : sized;
    const int opened = spread == 0 ? nic.open(port) : spread;
    if (opened != 0) {
      FAIL("port %u does not open: %d", port, opened);
      return false;
    }
  }
  if (config_.ports > 1) {
    kunit_netdev_set_feature(netdev(1), KUNIT_FEATURE_GRO, false);
    tap_ = kunit_tap_create(netdev(1));
    if (!tap_) {
      FAIL("no memory for a tap");
      return false;
    }
  }
  nic.settle();
  return true;
}

void TransmitBench::Learn::operator()(wire::Command command, u8* bytes, u32 length) const {
  if (command != wire::Command::kCreateWqObject || length < sizeof(wire::CreateWqObjectResponse))
    return;
  ModelDevice& device = bench.nic.device();
  const auto request = device.request(device.request_count() - 1).as<wire::CreateWqObjectRequest>();
  if (request.wq_type != wire::WqType::kSq || bench.sq_count_ == kMaxSqs)
    return;
  wire::CreateWqObjectResponse response;
  __builtin_memcpy(static_cast<void*>(&response), bytes, sizeof(response));
  // The two regions before it are the SQ's and the CQ's; the list of their pages begins with the
  // address.
  u64 address[2] = {};
  u32 found = 0;
  for (u32 n = device.request_count(); n-- > 0 && found < 2;) {
    const auto& earlier = device.request(n);
    if (earlier.command == wire::Command::kCreateDmaRegion)
      __builtin_memcpy(&address[found++], earlier.message + sizeof(wire::CreateDmaRegionRequest),
                       8);
  }
  bench.sqs_[bench.sq_count_++] = {.wq_id = response.wq_id,
                                   .cq_id = response.cq_id,
                                   .wq_bytes = request.wq_bytes,
                                   .cq_bytes = request.cq_bytes,
                                   .wq_address = address[1],
                                   .cq_address = address[0],
                                   .bells = 0,
                                   .tail = 0,
                                   .backwards = false};
}

bool TransmitBench::Watch::operator()(u64 offset, u64 value, u32) const {
  if (offset != kSqBell)
    return false;
  const u32 id = wire::doorbell::QueueId::get(value);
  const u32 tail = static_cast<u32>(wire::doorbell::WqTail::get(value));
  for (u32 i = bench.sq_count_; i-- > 0;) {
    Sq& sq = bench.sqs_[i];
    if (sq.wq_id != id)
      continue;
    sq.bells++;
    sq.backwards |= tail - sq.tail > sq.wq_bytes;
    sq.tail = tail;
    break;
  }
  return bench.holding_;
}

void TransmitBench::let(const Sq& sq, u32 tail) {
  const unsigned long flags = kunit_function_lock(nic.function().get());
  ModelDevice& device = nic.device();
  device.eat_write = nullptr;
  device.write(kSqBell, wire::doorbell::work_queue(sq.wq_id, tail), 8);
  device.eat_write = watch_;
  kunit_function_unlock(nic.function().get(), flags);
}

sk_buff* TransmitBench::make(const kunit_packet& packet) const {
  sk_buff* skb = kunit_skb(netdev(), &packet);
  if (!skb)
    FAIL("no memory for an skb");
  return skb;
}

bool TransmitBench::send(sk_buff* skb, u32 queue) const {
  if (!skb)
    return false;
  if (queue >= kunit_netdev_queues(netdev())) {
    FAIL("there is no queue %u", queue);
    kunit_skb_free(skb);
    return false;
  }
  if (kunit_send_raw(skb, queue))
    return true;
  kunit_skb_free(skb);
  return false;
}

WqeView TransmitBench::post(sk_buff* skb, u32 queue) {
  const u32 position = sq(queue).tail;
  const u32 bells = sq(queue).bells;
  const bool taken = send(skb, queue);
  nic.settle();
  if (!taken || sq(queue).bells == bells)
    return {};
  WqeView view = wqe(sq(queue), position);
  view.taken = true;
  if (view.bytes() != sq(queue).tail - position)
    FAIL("the WQE of %u bytes moved the tail by %u", view.bytes(), sq(queue).tail - position);
  return view;
}

WqeView TransmitBench::wqe(const Sq& sq, u32 position) const {
  WqeView view;
  view.position = position;
  const auto* ring = static_cast<const u8*>(kunit_dma_memory(nic.function().get(), sq.wq_address));
  if (!ring) {
    FAIL("the ring is gone");
    return view;
  }
  for (u32 at = 0; at < sizeof(view.word); at += 4)
    __builtin_memcpy(&view.word[at / 4], ring + ((position + at) & (sq.wq_bytes - 1)), 4);
  return view;
}

bool TransmitBench::await_arrived(u32 count) const {
  const auto done = [&] {
    for (u32 queue = 0; queue < kunit_netdev_queues(netdev()); queue++)
      if (kunit_queue_in_flight(netdev(), queue) != 0)
        return false;
    return arrived() >= count;
  };
  for (u32 i = 0; i < 2000 && !done(); i++)
    shim_sleep_ms(1);
  return done();
}

bool TransmitBench::arrives(const Frame& frame) const {
  const Skb skb = take();
  return skb && skb.holds(frame);
}

void TransmitBench::expect_peace(u32 recoveries) const {
  EXPECT_EQ(stat("queue_recoveries"), recoveries);
  EXPECT_EQ(stat("tx_cqe_unknown_type"), 0u);
  for (u32 queue = 0; queue < kunit_netdev_queues(netdev()); queue++) {
    EXPECT_EQ(kunit_queue_in_flight(netdev(), queue), 0u);
    EXPECT(!kunit_queue_stopped(netdev(), queue));
  }
  for (u32 i = 0; i < sq_count_; i++)
    EXPECT(!sqs_[i].backwards);
  if (recoveries == 0) {
    EXPECT_EQ(stat("tx_cq_err"), 0u);
    EXPECT_EQ(stat("tx_cqe_misdirected"), 0u);
  }
  if (!tap_)
    return;
  clear_arrived();
  const Frame frame{{.payload = 60, .fill = 0x42}};
  EXPECT(send(frame.packet()));
  nic.settle();
  EXPECT(arrives(frame));
  EXPECT_EQ(arrived(), 0u);
}

bool TransmitBench::await_recoveries(u32 count) const {
  for (u32 i = 0; i < 300 && stat("queue_recoveries") < count; i++)
    shim_sleep_ms(20);
  nic.settle();
  return stat("queue_recoveries") == count && kunit_netdev_carrier(netdev());
}

}  // namespace mana::kunit
