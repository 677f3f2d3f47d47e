// SPDX-License-Identifier: GPL-2.0
// src/port/tx_queue.cc: one packet at a time. The WQE as the device reads it, the frame as the
// other port gets it, and what completions do. Full rings and batches are in tx_ring.cc,
// segmentation in lso.cc.
#include <initializer_list>

#include "kunit/harness/bytes.h"
#include "kunit/harness/transmit_bench.h"
#include "kunit/shim/faults.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

using wire::TxOob;

// A queue that broke is left alone for 100 ms; the device and its interrupt need a few.
constexpr u32 kBeforeRepair = 40;

// As the data sheet's examples have it: CQ 0x2A, SQ id[23:10] of 0x1418, memory at 0x1000 * (n + 1)
// with key 0x99. The real ids are checked first.
void normalise(WqeView& view, const TransmitBench::Sq& sq) {
  EXPECT_EQ(TxOob::CqId::get(view.oob(0)), sq.cq_id);
  EXPECT_EQ(view.oob(1) & TxOob::SqFrame::kMask, sq.wq_id & TxOob::SqFrame::kMask);
  view.word[2] = TxOob::CqId::replace(view.word[2], 0x2A);
  view.word[3] = TxOob::SqFrame::replace(view.word[3], 0x1418 >> 10);
  for (u32 i = 0; i < view.sges(); i++) {
    wire::Sge sge = view.sge(i);
    sge.address = 0x1000ull * (i + 1);
    sge.memory_key = 0x99;
    __builtin_memcpy(&view.word[wire::sgl_offset(view.oob_size()) / 4 + 4 * i], &sge, sizeof(sge));
  }
}

// --- form and ids ---

CASE(D51_short_form_as_in_the_data_sheet) {
  TransmitBench bench;
  ASSERT(bench.up());
  FrameSpec spec{.protocol = 6, .payload = 1000, .partial = true};
  const Frame frame{spec};
  kunit_packet packet = frame.packet();
  packet.linear = 54;
  WqeView view = bench.post(packet);
  ASSERT(view.taken);
  normalise(view, bench.sq());
  // Appendix B.5; the last 16 bytes are padding.
  (void)check_bytes(view.word, 48,
                    "00 00 00 00 02 02 00 00 24 2a 00 00 22 14 00 05"
                    "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
                    "00 20 00 00 00 00 00 00 99 00 00 00 e8 03 00 00",
                    "the WQE", __FILE__, __LINE__);
  spec.partial = false;
  EXPECT(bench.arrives(Frame{spec}));
  EXPECT_EQ(bench.stat("tx_0_short_pkt_fmt"), 1u);
  EXPECT_EQ(bench.stat("tx_0_long_pkt_fmt"), 0u);
  bench.expect_peace();
}

// The two ports have the largest offset of the short form, and one more.
CASE(D51_offsets_that_only_the_long_form_holds) {
  TransmitBench bench{{.options = "vport-offset=255"}};
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  WqeView view = bench.post(frame.packet());
  ASSERT(view.taken);
  EXPECT(!view.is_long());
  EXPECT_EQ(TxOob::PacketFormat::get(view.oob(0)), TxOob::kShortFormat);
  EXPECT_EQ(TxOob::ShortVportOffset::get(view.oob(1)), 255u);
  EXPECT(bench.arrives(frame));

  const Tap tap{bench.netdev(0)};
  const Frame back{{.source = 2, .destination = 1}};
  EXPECT(bench.nic.send(1, back));
  view = bench.wqe(bench.sq(1), 0);
  EXPECT(view.is_long());
  EXPECT_EQ(TxOob::PacketFormat::get(view.oob(0)), TxOob::kLongFormat);
  EXPECT_EQ(TxOob::ShortVportOffset::get(view.oob(1)), 0u);
  EXPECT_EQ(TxOob::InjectVlan::get(view.oob(2)), 0u);
  EXPECT_EQ(TxOob::LongVportOffset::get(view.oob(3)), 256u);
  const Skb skb = tap.take();
  EXPECT(skb && skb.holds(back));
  EXPECT_EQ(bench.nic.stat(1, "tx_0_long_pkt_fmt"), 1u);
  bench.expect_peace();
}

