// SPDX-License-Identifier: GPL-2.0
// src/port/tx_queue.cc: many packets. Rings that fill and empty, batches, byte queue limits, shared
// skbs, the watchdog.
#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/harness/transmit_bench.h"
#include "kunit/shim/view.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

constexpr u32 kUnits = 128;
constexpr u32 kLargest = 16;  // BU of the largest WQE: with less room a queue stops
constexpr u32 kWake = 40;  // with that much it starts again

// A packet whose WQE has that many units: 1, 2 + n.
kunit_packet of_units(const Frame& frame, u32 units) {
  kunit_packet packet = frame.packet();
  packet.fragment = 4;
  packet.linear = frame.length() - 4 * (units == 1 ? 0 : 2 * units - 2);
  return packet;
}

// Sends until the driver stops the queue; the skbs are logged. The number that it took.
u32 fill(TransmitBench& bench, const kunit_packet& packet, u32 queue = 0) {
  kunit_skb_log_begin();
  u32 sent = 0;
  while (sent <= kUnits && !kunit_queue_full(bench.netdev(), queue)) {
    sk_buff* skb = bench.make(packet);
    if (!skb)
      break;
    kunit_skb_log(skb, sent);
    if (!bench.send(skb, queue))
      break;
    sent++;
  }
  return sent;
}

// The log says that packets 0 to count - 1 ended, in order.
void expect_ended(u32 count) {
  EXPECT_EQ(kunit_skb_log_count(), count);
  for (u32 n = 0; n < count; n++)
    if (kunit_skb_log_entry(n) != n) {
      FAIL("the end number %u is packet %u's", n, kunit_skb_log_entry(n));
      return;
    }
}

// --- full ---

CASE(D34_the_queue_stops_when_the_largest_WQE_might_not_fit) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 100}};
  u64 stops = 0;
  for (const u32 units : {1u, 2u, 3u, 7u, 9u}) {
    bench.hold(true);
    const u32 before = bench.sq().tail;
    const u32 sent = fill(bench, of_units(frame, units));
    // The last one found room for the largest, and left less.
    EXPECT_EQ(sent, (kUnits - kLargest) / units + 1);
    EXPECT_EQ(bench.sq().tail - before, sent * units * wire::kBasicUnit);
    EXPECT(kunit_queue_full(bench.netdev(), 0));
    EXPECT_EQ(bench.stat("stop_queue"), ++stops);
    EXPECT_EQ(kunit_skb_log_count(), 0u);
    bench.hold(false);
    bench.let(bench.sq(), bench.sq().tail);
    bench.nic.settle();
    EXPECT_EQ(bench.stat("wake_queue"), stops);
    expect_ended(sent);
  }
  bench.expect_peace();
}

CASE(D34_what_does_not_fit_is_left_alone) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  bench.hold(true);
  const u32 sent = fill(bench, frame.packet());
  const u32 tail = bench.sq().tail;
  const u32 in_flight = kunit_queue_in_flight(bench.netdev(), 0);
  const Skb skb{bench.make(frame.packet())};
  ASSERT(skb);
  kunit_skb_log(skb.get(), sent);
  for (u32 i = 0; i < 3; i++) {
    EXPECT(!kunit_send_raw(skb.get(), 0));
    EXPECT_EQ(kunit_skb_references(skb.get()), 1u);
    EXPECT(skb.holds(frame));
  }
  EXPECT_EQ(bench.sq().tail, tail);
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), in_flight);
  EXPECT_EQ(kunit_skb_log_count(), 0u);
  EXPECT_EQ(bench.stat("tx_0_packets"), sent);
  EXPECT_EQ(bench.stat("tx_0_dropped"), 0u);
  bench.hold(false);
  bench.let(bench.sq(), tail);
  bench.nic.settle();
  expect_ended(sent);
  bench.expect_peace();
}

