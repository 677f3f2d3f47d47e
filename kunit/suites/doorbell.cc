// SPDX-License-Identifier: GPL-2.0
// src/gdma/doorbell.h; then the whole driver: when a doorbell rings, what it announces is in
// memory.
#include "gdma/doorbell.h"

#include <initializer_list>

#include "kern/pci.h"
#include "kunit/harness/register_file.h"
#include "kunit/harness/ring_watch.h"

namespace mana::kunit {
namespace {

// --- one page ---

// Doorbell pages 0 to 2 of a device that only notes what is written.
struct Pages {
  RegisterFile registers;
  Function function{registers};
  Result<kern::PciFunction> pci = kern::PciFunction::enable(function.pdev());
  Result<kern::Bar> bar = kern::Bar::map(*pci);

  gdma::DoorbellPage page(u32 n) { return {bar->at(0x1000 * (n + 1)), n}; }
  // Exactly one access since the last call.
  void expect(u64 offset, u64 value) {
    ASSERT_EQ(registers.count(), ++seen);
    const RegisterFile::Access& access = registers.access(seen - 1);
    EXPECT(access.is_write);
    EXPECT_EQ(access.size, 8u);
    EXPECT_EQ(access.offset, offset);
    EXPECT_EQ(access.value, value);
  }
  u32 seen = 0;
};

CASE(D32_each_doorbell_is_one_write_of_64_bits) {
  Pages pages;
  ASSERT(pages.pci && pages.bar);
  for (u32 n = 0; n < 3; n++) {
    const gdma::DoorbellPage page = pages.page(n);
    EXPECT_EQ(page.id(), n);
    const u64 base = 0x1000 * (n + 1);
    page.ring_sq(0x18, 5 * 32);  // vectors B.2
    pages.expect(base, 0x000000a0'00000018);
    page.ring_rq(0x18, 5 * 32);
    pages.expect(base + 0x400, 0x000000a0'00000018);
    page.ring_cq(0x2A, 64, true);
    pages.expect(base + 0x800, 0x80000040'0000002a);
    page.ring_eq(0x19, 261, true);
    pages.expect(base + 0xFF8, 0x80000105'00000019);
  }
}

CASE(D30_tail_wraps_at_32_bits) {
  Pages pages;
  ASSERT(pages.pci && pages.bar);
  pages.page(0).ring_rq(0x1234, 0xFFFFFFE0);
  pages.expect(0x1400, 0xffffffe0'00001234);
  pages.page(0).ring_rq(0x1234, 0);
  pages.expect(0x1400, 0x00000000'00001234);
  pages.page(0).ring_sq(0x1234, 0x80000000);
  pages.expect(0x1000, 0x80000000'00001234);
}

CASE(D31_index_and_arm_bit_do_not_mix) {
  Pages pages;
  ASSERT(pages.pci && pages.bar);
  for (u32 bit = 0; bit < 31; bit++) {
    const u64 index = 1ull << (bit + 32);
    pages.page(0).ring_cq(0x2A, 1u << bit, false);
    pages.expect(0x1800, index | 0x2A);
    pages.page(0).ring_cq(0x2A, 1u << bit, true);
    pages.expect(0x1800, index | 1ull << 63 | 0x2A);
    pages.page(0).ring_eq(0xFFFF, 1u << bit, false);
    pages.expect(0x1FF8, index | 0xFFFF);
    pages.page(0).ring_eq(0xFFFF, 1u << bit, true);
    pages.expect(0x1FF8, index | 1ull << 63 | 0xFFFF);
  }
}

CASE(D33_wqe_count_is_0_for_every_id) {
  Pages pages;
  ASSERT(pages.pci && pages.bar);
  for (u32 bit = 0; bit < 24; bit++) {
    pages.page(1).ring_rq(1u << bit, 0x20);
    pages.expect(0x2400, 0x20'00000000 | 1ull << bit);
  }
  pages.page(1).ring_rq(0xFFFFFF, 0xFFFFFFE0);
  pages.expect(0x2400, 0xFFFFFFE0'00FFFFFF);
}

// --- the whole driver ---

using Kind = RingWatch::Kind;

struct Watched {
  explicit Watched(kunit_pace pace, u32 mtu = 9000)
      : nic{{.ports = 2, .queues = 2, .mtu = mtu, .pace = pace}}, watch{nic} {}

  // Both ports, with the smallest rings: laps are short.
  bool up() {
    if (!nic || !watch || nic.probe() != 0)
      return false;
    for (u32 port = 0; port < 2; port++)
      if (kunit_netdev_set_rings(nic.netdev(port), 128, 128) != 0 || nic.open(port) != 0)
        return false;
    nic.settle();
    return true;
  }

  Nic nic;
  RingWatch watch;
};

// Frames of a batch, and what their bytes must be when they are announced.
class Batch : NonCopyable {
 public:
  static constexpr u32 kMost = 16;

  explicit Batch(Watched& watched) : watched_{watched} { watched_.watch.on_wqe = hook_; }
  ~Batch() { watched_.watch.on_wqe = nullptr; }

  // `count` frames of port 0 that start with number `first`; the fragments' length, 0: none. The
  // number that the driver took.
  u32 send(u32 first, u32 count, u32 payload, u32 fragment = 0) {
    sk_buff* skbs[kMost] = {};
    expected_ = announced_ = wrong_ = 0;
    for (u32 i = 0; i < count; i++) {
      const u32 n = first + i;
      const Frame frame{{.payload = payload + n % 40,
                         .source_port = static_cast<u16>(n),
                         .fill = static_cast<u8>(n)}};
      if (!frame)
        break;
      kunit_packet packet = frame.packet();
      if (fragment != 0) {
        packet.linear = 60;
        packet.fragment = fragment;
      }
      skbs[i] = kunit_skb(watched_.nic.netdev(0), &packet);
      if (!skbs[i])
        break;
      digests_[expected_++] = RingWatch::digest(frame.bytes(), frame.length());
    }
    const u32 made = expected_;
    const u32 taken = kunit_send_batch(skbs, made, 0);
    for (u32 i = taken; i < made; i++)
      kunit_skb_free(skbs[i]);
    EXPECT_EQ(made, count);
    EXPECT_EQ(taken, count);
    EXPECT_EQ(announced_, taken);  // by the time that the driver returns
    EXPECT_EQ(wrong_, 0u);
    watched_.nic.settle();
    return taken;
  }

 private:
  void look(const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
    if (ring.kind != Kind::kTransmit)
      return;
    if (announced_ >= expected_ || watched_.watch.digest(wqe) != digests_[announced_])
      wrong_++;
    announced_++;
  }

  struct {
    Batch* self;
    void operator()(const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
      self->look(ring, wqe);
    }
  } hook_{this};
  Watched& watched_;
  u64 digests_[kMost];
  u32 expected_ = 0;
  u32 announced_ = 0;
  u32 wrong_ = 0;
};

// Also D-16, D-41: the watch looks for a buffer for the answer, and into each message. More than a
// lap of the ring's 64 requests.
CASE(D29_requests_are_complete_when_the_doorbell_rings) {
  Watched watched{KUNIT_PACE_LATER};
  ASSERT(watched.up());
  RingWatch& watch = watched.watch;
  for (u32 round = 0; round < 2; round++) {
    watched.nic.close(1);
    ASSERT_EQ(watched.nic.open(1), 0);
  }
  EXPECT_EQ(watch.wqes(Kind::kRequests), watched.nic.device().request_count());
  EXPECT_EQ(watch.doorbells(Kind::kRequests), watch.wqes(Kind::kRequests));
  EXPECT_GE(watch.most_laps(Kind::kRequests), 1u);
  // One buffer at first, and a new one for each answer.
  EXPECT_EQ(watch.wqes(Kind::kResponses), watch.wqes(Kind::kRequests) + 1);
}

CASE(D29_buffers_are_complete_when_a_queue_starts) {
  Watched watched{KUNIT_PACE_AT_ONCE, 1500};
  u32 bytes = 0, others = 0;
  auto look = [&](const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
    if (ring.kind != Kind::kReceive)
      return;
    bytes = max(bytes, wqe.sge[0].size);
    others += wqe.sge[0].size != bytes;
  };
  watched.watch.on_wqe = look;
  ASSERT(watched.up());
  // One WQE of each ring stays free, for the fence.
  EXPECT_EQ(watched.watch.wqes(Kind::kReceive), 4u * 127);
  EXPECT_EQ(watched.watch.doorbells(Kind::kReceive), 4u);
  EXPECT_GE(bytes, 1500u + 18);
  EXPECT_EQ(others, 0u);
  watched.watch.on_wqe = nullptr;
}

CASE(D29_packets_are_complete_one_by_one) {
  Watched watched{KUNIT_PACE_AT_ONCE};
  ASSERT(watched.up());
  Batch batch{watched};
  for (u32 n = 0; n < 10; n++)
    EXPECT_EQ(batch.send(n, 1, 30 + n * 140), 1u);
  EXPECT_EQ(watched.watch.wqes(Kind::kTransmit), 10u);
  EXPECT_EQ(watched.watch.doorbells(Kind::kTransmit), 10u);
}

// One doorbell speaks for the whole batch, and all of it must be there.
CASE(D29_packets_are_complete_in_batches) {
  Watched watched{KUNIT_PACE_LATER};
  ASSERT(watched.up());
  Batch batch{watched};
  constexpr u32 kBatches = 18;
  for (u32 n = 0; n < kBatches; n++)
    EXPECT_EQ(batch.send(n * Batch::kMost, Batch::kMost, 100), Batch::kMost);
  EXPECT_EQ(watched.watch.wqes(Kind::kTransmit), kBatches * Batch::kMost);
  EXPECT_EQ(watched.watch.doorbells(Kind::kTransmit), kBatches);
  EXPECT_GE(watched.watch.most_laps(Kind::kTransmit), 2u);
  EXPECT_EQ(watched.nic.link_stats(1).rx_packets, kBatches * Batch::kMost);
}

// WQEs of 1 to 8 units, so that their SGLs cross the ring's end in all ways.
CASE(D29_scattered_packets_are_complete_where_the_ring_wraps) {
  Watched watched{KUNIT_PACE_AT_ONCE};
  ASSERT(watched.up());
  Batch batch{watched};
  u32 first = 0;
  for (u32 round = 0; round < 24; round++) {
    const u32 fragment = 90 + round % 13 * 37;
    EXPECT_EQ(batch.send(first, 8, 100 + round * 29 % 900, fragment), 8u);
    first += 8;
    if (kunit_failed())
      return;
  }
  EXPECT_GE(watched.watch.most_laps(Kind::kTransmit), 3u);
}

// Every buffer that was received into is replaced, and the replacement is in memory when announced.
CASE(D29_refills_are_complete_over_laps) {
  constexpr u32 kPostBatch = 32;  // buffers that are told to the device with one doorbell
  Watched watched{KUNIT_PACE_AT_ONCE};
  ASSERT(watched.up());
  const u32 before = watched.watch.wqes(Kind::kReceive);
  Batch batch{watched};
  u32 sent = 0;
  for (u32 n = 0; n < 18; n++)
    sent += batch.send(n * Batch::kMost, Batch::kMost, 60);
  EXPECT_GE(watched.watch.most_laps(Kind::kReceive), 1u);
  EXPECT_LE(watched.watch.doorbells(Kind::kReceive), 4 + sent / kPostBatch);
  // What was not replaced yet waits until a doorbell is worth it.
  u32 waiting = 0;
  for (u32 n = 0; n < 4; n++) {
    const RingWatch::Ring* ring = watched.watch.ring(Kind::kReceive, n);
    ASSERT(ring);
    const u32 missing = 127 - (ring->tail - ring->done) / 32;
    EXPECT_LE(missing, kPostBatch - 1);
    waiting += missing;
  }
  EXPECT_EQ(watched.watch.wqes(Kind::kReceive) - before + waiting, sent);
}

CASE(D29_segmented_packets_are_complete) {
  Watched watched{KUNIT_PACE_AT_ONCE};
  ASSERT(watched.up());
  constexpr u32 kPayload = 20'000;
  const Frame frame{{.protocol = 6, .payload = kPayload, .partial = true}};
  ASSERT(frame);
  const u64 payload = RingWatch::digest(frame.bytes() + frame.payload(), kPayload);
  u32 right = 0, seen = 0;
  auto look = [&](const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
    if (ring.kind != Kind::kTransmit)
      return;
    seen++;
    // The headers are rewritten for the device; the payload is not.
    right += wire::WqeHeader::LastVbytes::get(wqe.dw0) == frame.payload() &&
             wire::WqeHeader::ClientDataUnit::get(wqe.dw1) == 1400 &&
             watched.watch.digest(wqe, frame.payload()) == payload;
  };
  watched.watch.on_wqe = look;
  for (u32 n = 0; n < 12; n++) {
    kunit_packet packet = frame.packet();
    packet.linear = n % 2 ? frame.payload() : 200;
    packet.fragment = 1250 + n * 200;
    packet.gso_size = 1400;
    EXPECT(watched.nic.send(0, packet));
  }
  watched.watch.on_wqe = nullptr;
  EXPECT_EQ(seen, 12u);
  EXPECT_EQ(right, 12u);
}

CASE(D29_frames_of_xdp_are_complete) {
  Watched watched{KUNIT_PACE_AT_ONCE};
  ASSERT(watched.up());
  net_device* const netdev = watched.nic.netdev(0);
  const Frame frame{{.payload = 333}};
  ASSERT(frame);
  const u64 expected = RingWatch::digest(frame.bytes(), frame.length());
  u32 right = 0, seen = 0;
  auto look = [&](const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
    if (ring.kind != Kind::kTransmit)
      return;
    seen++;
    right += watched.watch.digest(wqe) == expected;
  };
  watched.watch.on_wqe = look;

  // From another driver: one doorbell for all of them.
  const u32 rung = watched.watch.doorbells(Kind::kTransmit);
  EXPECT_EQ(kunit_xdp_send(netdev, frame.bytes(), frame.length(), 8), 8);
  EXPECT_EQ(seen, 8u);
  EXPECT_EQ(watched.watch.doorbells(Kind::kTransmit), rung + 1);
  watched.nic.settle();

  // Back where they came from: port 1 sends, and each goes out at port 0 again.
  const auto reflect = [](void*, const kunit_xdp*, int*, int*, u32*, int*) { return SHIM_XDP_TX; };
  ASSERT_EQ(kunit_xdp_attach(netdev, reflect, nullptr), 0);
  watched.nic.settle();
  seen = right = 0;
  const Frame to_port_0{{.payload = 333, .source = 2, .destination = 1}};
  const u64 back = RingWatch::digest(to_port_0.bytes(), to_port_0.length());
  u32 reflected = 0;
  auto look_back = [&](const RingWatch::Ring& ring, const RingWatch::Wqe& wqe) {
    if (ring.kind == Kind::kTransmit)
      reflected += watched.watch.digest(wqe) == back;
  };
  watched.watch.on_wqe = look_back;
  for (u32 n = 0; n < 6; n++)
    EXPECT(watched.nic.send(1, to_port_0));
  EXPECT_EQ(reflected, 12u);  // six of port 1, six of port 0
  EXPECT_EQ(watched.nic.stat(0, "rx_0_xdp_tx") + watched.nic.stat(0, "rx_1_xdp_tx"), 6u);
  watched.watch.on_wqe = nullptr;
  EXPECT_EQ(kunit_xdp_detach(netdev), 0);
}

// Queues that are made anew start at 0 again, in memory and in what they tell.
CASE(D30_recreated_queues_start_again) {
  Watched watched{KUNIT_PACE_LATER};
  ASSERT(watched.up());
  Batch batch{watched};
  for (const u32 mtu : {5000u, 1500u, 3000u}) {
    batch.send(0, Batch::kMost, 200);
    const RingWatch::Ring* ring = watched.watch.ring(Kind::kTransmit, 0);
    ASSERT(ring);
    EXPECT_LE(ring->wqes, Batch::kMost);
    ASSERT_EQ(kunit_netdev_set_mtu(watched.nic.netdev(0), mtu), 0);
    watched.nic.settle();
  }
  EXPECT_EQ(watched.watch.most_laps(Kind::kTransmit), 0u);
}

// The watch knows how many entries were written; this is that it was asked.
CASE(D31_indices_are_those_of_what_was_written) {
  Watched watched{KUNIT_PACE_LATER};
  ASSERT(watched.up());
  const u32 before = watched.watch.index_doorbells();
  Batch batch{watched};
  for (u32 n = 0; n < 12; n++)
    batch.send(n * Batch::kMost, Batch::kMost, 60);
  EXPECT_GE(watched.watch.index_doorbells() - before, 24u);
}

constexpr mana_case kCases[] = {
    LIST(D32_each_doorbell_is_one_write_of_64_bits),
    LIST(D30_tail_wraps_at_32_bits),
    LIST(D31_index_and_arm_bit_do_not_mix),
    LIST(D33_wqe_count_is_0_for_every_id),
    LIST(D29_requests_are_complete_when_the_doorbell_rings),
    LIST(D29_buffers_are_complete_when_a_queue_starts),
    LIST(D29_packets_are_complete_one_by_one),
    LIST(D29_packets_are_complete_in_batches),
    LIST(D29_scattered_packets_are_complete_where_the_ring_wraps),
    LIST(D29_refills_are_complete_over_laps),
    LIST(D29_segmented_packets_are_complete),
    LIST(D29_frames_of_xdp_are_complete),
    LIST(D30_recreated_queues_start_again),
    LIST(D31_indices_are_those_of_what_was_written),
};

}  // namespace

MANA_SUITE(doorbell, kCases)

}  // namespace mana::kunit