CASE(D51_an_offset_beyond_twelve_bits_is_refused) {
  Nic nic{{.ports = 1}};
  ASSERT_EQ(nic.probe(), 0);
  u32 offset = 4095;
  auto edit = [&](wire::Command command, u8* bytes, u32 length) {
    if (command == wire::Command::kConfigVportTx && length >= sizeof(wire::ConfigVportTxResponse))
      __builtin_memcpy(bytes + __builtin_offsetof(wire::ConfigVportTxResponse, vport_offset),
                       &offset, 2);
  };
  nic.device().edit_response = edit;
  EXPECT_EQ(nic.open(0), 0);
  nic.close(0);
  offset = 4096;
  EXPECT_LE(nic.open(0), -1);
  nic.device().edit_response = nullptr;
  EXPECT_EQ(nic.open(0), 0);
}

CASE(D51_a_tag_takes_the_long_form_with_the_offset_twice) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (const u32 tci : {0u, 1u, 0x0FFFu, 0x1000u, 0xE000u, 0x6064u, 0xFFFFu}) {
    kunit_packet packet = frame.packet();
    packet.vlan = true;
    packet.tci = static_cast<u16>(tci);
    const WqeView view = bench.post(packet);
    ASSERT(view.taken);
    EXPECT(view.is_long());
    EXPECT_EQ(TxOob::PacketFormat::get(view.oob(0)), TxOob::kLongFormat);
    EXPECT_EQ(TxOob::ShortVportOffset::get(view.oob(1)), 5u);
    EXPECT_EQ(TxOob::InjectVlan::get(view.oob(2)), 1u);
    EXPECT_EQ(TxOob::Pcp::get(view.oob(2)), tci >> 13);
    EXPECT_EQ(TxOob::Dei::get(view.oob(2)), tci >> 12 & 1);
    EXPECT_EQ(TxOob::VlanId::get(view.oob(2)), tci & 0xFFF);
    EXPECT_EQ(view.oob(2) & 0xFFF7, 0u);  // encapsulation, reserved bits
    EXPECT_EQ(view.oob(3), TxOob::LongVportOffset::put(5));
    EXPECT_EQ(view.oob(4), 0u);
    EXPECT_EQ(view.oob(5), 0u);
    const Skb skb = bench.take();
    ASSERT(skb);
    EXPECT(skb.holds(frame));
    EXPECT(skb.look().vlan);
    EXPECT_EQ(skb.look().tci, tci & 0xFFF);  // completions of the device carry no more
  }
  EXPECT_EQ(bench.stat("tx_0_long_pkt_fmt"), 7u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_vlan_inserted"), 7u);
  bench.expect_peace();
}

CASE(D52_every_queue_names_its_own_SQ_and_CQ) {
  TransmitBench bench{{.queues = 4}};
  ASSERT(bench.up());
  for (u32 queue = 0; queue < 4; queue++) {
    const Frame frame{{.source_port = static_cast<u16>(queue)}};
    const WqeView view = bench.post(frame.packet(), queue);
    ASSERT(view.taken);
    const auto& sq = bench.sq(queue);
    EXPECT_NE(sq.wq_id & TxOob::SqFrame::kMask, 0u);
    EXPECT_EQ(TxOob::CqId::get(view.oob(0)), sq.cq_id);
    EXPECT_EQ(TxOob::SqFrame::get(view.oob(1)), sq.wq_id >> 10);
    EXPECT_EQ(sq.bells, 1u);
    EXPECT_EQ(sq.tail, 32u);
    EXPECT(bench.arrives(frame));
    for (u32 other = 0; other < queue; other++) {
      EXPECT_NE(bench.sq(other).wq_id, sq.wq_id);
      EXPECT_NE(bench.sq(other).cq_id, sq.cq_id);
      EXPECT_EQ(bench.sq(other).bells, 1u);
    }
  }
  bench.expect_peace();
}

CASE(D62_a_CQE_for_each_WQE_that_fits) {
  TransmitBench bench{{.ports = 1, .ring = 512}};
  ASSERT(bench.up());
  EXPECT_EQ(bench.sq().wq_bytes, 512u * 32);
  EXPECT_GE(bench.sq().cq_bytes / wire::Cqe::kSize, bench.sq().wq_bytes / wire::kBasicUnit);
}

// --- checksums ---