// Not with the first free place: it would stop again with the next packet.
CASE(D34_the_queue_wakes_with_room_for_a_few) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (u32 round = 0; round < 2; round++) {
    bench.hold(true);
    const u32 begin = bench.sq().tail;
    const u32 sent = fill(bench, frame.packet());
    ASSERT_EQ(sent, kUnits - kLargest + 1);
    const u32 enough = kWake - (kUnits - sent);
    for (const u32 done : {1u, enough / 2, enough - 1, enough}) {
      bench.let(bench.sq(), begin + done * wire::kBasicUnit);
      bench.nic.settle();
      EXPECT_EQ(kunit_skb_log_count(), done);
      EXPECT_EQ(kunit_queue_full(bench.netdev(), 0), done < enough);
    }
    EXPECT_EQ(bench.stat("wake_queue"), round + 1);
    bench.hold(false);
    bench.let(bench.sq(), bench.sq().tail);
    bench.nic.settle();
    expect_ended(sent);
  }
  bench.expect_peace();
}

CASE(a_full_ring_empties_in_order_and_fills_again) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (u32 round = 0; round < 3; round++) {
    bench.nic.device().stalled = true;
    kunit_skb_log_begin();
    u32 sent = 0;
    while (!kunit_queue_full(bench.netdev(), 0) && sent < 300) {
      const Frame frame{{.family = 0, .payload = 46, .fill = static_cast<u8>(sent)}};
      sk_buff* skb = bench.make(frame.packet());
      ASSERT(skb);
      kunit_skb_log(skb, sent++);
      ASSERT(bench.send(skb));
    }
    EXPECT_EQ(sent, kUnits - kLargest + 1);
    bench.nic.device().stalled = false;
    kunit_function_run(bench.nic.function().get());
    bench.nic.settle();
    expect_ended(sent);
    ASSERT_EQ(bench.arrived(), sent);
    for (u32 n = 0; n < sent; n++) {
      const Skb skb = bench.take();
      u8 first = 0;
      ASSERT(kunit_skb_copy(skb.get(), 14, &first, 1));
      ASSERT_EQ(first, static_cast<u8>(n));
    }
  }
  EXPECT_EQ(bench.stat("stop_queue"), 3u);
  EXPECT_EQ(bench.stat("wake_queue"), 3u);
  bench.expect_peace();
}

CASE(a_full_queue_does_not_stop_the_others) {
  TransmitBench bench{{.queues = 2}};
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  bench.hold(true);
  (void)fill(bench, frame.packet(), 1);
  EXPECT(kunit_queue_full(bench.netdev(), 1));
  EXPECT(!kunit_queue_full(bench.netdev(), 0));
  bench.hold(false);
  EXPECT(bench.send(frame.packet(), 0));
  bench.nic.settle();
  EXPECT(bench.arrives(frame));
  EXPECT(kunit_queue_full(bench.netdev(), 1));
  bench.let(bench.sq(1), bench.sq(1).tail);
  bench.nic.settle();
  bench.expect_peace();
}

// --- batches and doorbells ---

// The number that the driver took; the others are freed.
u32 send_batch(TransmitBench& bench, const Frame& frame, u32 count) {
  static sk_buff* skbs[256];
  u32 made = 0;
  for (; made < count; made++) {
    skbs[made] = bench.make(frame.packet());
    if (!skbs[made])
      break;
    kunit_skb_log(skbs[made], made);
  }
  const u32 taken = made == 0 ? 0 : kunit_send_batch(skbs, made, 0);
  for (u32 n = taken; n < made; n++)
    kunit_skb_free(skbs[n]);
  return taken;
}

CASE(a_batch_rings_one_doorbell) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (const u32 count : {1u, 2u, 8u, 32u, 100u}) {
    kunit_queue_lift_limit(bench.netdev(), 0);
    kunit_skb_log_begin();
    const u32 bells = bench.sq().bells, tail = bench.sq().tail;
    EXPECT_EQ(send_batch(bench, frame, count), count);
    EXPECT_EQ(bench.sq().bells, bells + 1);
    EXPECT_EQ(bench.sq().tail, tail + count * wire::kBasicUnit);
    bench.nic.settle();
    expect_ended(count);
    EXPECT_EQ(bench.arrived(), count);
    bench.clear_arrived();
  }
  bench.expect_peace();
}

// The stack has more, but the ring has no room: nobody else would ring for what was posted.
CASE(a_batch_that_fills_the_ring_rings_when_the_queue_stops) {
  TransmitBench bench;
  ASSERT(bench.up());
  kunit_queue_lift_limit(bench.netdev(), 0);
  bench.hold(true);
  kunit_skb_log_begin();
  const u32 taken = send_batch(bench, Frame{FrameSpec{}}, 200);
  EXPECT_EQ(taken, kUnits - kLargest + 1);
  EXPECT_EQ(kunit_skb_log_count(), 200 - taken);
  EXPECT_EQ(bench.sq().bells, 1u);
  EXPECT_EQ(bench.sq().tail, taken * wire::kBasicUnit);
  bench.hold(false);
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  EXPECT_EQ(bench.arrived(), taken);
  EXPECT_EQ(kunit_skb_log_count(), 200u);
  bench.expect_peace();
}

CASE(a_packet_of_a_batch_is_dropped_and_the_others_go) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (u32 dropped = 1; dropped <= 4; dropped++) {
    kunit_queue_lift_limit(bench.netdev(), 0);
    kunit_skb_log_begin();
    const u32 bells = bench.sq().bells, tail = bench.sq().tail;
    kunit_dma_fail_nth(bench.nic.function().get(), dropped);
    EXPECT_EQ(send_batch(bench, Frame{FrameSpec{}}, 4), 4u);
    EXPECT_EQ(bench.sq().bells, bells + 1);
    EXPECT_EQ(bench.sq().tail, tail + 3 * wire::kBasicUnit);
    bench.nic.settle();
    EXPECT_EQ(bench.arrived(), 3u);
    EXPECT_EQ(kunit_skb_log_count(), 4u);
    EXPECT_EQ(bench.stat("tx_0_mana_map_err"), dropped);
    bench.clear_arrived();
  }
  bench.expect_peace();
}

CASE(D29_each_packet_by_itself_has_its_doorbell) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (u32 n = 1; n <= 10; n++) {
    EXPECT(bench.send(frame.packet()));
    EXPECT_EQ(bench.sq().bells, n);
    EXPECT_EQ(bench.sq().tail, n * wire::kBasicUnit);
  }
  bench.nic.settle();
  bench.expect_peace();
}

// The tail counts bytes and goes round at 2^32, not at the end of the ring; here it passes the end.
CASE(D30_the_tail_is_not_cut_to_the_ring) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  u32 sent = 0;
  while (sent < 2 * kUnits + 10) {
    for (u32 n = 0; n < 50; n++, sent++)
      ASSERT(bench.send(frame.packet()));
    ASSERT(bench.await_arrived(0));
  }
  EXPECT_EQ(bench.sq().tail, sent * wire::kBasicUnit);
  bench.expect_peace();
}

// --- byte queue limits ---

CASE(bytes_in_flight_are_those_of_the_packets_posted) {
  TransmitBench bench;
  ASSERT(bench.up());
  bench.hold(true);
  u32 bytes = 0;
  for (const u32 payload : {18u, 100u, 1000u, 1472u}) {
    const Frame frame{{.payload = payload}};
    bytes += frame.length();
    EXPECT(bench.send(frame.packet()));
    EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), bytes);
  }
  // What is dropped on the way is not in flight.
  kunit_dma_fail_nth(bench.nic.function().get(), 1);
  EXPECT(bench.send(Frame{FrameSpec{}}.packet()));
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), bytes);
  bench.hold(false);
  // Two of them end with an error: they are not in flight any more either.
  bench.nic.device().fault("tx type 36 x2");
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT_EQ(bench.stat("tx_cq_err"), 2u);
  EXPECT(!kunit_queue_stopped(bench.netdev(), 0));
}