void checksum_offload(TransmitBench& bench, const FrameSpec& spec) {
  const Frame frame{spec};
  const WqeView view = bench.post(frame.packet());
  ASSERT(view.taken);
  const u32 dw0 = view.oob(0);
  EXPECT_EQ(TxOob::IsIpv4::get(dw0), spec.family == 4 ? 1u : 0u);
  EXPECT_EQ(TxOob::IsIpv6::get(dw0), spec.family == 6 ? 1u : 0u);
  EXPECT_EQ(TxOob::ComputeTcpChecksum::get(dw0), spec.protocol == 6 ? 1u : 0u);
  EXPECT_EQ(TxOob::ComputeUdpChecksum::get(dw0), spec.protocol == 17 ? 1u : 0u);
  EXPECT_EQ(TxOob::SuppressCqe::get(dw0), 0u);
  EXPECT_EQ(TxOob::TransportOffset::get(view.oob(1)), frame.l4());
  EXPECT_EQ(view.mss(), 0u);
  EXPECT(!view.is_lso());
  const Skb skb = bench.take();
  ASSERT(skb);
  FrameSpec finished = spec;
  finished.partial = false;
  finished.tagged = false;  // the receiver strips it
  EXPECT(skb.holds(Frame{finished}));
  EXPECT(skb.look().checksum_good);
}

CASE(D53_TCP_and_UDP_over_IPv4_and_IPv6) {
  TransmitBench bench;
  ASSERT(bench.up());
  u32 sent = 0;
  for (const u32 family : {4u, 6u})
    for (const u32 payload : {0u, 1u, 1000u, 1001u}) {
      for (const u32 options : {0u, 12u, 40u}) {
        checksum_offload(bench, {.family = family,
                                 .protocol = 6,
                                 .payload = payload,
                                 .tcp_options = options,
                                 .partial = true});
        sent++;
      }
      checksum_offload(bench, {.family = family, .payload = payload, .partial = true});
      sent++;
    }
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), sent);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_checksums"), sent);
  bench.expect_peace();
}

// The offset counts bytes of the frame as it is handed over.
CASE(D53_a_tag_in_the_frame_moves_the_offset) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {4u, 6u})
    for (const u32 protocol : {6u, 17u})
      checksum_offload(
          bench,
          {.family = family, .protocol = protocol, .tagged = true, .tci = 7, .partial = true});
  bench.expect_peace();
}

CASE(D53_nothing_is_asked_for_without_need) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {0u, 4u, 6u}) {
    const Frame frame{{.family = family}};
    const WqeView view = bench.post(frame.packet());
    ASSERT(view.taken);
    EXPECT_EQ(view.oob(0) & 0xFF, 0u);
    EXPECT_EQ(TxOob::TransportOffset::get(view.oob(1)), 0u);
    EXPECT(bench.arrives(frame));
  }
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), 0u);
  bench.expect_peace();
}

CASE(D53_the_limits_of_the_offset_and_of_protocols) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  const Frame ipv4{{.payload = 1400, .partial = true}};
  const Frame ipv6{{.family = 6, .payload = 1400, .partial = true}};
  const Frame other{{.family = 0, .payload = 1400}};
  const auto can = [&](const Frame& frame, u32 start, u32 offset) {
    kunit_packet packet = frame.packet();
    packet.checksum_start = start;
    packet.checksum_offset = offset;
    const Skb skb{bench.make(packet)};
    return skb && mana_port_can_checksum(kunit_netdev_port(bench.netdev()), skb.get());
  };
  for (const Frame* frame : {&ipv4, &ipv6}) {
    EXPECT(can(*frame, 1023, 6));
    EXPECT(can(*frame, 1023, 16));
    EXPECT(!can(*frame, 1024, 6));
    EXPECT(!can(*frame, 1024, 16));
    for (const u32 offset : {0u, 2u, 8u, 10u, 17u})  // 8 is SCTP's
      EXPECT(!can(*frame, 34, offset));
  }
  EXPECT(!can(other, 34, 6));
  EXPECT(can(other, 0, 6));  // nothing is asked for
}

// The stack asks the driver, and does the sum itself.
CASE(D53_software_sums_what_the_device_cannot) {
  TransmitBench bench;
  ASSERT(bench.up());
  const auto sent = [&](const Frame& frame, u32 start, u32 offset) {
    kunit_packet packet = frame.packet();
    packet.checksum_start = start;
    packet.checksum_offset = offset;
    EXPECT(kunit_send_direct(bench.make(packet), 0));
    bench.nic.settle();
    put16(frame.bytes() + start + offset,
          ~internet_sum(frame.bytes() + start, frame.length() - start));
    EXPECT(bench.arrives(frame));
  };
  const Frame ipv4{{.payload = 300}};
  sent(ipv4, ipv4.l4(), 8);  // neither TCP nor UDP
  const Frame other{{.family = 0, .payload = 300}};
  sent(other, 40, 6);
  const Frame large{{.payload = 1400}};
  sent(large, 1024, 6);
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), 0u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_checksums"), 0u);
  // What is just within the limits is the device's.
  const Frame partial{{.payload = 300, .partial = true}};
  EXPECT(kunit_send_direct(bench.make(partial.packet()), 0));
  bench.nic.settle();
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), 1u);
  bench.expect_peace();
}

// --- scatter and gather ---

CASE(an_SGE_for_each_piece) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 1000}};
  for (u32 fragments = 0; fragments <= 17; fragments++) {
    kunit_packet packet = frame.packet();
    packet.fragment = 50;
    packet.linear = frame.length() - 50 * fragments;
    const WqeView view = bench.post(packet);
    ASSERT(view.taken);
    EXPECT_EQ(view.sges(), fragments + 1);
    EXPECT_EQ(view.sge(0).size, packet.linear);
    for (u32 i = 0; i < view.sges(); i++) {
      if (i > 0)
        EXPECT_EQ(view.sge(i).size, 50u);
      EXPECT_EQ(view.sge(i).memory_key, view.sge(0).memory_key);
    }
    EXPECT(bench.arrives(frame));
  }
  EXPECT_EQ(bench.stat("tx_0_linearized"), 0u);
  bench.expect_peace();
}

CASE(fragments_of_no_bytes_are_left_out) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 600}};
  const u8* bytes = frame.bytes();
  kunit_packet packet = frame.packet();
  packet.length = 142;  // the rest comes in fragments
  sk_buff* skb = bench.make(packet);
  ASSERT(skb && kunit_skb_add_fragment(skb, bytes, 0) &&
         kunit_skb_add_fragment(skb, bytes + 142, 200) && kunit_skb_add_fragment(skb, bytes, 0) &&
         kunit_skb_add_fragment(skb, bytes, 0) && kunit_skb_add_fragment(skb, bytes + 342, 300) &&
         kunit_skb_add_fragment(skb, bytes, 0));
  const WqeView view = bench.post(skb);
  ASSERT(view.taken);
  EXPECT_EQ(view.sges(), 3u);
  EXPECT_EQ(view.payload(), frame.length());
  EXPECT(bench.arrives(frame));
  bench.expect_peace();
}

// An skb of this kernel has at most 17 fragments, but a list of more skbs, with theirs: 38 pieces.
CASE(D55_more_pieces_than_a_WQE_holds_become_one) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 1000}};
  const auto part = [&](u32 from, u32 bytes) {
    // kunit_skb() wants an Ethernet header; the piece has other bytes there.
    return bench.make({.bytes = frame.bytes() + from,
                       .length = bytes,
                       .linear = 20,
                       .fragment = 20,
                       .gso_size = 0,
                       .checksum_start = 0,
                       .checksum_offset = 0,
                       .vlan = false,
                       .tci = 0,
                       .headroom = 0});
  };
  for (const u32 lists : {1u, 2u}) {
    sk_buff* skb = part(0, 360);
    ASSERT(skb);
    const u32 rest = frame.length() - 360;
    for (u32 i = 0; i < lists; i++) {
      sk_buff* more = part(360 + i * 360, lists == 1 ? 360 : i == 0 ? 360 : rest - 360);
      ASSERT(more);
      kunit_skb_add_list(skb, more);
    }
    const WqeView view = bench.post(skb);
    ASSERT(view.taken);
    EXPECT_EQ(view.sges(), 1u);
    const Skb arrived = bench.take();
    EXPECT(arrived && arrived.holds(frame.bytes(), lists == 1 ? 720 : frame.length()));
    EXPECT_EQ(bench.stat("tx_0_linearized"), lists);
  }
  bench.expect_peace();
}