// Whatever ends the packets: close, another ring, a repair.
CASE(bytes_in_flight_are_forgotten_with_the_queue) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (u32 way = 0; way < 3; way++) {
    bench.forget_sqs();
    if (way > 0) {
      bench.nic.close(0);
      ASSERT_EQ(bench.nic.open(0), 0);
    }
    bench.hold(true);
    kunit_skb_log_begin();
    for (u32 n = 0; n < 20; n++) {
      sk_buff* skb = bench.make(frame.packet());
      ASSERT(skb);
      kunit_skb_log(skb, n);
      ASSERT(bench.send(skb));
    }
    EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 20 * frame.length());
    if (way == 0) {
      bench.nic.close(0);
      EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
      ASSERT_EQ(bench.nic.open(0), 0);
    } else if (way == 1) {
      EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 0, 256), 0);
    } else {
      mana_port_tx_timeout(kunit_netdev_port(bench.netdev()), 0);
      ASSERT(bench.await_recoveries(1));
    }
    bench.hold(false);
    expect_ended(20);
    EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
    EXPECT(!kunit_queue_stopped(bench.netdev(), 0));
  }
  bench.forget_sqs();
  bench.expect_peace(1);
}

// --- skbs that others hold too ---

CASE(one_skb_may_be_sent_many_times_at_once) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 300}};
  kunit_packet packet = frame.packet();
  packet.linear = 100;
  packet.fragment = 50;
  const Skb skb{bench.make(packet)};
  ASSERT(skb);
  bench.hold(true);
  for (u32 n = 1; n <= 8; n++) {
    kunit_skb_hold(skb.get());
    ASSERT(kunit_send_raw(skb.get(), 0));
    EXPECT_EQ(kunit_skb_references(skb.get()), 1 + n);
  }
  bench.hold(false);
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  EXPECT_EQ(kunit_skb_references(skb.get()), 1u);
  EXPECT(skb.holds(frame));
  for (u32 n = 0; n < 8; n++)
    EXPECT(bench.arrives(frame));
  bench.expect_peace();
}

CASE(clones_share_bytes_that_stay_as_they_are) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.protocol = 6, .payload = 300, .partial = true}};
  kunit_packet packet = frame.packet();
  packet.linear = 90;
  const Skb original{bench.make(packet)};
  ASSERT(original);
  for (u32 n = 0; n < 4; n++)
    EXPECT(bench.send(kunit_skb_clone(original.get())));
  bench.nic.settle();
  EXPECT(original.holds(frame));
  EXPECT_EQ(bench.arrived(), 4u);
  bench.expect_peace();
}

// --- more than one CPU ---

// Senders on any CPU, the device and completions on any other: every packet ends, and no queue is
// left asleep.
CASE(D34_two_senders_and_completions_at_the_same_time) {
  TransmitBench bench;
  ASSERT(bench.up());
  constexpr u32 kEach = 300;
  kunit_skb_log_begin();
  auto sender = [&] {
    const Frame frame{{.payload = 60}};
    for (u32 n = 0; n < kEach; n++) {
      sk_buff* skb = bench.make(frame.packet());
      if (!skb)
        return;
      kunit_skb_log(skb, n);
      kunit_send(skb);
    }
  };
  {
    Thread one{sender};
    Thread two{sender};
  }
  for (u32 i = 0; i < 200 && kunit_skb_log_count() < 2 * kEach; i++)
    shim_sleep_ms(10);
  bench.nic.settle();
  EXPECT_EQ(kunit_skb_log_count(), 2 * kEach);
  // What the qdisc did not drop was sent, and what was sent arrived, or the receiver had no room.
  const u64 sent = bench.stat("tx_0_packets");
  EXPECT_GE(sent, kEach);
  EXPECT_EQ(bench.arrived() + bench.nic.device().port_statistic(1, "rx_dropped_no_wqe"), sent);
  kunit_note("%llu sent, %llu stops, %llu wakes", sent, bench.stat("stop_queue"),
             bench.stat("wake_queue"));
  bench.expect_peace();
}