// Around the ring, again and again: each time the SGL of one packet goes round the ring's end,
// after one of its units or right behind it. The way there leads over all places, with all numbers
// of SGEs. (Which byte is where, for all places and numbers, is work_ring's to say.)
CASE(D34_every_place_of_the_ring_and_every_way_around_its_end) {
  TransmitBench bench;
  ASSERT(bench.up());
  constexpr u32 kUnits = 128, kMostFragments = 17, kMostUnits = 10, kPiece = 12, kBatch = 10;
  const Frame frame{{.payload = kMostFragments * kPiece + 10}};
  u8& number = frame.bytes()[frame.payload()];
  bool places[kUnits] = {}, numbers[2][kMostFragments + 1] = {};
  u32 first = 0, pending = 0;
  const auto units_of = [](bool tagged, u32 fragments) {
    return wire::wqe_bytes(tagged ? wire::OobSize::k24 : wire::OobSize::k8, 1 + fragments) /
           wire::kBasicUnit;
  };
  const auto check = [&] {
    EXPECT(bench.await_arrived(pending));
    for (; pending > 0; pending--) {
      number = static_cast<u8>(first++);
      if (!bench.arrives(frame)) {
        FAIL("packet %u did not arrive as it was", first - 1);
        return false;
      }
    }
    return bench.arrived() == 0;
  };
  const auto here = [&] { return bench.sq().tail / wire::kBasicUnit % kUnits; };
  const auto send = [&](bool tagged, u32 fragments) {
    kunit_packet packet = frame.packet();
    packet.linear = frame.length() - kPiece * fragments;
    packet.fragment = kPiece;
    packet.vlan = tagged;
    number = static_cast<u8>(first + pending);
    places[here()] = true;
    numbers[tagged][fragments] = true;
    const bool sent = bench.send(packet);
    return (++pending < kBatch || check()) && sent;
  };
  u32 turn = 0;
  const auto travel = [&](u32 to) {
    while (here() != to) {
      const u32 units = min((to - here()) % kUnits, kMostUnits);
      const bool tagged = turn / 2 % 2 && units > 1;
      u32 fragments = 0;
      while (units_of(tagged, fragments) < units)
        fragments++;
      // The last unit may hold one SGE or two.
      if (turn++ % 2 && fragments < kMostFragments && units_of(tagged, fragments + 1) == units)
        fragments++;
      if (!send(tagged, fragments))
        return false;
    }
    return true;
  };
  for (const bool tagged : {false, true})
    for (u32 before = 1; before < kMostUnits; before++) {
      u32 exact = 0, over = 0;
      while (units_of(tagged, exact) < before)
        exact++;
      while (units_of(tagged, over) <= before)
        over++;
      ASSERT(travel(kUnits - before) && send(tagged, exact));
      ASSERT(travel(kUnits - before) && send(tagged, over));
      ASSERT(travel(kUnits - before) && send(tagged, kMostFragments));
    }
  ASSERT(check());
  for (u32 at = 0; at < kUnits; at++)
    EXPECT(places[at]);
  for (u32 fragments = 0; fragments <= kMostFragments; fragments++)
    EXPECT(numbers[0][fragments] && numbers[1][fragments]);
  kunit_note("%u packets", first);
  bench.expect_peace();
}

CASE(every_byte_may_be_the_last_linear_one) {
  TransmitBench bench{{.pace = KUNIT_PACE_AT_ONCE}};
  ASSERT(bench.up());
  const Frame frame{{.payload = 80}};
  for (u32 linear = 14; linear <= frame.length();) {
    u32 batch = 0;
    for (; batch < 16 && linear <= frame.length(); batch++, linear++) {
      kunit_packet packet = frame.packet();
      packet.linear = linear;
      ASSERT(bench.send(packet));
    }
    EXPECT(bench.await_arrived(batch));
    for (; batch > 0; batch--)
      ASSERT(bench.arrives(frame));
  }
  bench.expect_peace();
}

// --- what fails on the way ---

CASE(mappings_that_fail_leave_nothing) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  kunit_function* function = bench.nic.function().get();
  const u32 mapped = kunit_dma_streaming(function);
  const Frame frame{{.payload = 600}};
  kunit_packet packet = frame.packet();
  packet.linear = 100;
  packet.fragment = 120;  // 5 of them
  kunit_skb_log_begin();
  u32 n = 1;
  for (; n < 20; n++) {
    kunit_dma_fail_nth(function, n);
    sk_buff* skb = bench.make(packet);
    ASSERT(skb);
    kunit_skb_log(skb, n);
    EXPECT(bench.send(skb));
    if (bench.sq().bells != 0)
      break;
    EXPECT_EQ(kunit_skb_log_count(), n);
    EXPECT_EQ(kunit_dma_streaming(function), mapped);
  }
  kunit_dma_fail_nth(function, 0);
  EXPECT_EQ(n, 7u);
  bench.nic.settle();
  EXPECT_EQ(kunit_dma_streaming(function), mapped);
  EXPECT_EQ(kunit_skb_log_count(), 7u);
  EXPECT_EQ(bench.sq().tail, 128u);  // nothing but the last: 16 + 6 * 16 bytes
  EXPECT_EQ(bench.stat("tx_0_mana_map_err"), 6u);
  EXPECT_EQ(bench.stat("tx_0_dropped"), 6u);
  EXPECT_EQ(bench.stat("tx_0_packets"), 1u);
  EXPECT_EQ(bench.nic.link_stats(0).tx_dropped, 6u);
  bench.expect_peace();
}

CASE(allocations_that_fail_leave_nothing) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  kunit_function* function = bench.nic.function().get();
  const u32 mapped = kunit_dma_streaming(function);
  const Frame frame{{.payload = 600}};
  kunit_skb_log_begin();
  u32 n = 1;
  for (; n < 20; n++) {
    kunit_packet packet = frame.packet();
    sk_buff* skb = bench.make(packet);
    ASSERT(skb);
    kunit_skb_add_list(skb, bench.make(packet));  // to be made one: memory is needed
    kunit_skb_log(skb, n);
    kunit_fail_allocation(n);
    const bool sent = bench.send(skb);
    const bool reached = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    EXPECT(sent);
    bench.nic.settle();  // some allocations the kernel itself can do without
    if (!reached)
      break;
    EXPECT_EQ(kunit_skb_log_count(), n);
    EXPECT_EQ(kunit_dma_streaming(function), mapped);
  }
  EXPECT_GE(n, 2u);
  EXPECT_EQ(kunit_skb_log_count(), n);
  EXPECT_EQ(kunit_dma_streaming(function), mapped);
  EXPECT_GE(bench.stat("tx_0_dropped"), 1u);
  EXPECT_LE(bench.stat("tx_0_dropped"), n - 1);
  EXPECT_EQ(bench.stat("tx_0_dropped") + bench.stat("tx_0_packets"), n);
  bench.expect_peace();
}

// --- completions ---

CASE(D56_in_order_and_once) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 60}};
  kunit_packet packet = frame.packet();
  packet.linear = 60;
  packet.fragment = 20;
  constexpr u32 kPackets = 160;
  kunit_skb_log_begin();
  for (u32 n = 0; n < kPackets; n++) {
    packet.linear = n % 3 == 0 ? 0 : 60;
    sk_buff* skb = bench.make(packet);
    ASSERT(skb);
    kunit_skb_log(skb, n);
    ASSERT(bench.send(skb));
    if (n % 16 == 15) {
      EXPECT(bench.await_arrived(16));
      bench.clear_arrived();
    }
  }
  ASSERT_EQ(kunit_skb_log_count(), kPackets);
  for (u32 n = 0; n < kPackets; n++)
    ASSERT_EQ(kunit_skb_log_entry(n), n);
  bench.expect_peace();
}

// The next `count` packets of the port, unseen by the device.
bool queue_up(TransmitBench& bench, const Frame& frame, u32 count) {
  kunit_skb_log_begin();
  bench.hold(true);
  for (u32 n = 0; n < count; n++) {
    sk_buff* skb = bench.make(frame.packet());
    if (!skb)
      return false;
    kunit_skb_log(skb, n);
    if (!bench.send(skb))
      return false;
  }
  bench.hold(false);
  return kunit_skb_log_count() == 0;
}

CASE(D56_an_extra_completion_frees_nothing) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  bench.nic.device().fault("tx extra x1");
  kunit_skb_log_begin();
  sk_buff* skb = bench.make(frame.packet());
  ASSERT(skb);
  kunit_skb_log(skb, 0);
  EXPECT(bench.send(skb));
  bench.nic.settle();
  EXPECT(bench.arrives(frame));
  EXPECT_EQ(kunit_skb_log_count(), 1u);
  EXPECT_EQ(bench.stat("tx_cqe_misdirected"), 1u);
  EXPECT(bench.await_recoveries(1));
  EXPECT_EQ(kunit_skb_log_count(), 1u);
  bench.expect_peace(1);
}