// Without the limits of bytes the ring itself is what stops and wakes, over and over.
CASE(D34_a_ring_that_is_always_full) {
  TransmitBench bench;
  ASSERT(bench.up());
  kunit_queue_lift_limit(bench.netdev(), 0);
  constexpr u32 kEach = 300;
  kunit_skb_log_begin();
  u32 refused = 0;
  auto sender = [&] {
    const Frame frame{{.payload = 60}};
    for (u32 n = 0; n < kEach; n++) {
      sk_buff* skb = bench.make(of_units(frame, 1 + n % 8));
      if (!skb)
        return;
      kunit_skb_log(skb, n);
      // Whether or not the queue is stopped.
      while (!kunit_send_raw(skb, 0)) {
        __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
        shim_sleep_ms(1);
      }
    }
  };
  {
    Thread one{sender};
    Thread two{sender};
  }
  bench.nic.settle();
  EXPECT_EQ(kunit_skb_log_count(), 2 * kEach);
  EXPECT_EQ(bench.stat("tx_0_packets"), 2 * kEach);
  EXPECT_GE(bench.stat("stop_queue"), 1u);
  EXPECT_EQ(bench.arrived() + bench.nic.device().port_statistic(1, "rx_dropped_no_wqe"), 2 * kEach);
  kunit_note("%u refused, %llu stops, %llu wakes", refused, bench.stat("stop_queue"),
             bench.stat("wake_queue"));
  bench.expect_peace();
}

// --- a device that does not answer ---

// Of the third queue: scripts/kunit/noise.table knows that this one is meant to hang.
CASE(the_watchdog_recreates_the_queues) {
  TransmitBench bench{{.queues = 3}};
  ASSERT(bench.up());
  bench.hold(true);
  const u32 sent = fill(bench, Frame{FrameSpec{}}.packet(), 2);
  EXPECT_GE(sent, 100u);
  // The stack's own patience is 15 s, and it looks every 15 s.
  for (u32 second = 0; second < 40 && bench.stat("tx_timeouts") == 0; second++)
    shim_sleep_ms(1000);
  EXPECT_EQ(bench.stat("tx_timeouts"), 1u);
  ASSERT(bench.await_recoveries(1));
  bench.hold(false);
  bench.forget_sqs();
  expect_ended(sent);
  shim_sleep_ms(20'000);
  EXPECT_EQ(bench.stat("tx_timeouts"), 1u);
  bench.expect_peace(1);
}

// Completions that come while the watchdog's repair begins: each packet ends once.
CASE(a_repair_while_the_device_is_at_work) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (u32 n = 1; n <= 5; n++) {
    kunit_skb_log_begin();
    for (u32 i = 0; i < 60; i++) {
      sk_buff* skb = bench.make(frame.packet());
      ASSERT(skb);
      kunit_skb_log(skb, i);
      if (i == 20 + n)
        mana_port_tx_timeout(kunit_netdev_port(bench.netdev()), 0);
      if (!kunit_send_raw(skb, 0))
        kunit_skb_free(skb);
      if (i % 16 == 0)
        shim_sleep_ms(20 * n);
    }
    ASSERT(bench.await_recoveries(n));
    EXPECT_EQ(kunit_skb_log_count(), 60u);
    bench.forget_sqs();
    bench.clear_arrived();
  }
  bench.nic.close(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  bench.forget_sqs();
  bench.expect_peace(5);
}

constexpr mana_case kCases[] = {
    LIST(D34_the_queue_stops_when_the_largest_WQE_might_not_fit),
    LIST(D34_what_does_not_fit_is_left_alone),
    LIST(D34_the_queue_wakes_with_room_for_a_few),
    LIST(a_full_ring_empties_in_order_and_fills_again),
    LIST(a_full_queue_does_not_stop_the_others),
    LIST(a_batch_rings_one_doorbell),
    LIST(a_batch_that_fills_the_ring_rings_when_the_queue_stops),
    LIST(a_packet_of_a_batch_is_dropped_and_the_others_go),
    LIST(D29_each_packet_by_itself_has_its_doorbell),
    LIST(D30_the_tail_is_not_cut_to_the_ring),
    LIST(bytes_in_flight_are_those_of_the_packets_posted),
    LIST(bytes_in_flight_are_forgotten_with_the_queue),
    LIST(one_skb_may_be_sent_many_times_at_once),
    LIST(clones_share_bytes_that_stay_as_they_are),
    LIST(D34_two_senders_and_completions_at_the_same_time),
    LIST(D34_a_ring_that_is_always_full),
    LIST(the_watchdog_recreates_the_queues),
    LIST(a_repair_while_the_device_is_at_work),
};

}  // namespace

MANA_SUITE(tx_ring, kCases)

}  // namespace mana::kunit