// A completion too many in the middle cannot be told from the next packet's, but from the last's.
CASE(D56_a_duplicate_among_others_frees_nothing_twice) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  ASSERT(queue_up(bench, frame, 3));
  bench.nic.device().fault("tx extra x1");
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  EXPECT_EQ(bench.arrived(), 3u);
  ASSERT_EQ(kunit_skb_log_count(), 3u);
  for (u32 n = 0; n < 3; n++)
    EXPECT_EQ(kunit_skb_log_entry(n), n);
  EXPECT_EQ(bench.stat("tx_cqe_misdirected"), 1u);
  EXPECT(bench.await_recoveries(1));
  EXPECT_EQ(kunit_skb_log_count(), 3u);
  bench.expect_peace(1);
}

// Each kind of completion that does not belong to the queue: it frees nothing, and the queue is
// made anew, which drops the packet.
CASE(D56_completions_that_are_not_ours_free_nothing) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  enum Kind { kWrongId, kNoSq, kClient0, kClient2, kClient3, kKinds };
  static constexpr u32 kClients[] = {0, 2, 3};
  for (u32 kind = 0; kind < kKinds; kind++) {
    const TransmitBench::Sq sq = bench.sq();
    u32 edited = 0;
    auto edit = [&](u64 address, u8* bytes, u32 length) {
      if (address < sq.cq_address || address >= sq.cq_address + sq.cq_bytes)
        return;
      if (length > 1 && kind == kWrongId)
        bytes[60] ^= 1, edited++;
      if (length > 1 && kind >= kClient0)
        bytes[0] = static_cast<u8>((bytes[0] & 0x3F) | kClients[kind - kClient0] << 6), edited++;
      if (length == 1 && kind == kNoSq)
        bytes[0] &= 0xFE, edited++;
    };
    bench.nic.device().edit_write = edit;
    ASSERT(queue_up(bench, frame, 1));
    bench.let(sq, bench.sq().tail);
    bench.forget_sqs();
    shim_sleep_ms(kBeforeRepair);
    EXPECT_EQ(edited, 1u);
    EXPECT_EQ(kunit_skb_log_count(), 0u);
    bench.nic.device().edit_write = nullptr;
    ASSERT(bench.await_recoveries(kind + 1));
    EXPECT_EQ(bench.stat("tx_cqe_misdirected"), kind + 1);
    EXPECT_EQ(kunit_skb_log_count(), 1u);
  }
  bench.expect_peace(kKinds);
}

CASE(D57_type_42_recreates_the_queue) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  ASSERT(queue_up(bench, frame, 5));
  bench.nic.device().fault("tx disable x1");
  const u32 before = bench.nic.device().request_count();
  bench.let(bench.sq(), bench.sq().tail);
  shim_sleep_ms(kBeforeRepair);
  EXPECT_EQ(kunit_skb_log_count(), 1u);
  EXPECT_EQ(bench.arrived(), 0u);
  EXPECT(bench.await_recoveries(1));
  // All of them are gone, each once; the old SQ is, too, and there is a new one.
  EXPECT_EQ(kunit_skb_log_count(), 5u);
  EXPECT_EQ(bench.nic.device().count_of(wire::Command::kDestroyWqObject, before), 2u);
  EXPECT_EQ(bench.nic.device().count_of(wire::Command::kCreateWqObject, before), 2u);
  EXPECT_EQ(bench.sq_count(), 3u);
  EXPECT_EQ(bench.stat("tx_cq_err"), 1u);
  // The other port never noticed.
  EXPECT_EQ(bench.nic.stat(1, "queue_recoveries"), 0u);
  bench.forget_sqs();
  bench.expect_peace(1);
}

CASE(a_queue_that_breaks_in_each_repair_is_repaired_again) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (u32 n = 1; n <= 8; n++) {
    bench.nic.device().fault("tx disable x1");
    EXPECT(bench.send(frame.packet()));
    ASSERT(bench.await_recoveries(n));
  }
  bench.forget_sqs();
  bench.expect_peace(8);
}

CASE(errors_of_single_packets_are_counted_and_no_more) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  u32 sent = 0;
  kunit_skb_log_begin();
  const auto complete_with = [&](u32 type) {
    char line[32];
    shim_format(line, sizeof(line), "tx type %u x1", type);
    bench.nic.device().fault(line);
    sk_buff* skb = bench.make(frame.packet());
    if (skb)
      kunit_skb_log(skb, sent);
    EXPECT(bench.send(skb));
    bench.nic.settle();
    EXPECT_EQ(kunit_skb_log_count(), ++sent);
  };
  for (u32 type = 33; type <= 41; type++)
    complete_with(type);
  EXPECT_EQ(bench.stat("tx_cq_err"), 9u);
  for (const u32 type : {0u, 1u, 31u, 43u, 63u})
    complete_with(type);
  EXPECT_EQ(bench.stat("tx_cqe_unknown_type"), 5u);
  EXPECT_EQ(bench.stat("tx_cq_err"), 9u);
  EXPECT_EQ(bench.nic.link_stats(0).tx_errors, 14u);
  shim_sleep_ms(500);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT(kunit_netdev_carrier(bench.netdev()));
}

// What the model itself refuses: a frame above the adapter's MTU.
CASE(a_frame_that_is_too_long_costs_nothing_but_itself) {
  TransmitBench bench{{.mtu = 1500}};
  ASSERT(bench.up());
  EXPECT(bench.send(Frame{{.payload = 1514 - 42}}.packet()));
  EXPECT(bench.send(Frame{{.payload = 1514 - 42 + 1}}.packet()));
  bench.nic.settle();
  EXPECT_EQ(bench.arrived(), 1u);
  EXPECT_EQ(bench.stat("tx_cq_err"), 1u);
  EXPECT_EQ(bench.stat("hc_tx_err_mtu_violation"), 1u);
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(D39_an_overrun_of_the_CQ_recreates_the_queue) {
  TransmitBench bench;
  ASSERT(bench.up());
  const u64 cq = bench.sq().cq_address;
  auto skew = [&](u64 address, u8* bytes, u32 length) {
    if (address >= cq && address < cq + 128 * wire::Cqe::kSize && length == 1)
      bytes[0] = static_cast<u8>(bytes[0] + (2 << 5));  // owner bits: two laps ahead
  };
  bench.nic.device().edit_write = skew;
  ASSERT(queue_up(bench, Frame{FrameSpec{}}, 1));
  bench.let(bench.sq(), bench.sq().tail);
  shim_sleep_ms(kBeforeRepair);
  EXPECT_EQ(kunit_skb_log_count(), 0u);
  bench.nic.device().edit_write = nullptr;
  bench.forget_sqs();
  EXPECT(bench.await_recoveries(1));
  EXPECT_EQ(kunit_skb_log_count(), 1u);
  bench.expect_peace(1);
}

constexpr mana_case kCases[] = {
    LIST(D51_short_form_as_in_the_data_sheet),
    LIST(D51_offsets_that_only_the_long_form_holds),
    LIST(D51_an_offset_beyond_twelve_bits_is_refused),
    LIST(D51_a_tag_takes_the_long_form_with_the_offset_twice),
    LIST(D52_every_queue_names_its_own_SQ_and_CQ),
    LIST(D62_a_CQE_for_each_WQE_that_fits),
    LIST(D53_TCP_and_UDP_over_IPv4_and_IPv6),
    LIST(D53_a_tag_in_the_frame_moves_the_offset),
    LIST(D53_nothing_is_asked_for_without_need),
    LIST(D53_the_limits_of_the_offset_and_of_protocols),
    LIST(D53_software_sums_what_the_device_cannot),
    LIST(an_SGE_for_each_piece),
    LIST(fragments_of_no_bytes_are_left_out),
    LIST(D55_more_pieces_than_a_WQE_holds_become_one),
    LIST(D34_every_place_of_the_ring_and_every_way_around_its_end),
    LIST(every_byte_may_be_the_last_linear_one),
    LIST(mappings_that_fail_leave_nothing),
    LIST(allocations_that_fail_leave_nothing),
    LIST(D56_in_order_and_once),
    LIST(D56_an_extra_completion_frees_nothing),
    LIST(D56_a_duplicate_among_others_frees_nothing_twice),
    LIST(D56_completions_that_are_not_ours_free_nothing),
    LIST(D57_type_42_recreates_the_queue),
    LIST(a_queue_that_breaks_in_each_repair_is_repaired_again),
    LIST(errors_of_single_packets_are_counted_and_no_more),
    LIST(a_frame_that_is_too_long_costs_nothing_but_itself),
    LIST(D39_an_overrun_of_the_CQ_recreates_the_queue),
};

}  // namespace

MANA_SUITE(tx_queue, kCases)

}  // namespace mana::kunit
