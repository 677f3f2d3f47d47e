// SPDX-License-Identifier: GPL-2.0
// TCP segmentation (data sheet 8.4): what src/port/tx_queue.cc hands to the device, and that what
// comes out at the other port is exactly the segments.
#include <initializer_list>

#include "kunit/harness/bytes.h"
#include "kunit/harness/transmit_bench.h"
#include "kunit/shim/faults.h"
#include "kunit/shim/view.h"
#include "shim/memory.h"

namespace mana::kunit {
namespace {

using wire::TxOob;

constexpr u8 kFin = 0x01, kSyn = 0x02, kPush = 0x08, kAck = 0x10, kUrgent = 0x20, kEcn = 0x40,
             kReduced = 0x80;

struct Packet {
  FrameSpec spec;  // of all of it
  u32 mss = 1460;
  u32 linear = 0;  // 0: all of it
  u32 fragment = 0;
  bool vlan = false;  // beside the data
  u16 tci = 0;
  u16 ip_id = 0x1234;
};

void set_ip_id(const Frame& frame, u32 id) {
  u8* ip = frame.bytes() + frame.l3();
  put16(ip + 4, id);
  put16(ip + 10, 0);
  put16(ip + 10, ~internet_sum(ip, 20));
}

Frame whole(const Packet& packet) {
  FrameSpec spec = packet.spec;
  spec.protocol = 6;
  spec.partial = true;
  Frame frame{spec};
  if (frame && spec.family == 4)
    set_ip_id(frame, packet.ip_id);
  return frame;
}

kunit_packet describe(const Packet& packet, const Frame& frame) {
  kunit_packet described = frame.packet();
  described.linear = packet.linear;
  described.fragment = packet.fragment;
  described.gso_size = packet.mss;
  described.vlan = packet.vlan;
  described.tci = packet.tci;
  return described;
}

u32 segments_of(const Packet& packet) { return divide_round_up(packet.spec.payload, packet.mss); }

// The n-th segment as it must be, made from its own description and not by cutting.
Frame segment(const Packet& packet, u32 n) {
  FrameSpec spec = packet.spec;
  const bool last = n + 1 == segments_of(packet);
  spec.protocol = 6;
  spec.partial = false;
  spec.tagged = false;  // the receiver strips it
  spec.payload = last ? packet.spec.payload - n * packet.mss : packet.mss;
  spec.sequence += n * packet.mss;
  spec.fill = static_cast<u8>(spec.fill + n * packet.mss);
  if (!last)
    spec.flags &= static_cast<u8>(~(kFin | kPush));
  if (n != 0)
    spec.flags &= static_cast<u8>(~kReduced);
  Frame frame{spec};
  if (frame && spec.family == 4)
    set_ip_id(frame, (packet.ip_id + n) & 0xFFFF);
  return frame;
}

bool expect_segments(const TransmitBench& bench, const Packet& packet) {
  const u32 count = segments_of(packet);
  for (u32 n = 0; n < count; n++) {
    const Frame expected = segment(packet, n);
    const Skb skb = bench.take();
    if (!skb || !skb.holds(expected)) {
      FAIL("segment %u of %u %s", n, count, skb ? "is not as it must be" : "did not arrive");
      return false;
    }
    const kunit_received look = skb.look();
    EXPECT(look.checksum_good);
    const bool tagged = packet.vlan || packet.spec.tagged;
    EXPECT_EQ(look.vlan, tagged);
    if (tagged)
      EXPECT_EQ(look.tci, (packet.vlan ? packet.tci : packet.spec.tci) & 0xFFF);
  }
  EXPECT_EQ(bench.arrived(), 0u);
  return true;
}

void expect_lso(const WqeView& view, const Packet& packet, const Frame& frame) {
  EXPECT(view.is_lso());
  EXPECT_EQ(view.last_vbytes(), frame.payload());
  EXPECT_EQ(view.sge(0).size, frame.payload());
  EXPECT_EQ(view.mss(), packet.mss);
  EXPECT_GE(view.sges(), 2u);
  EXPECT_LE(view.sges(), 30u);
  EXPECT_EQ(view.payload(), frame.length());
  EXPECT_EQ(TxOob::IsIpv4::get(view.oob(0)), packet.spec.family == 4 ? 1u : 0u);
  EXPECT_EQ(TxOob::IsIpv6::get(view.oob(0)), packet.spec.family == 6 ? 1u : 0u);
  EXPECT_EQ(TxOob::ComputeIpChecksum::get(view.oob(0)), 1u);
  EXPECT_EQ(TxOob::ComputeTcpChecksum::get(view.oob(0)), 1u);
  EXPECT_EQ(TxOob::ComputeUdpChecksum::get(view.oob(0)), 0u);
  EXPECT_EQ(TxOob::TransportOffset::get(view.oob(1)), frame.l4());
}

// Sends it, and looks at everything.
bool go(TransmitBench& bench, const Packet& packet) {
  const Frame frame = whole(packet);
  const WqeView view = bench.post(describe(packet, frame));
  if (!view.taken) {
    FAIL("it was not sent");
    return false;
  }
  expect_lso(view, packet, frame);
  if (expect_segments(bench, packet))
    return true;
  FAIL("with IPv%u, %u bytes of options, payload %u, MSS %u, linear %u", packet.spec.family,
       packet.spec.tcp_options, packet.spec.payload, packet.mss, packet.linear);
  return false;
}

// --- the WQE ---

CASE(D54_LSO_with_a_tag_as_in_the_data_sheet) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{
      .spec = {.payload = 8192}, .linear = 54 + 8192, .vlan = true, .tci = 3 << 13 | 100};
  const Frame frame = whole(packet);
  WqeView view = bench.post(describe(packet, frame));
  ASSERT(view.taken);
  // Appendix B.6 with the offset in both fields; ids, addresses and keys as there.
  const auto& sq = bench.sq();
  EXPECT_EQ(TxOob::CqId::get(view.oob(0)), sq.cq_id);
  EXPECT_EQ(view.oob(1) & TxOob::SqFrame::kMask, sq.wq_id & TxOob::SqFrame::kMask);
  view.word[2] = TxOob::CqId::replace(view.word[2], 0x2A);
  view.word[3] = TxOob::SqFrame::replace(view.word[3], 0x1418 >> 10);
  EXPECT_EQ(view.sge(1).address - view.sge(0).address, 54u);
  for (u32 i = 0; i < 2; i++) {
    view.word[8 + 4 * i] = 0x1000 * (i + 1), view.word[9 + 4 * i] = 0;
    view.word[10 + 4 * i] = 0x99;
  }
  (void)check_bytes(view.word, 64,
                    "00 00 00 36 02 0e b4 05 35 2a 00 00 22 14 00 05"
                    "08 00 43 06 00 00 05 00 00 00 00 00 00 00 00 00"
                    "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
                    "00 20 00 00 00 00 00 00 99 00 00 00 00 20 00 00",
                    "the WQE", __FILE__, __LINE__);
  EXPECT(expect_segments(bench, packet));
  bench.expect_peace();
}

// What the device is given to finish: lengths and IP checksum 0, the sum of the pseudo header
// without a length.
void expect_headers(TransmitBench& bench, u32 family) {
  const Packet packet{.spec = {.family = family, .payload = 3000}};
  const Frame frame = whole(packet);
  bench.hold(true);
  const u32 position = bench.sq().tail;
  ASSERT(bench.send(describe(packet, frame)));
  const wire::Sge sge = bench.wqe(bench.sq(), position).sge(0);
  u8 headers[128] = {};
  ASSERT_EQ(sge.size, frame.payload());
  ASSERT(kunit_dma_read(bench.nic.function().get(), sge.address, headers, sge.size));
  const u8* ip = headers + frame.l3();
  const u8* tcp = headers + frame.l4();
  u32 pseudo = 6;
  if (family == 4) {
    EXPECT_EQ(get16(ip + 2), 0u);
    EXPECT_EQ(get16(ip + 10), 0u);
    EXPECT_EQ(get16(ip + 4), packet.ip_id);
    pseudo = internet_sum(ip + 12, 8, pseudo);
  } else {
    EXPECT_EQ(get16(ip + 4), 0u);
    pseudo = internet_sum(ip + 8, 32, pseudo);
  }
  EXPECT_EQ(get16(tcp + 16), pseudo);
  EXPECT_EQ(get32(tcp + 4), packet.spec.sequence);
  bench.hold(false);
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  EXPECT(expect_segments(bench, packet));
}

CASE(D54_the_headers_as_the_device_finds_them) {
  TransmitBench bench;
  ASSERT(bench.up());
  expect_headers(bench, 4);
  expect_headers(bench, 6);
  bench.expect_peace();
}

CASE(D54_the_first_SGE_is_the_headers_and_nothing_else) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {4u, 6u})
    for (const u32 options : {0u, 12u, 40u}) {
      const FrameSpec spec{
          .family = family, .protocol = 6, .payload = 4000, .tcp_options = options};
      const u32 headers = Frame{spec}.payload();
      // Of the payload all, none, and a piece behind the headers.
      for (const u32 linear : {headers + 4000, headers, headers + 100})
        ASSERT(go(bench, {.spec = spec, .mss = 1000, .linear = linear, .fragment = 1500}));
    }
  bench.expect_peace();
}

// The fixed part of the headers is always linear; options need not be.
CASE(D54_headers_that_end_in_a_fragment) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {4u, 6u}) {
    const FrameSpec spec{.family = family, .protocol = 6, .payload = 2500, .tcp_options = 40};
    const Frame frame{spec};
    for (u32 linear = frame.l4() + 20; linear < frame.payload(); linear += 3)
      ASSERT(go(bench, {.spec = spec, .mss = 1000, .linear = linear, .fragment = 700}));
    ASSERT(go(bench, {.spec = spec, .mss = 1000, .linear = frame.payload() - 1, .fragment = 200}));
  }
  bench.expect_peace();
}

CASE(D55_as_many_fragments_as_there_are) {
  TransmitBench bench;
  ASSERT(bench.up());
  const u32 headers = 54;
  const Packet packet{.spec = {.payload = 17 * 300 + 46}, .linear = headers + 46, .fragment = 300};
  const Frame frame = whole(packet);
  const WqeView view = bench.post(describe(packet, frame));
  ASSERT(view.taken);
  EXPECT_EQ(view.sges(), 19u);
  EXPECT_EQ(view.sge(1).size, 46u);
  EXPECT(expect_segments(bench, packet));
  EXPECT_EQ(bench.stat("tx_0_linearized"), 0u);
  bench.expect_peace();
}

// --- payload and MSS ---

CASE(D54_payloads_around_multiples_of_the_MSS) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 mss : {1460u, 536u})
    for (const u32 payload : {1u, mss - 1, mss, mss + 1, 2 * mss, 2 * mss + 1, 5 * mss})
      ASSERT(go(bench, {.spec = {.payload = payload}, .mss = mss}));
  EXPECT_EQ(bench.stat("tx_0_tso_packets"), 14u);
  bench.expect_peace();
}

CASE(D54_segments_of_one_byte) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {4u, 6u})
    for (const u32 payload : {1u, 2u, 21u})
      ASSERT(go(bench, {.spec = {.family = family, .payload = payload}, .mss = 1}));
  bench.expect_peace();
}

CASE(D54_the_largest_packet_of_the_stack) {
  TransmitBench bench;
  ASSERT(bench.up());
  // 64 KiB with the IP header; 17 fragments hold it with a piece in the linear part.
  constexpr u32 kPayload = 65'535 - 40;
  ASSERT(
      go(bench,
         {.spec = {.payload = kPayload}, .linear = 54 + kPayload - 17 * 3800, .fragment = 3800}));
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_lso_segments"), 45u);
  bench.expect_peace();
}

CASE(D54_jumbo_segments) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (u32 port = 0; port < 2; port++)
    ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(port), 9000), 0);
  bench.forget_sqs();
  bench.nic.close(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  for (const u32 payload : {8960u, 8961u, 30'000u})
    ASSERT(go(bench, {.spec = {.payload = payload}, .mss = 8960, .linear = 54, .fragment = 4000}));
  bench.expect_peace();
}

CASE(D54_the_limits_of_MSS_and_headers) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  const Packet packet{.spec = {.payload = 5000}};
  const Frame frame = whole(packet);
  const Skb skb{bench.make(describe(packet, frame))};
  ASSERT(skb);
  const auto can = [&](u32 mss) {
    kunit_skb_make_gso(skb.get(), mss, 4);
    return mana_port_can_segment(kunit_netdev_port(bench.netdev()), skb.get());
  };
  EXPECT(can(1));
  EXPECT(can(1460));
  EXPECT(can(16383));
  EXPECT(!can(16384));
  EXPECT(!can(65535));
  EXPECT(can(0));  // no segmentation at all
}

// A segment above the adapter's MTU is the device's to refuse: the packet is lost, the queue is
// not.
CASE(D54_the_largest_MSS_fits_its_field) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{.spec = {.payload = 20'000}, .mss = 16383, .linear = 54, .fragment = 4000};
  const WqeView view = bench.post(describe(packet, whole(packet)));
  ASSERT(view.taken);
  EXPECT_EQ(view.mss(), 16383u);
  EXPECT_EQ(view.word[1] >> 30, 0u);
  EXPECT_EQ(bench.stat("tx_cq_err"), 1u);
  EXPECT_EQ(bench.arrived(), 0u);
  ASSERT(go(bench, {.spec = {.payload = 3000}}));
  EXPECT_EQ(bench.stat("queue_recoveries"), 0u);
}

CASE(D54_a_packet_without_payload_is_dropped) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{.spec = {.payload = 0}};
  const Frame frame = whole(packet);
  kunit_skb_log_begin();
  kunit_packet described = describe(packet, frame);
  described.gso_size = 0;
  sk_buff* skb = bench.make(described);
  ASSERT(skb);
  kunit_skb_make_gso(skb, 1460, 1);
  kunit_skb_log(skb, 0);
  EXPECT(bench.send(skb));
  EXPECT_EQ(kunit_skb_log_count(), 1u);
  EXPECT_EQ(bench.sq().bells, 0u);
  EXPECT_EQ(bench.stat("tx_0_dropped"), 1u);
  EXPECT_EQ(bench.stat("tx_0_tso_packets"), 0u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_errors"), 0u);
  bench.expect_peace();
}

// --- headers ---

CASE(D54_flags_are_those_of_first_middle_and_last) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u8 flags : {u8{kAck}, u8(kAck | kPush), u8(kAck | kFin), u8(kAck | kReduced),
                         u8(kSyn | kAck), u8(0xFF), u8(kAck | kUrgent | kEcn)})
    ASSERT(go(bench, {.spec = {.payload = 3500, .flags = flags}, .mss = 1000}));
  bench.expect_peace();
}

CASE(D54_numbers_that_go_round) {
  TransmitBench bench;
  ASSERT(bench.up());
  ASSERT(go(bench, {.spec = {.payload = 5000, .sequence = 0xFFFFF000}, .mss = 1000}));
  ASSERT(go(bench, {.spec = {.payload = 5000}, .mss = 1000, .ip_id = 0xFFFD}));
  ASSERT(
      go(bench, {.spec = {.payload = 5000, .sequence = 0xFFFFFFFF}, .mss = 1000, .ip_id = 0xFFFF}));
  ASSERT(go(bench, {.spec = {.family = 6, .payload = 5000, .sequence = 0xFFFFF000}, .mss = 1000}));
  bench.expect_peace();
}

CASE(D54_a_tag_on_every_segment) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 family : {4u, 6u}) {
    const FrameSpec spec{.family = family, .payload = 4000};
    ASSERT(go(bench, {.spec = spec, .mss = 1000, .vlan = true, .tci = 0xE064}));
    // The same in the frame, as it comes when tag insertion is switched off.
    FrameSpec tagged = spec;
    tagged.tagged = true;
    tagged.tci = 100;
    ASSERT(go(bench, {.spec = tagged, .mss = 1000}));
  }
  bench.expect_peace();
}

// An IPv6 frame with that many bytes of headers, by an extension header that says nothing.
kunit_packet extended(Frame& frame, u32 extension) {
  u8* ip = frame.bytes() + 14;
  // TCP moves up into the payload's place.
  __builtin_memmove(ip + 40 + extension, ip + 40, 20);
  clear_bytes(ip + 40, extension);
  ip[6] = 60;  // destination options
  ip[40] = 6;
  ip[41] = static_cast<u8>(extension / 8 - 1);
  for (u32 at = 42; at < 40 + extension;) {  // padding options
    const u32 left = 40 + extension - at;
    ip[at] = 1, ip[at + 1] = static_cast<u8>(min(left, 255u) - 2);
    at += min(left, 255u);
  }
  // The sum of the pseudo header with the length that is left.
  const u32 length = frame.length() - 54 - extension;
  const u32 sum = internet_sum(ip + 8, 32, 6 + length);
  put16(ip + 40 + extension + 16, sum);
  kunit_packet packet = frame.packet();
  packet.gso_size = 1000;
  packet.checksum_start = 54 + extension;
  return packet;
}

void expect_extended_segments(const TransmitBench& bench, const Frame& frame, u32 headers) {
  static u8 body[1000];
  const u32 payload = frame.length() - headers;
  const u32 count = divide_round_up(payload, 1000u);
  EXPECT_EQ(bench.arrived(), count);
  for (u32 n = 0; n < count; n++) {
    const Skb skb = bench.take();
    ASSERT(skb);
    const u32 part = min(1000u, payload - n * 1000);
    EXPECT_EQ(skb.look().length, headers + part);
    EXPECT(skb.look().checksum_good);
    u8 sequence[4] = {};
    EXPECT(kunit_skb_copy(skb.get(), headers - 16, sequence, 4));
    EXPECT_EQ(get32(sequence), 0x10000 + n * 1000);
    ASSERT(kunit_skb_copy(skb.get(), headers, body, part));
    EXPECT_EQ(__builtin_memcmp(body, frame.bytes() + headers + n * 1000, part), 0);
  }
}

// 250 and 258 bytes are on both sides of the limit. The stack of today lets no driver of this kind
// cut packets with extension headers; the driver itself could.
CASE(D54_headers_up_to_255_bytes_and_software_beyond) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 extension : {8u, 176u, 184u}) {
    Frame frame{{.family = 6, .protocol = 6, .payload = 3300, .partial = true}};
    ASSERT(frame);
    const kunit_packet packet = extended(frame, extension);
    const u32 headers = 74 + extension;
    sk_buff* skb = bench.make(packet);
    ASSERT(skb);
    const bool can = mana_port_can_segment(kunit_netdev_port(bench.netdev()), skb);
    EXPECT_EQ(can, headers <= 255);
    if (can) {
      const WqeView view = bench.post(skb);
      EXPECT_EQ(view.last_vbytes(), headers);
      EXPECT_EQ(view.sge(0).size, headers);
      expect_extended_segments(bench, frame, headers);
      skb = bench.make(packet);
    }
    const u64 before = bench.stat("tx_0_tso_packets");
    kunit_send(skb);
    bench.nic.settle();
    EXPECT_EQ(bench.stat("tx_0_tso_packets"), before);
    expect_extended_segments(bench, frame, headers);
  }
  bench.expect_peace();
}

CASE(D54_software_cuts_what_the_device_may_not) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{.spec = {.payload = 5000}, .mss = 1000};
  // Switched off by a person.
  kunit_set_offload(bench.netdev(), KUNIT_TSO4, false);
  kunit_send(bench.make(describe(packet, whole(packet))));
  bench.nic.settle();
  EXPECT(expect_segments(bench, packet));
  EXPECT_EQ(bench.stat("tx_0_tso_packets"), 0u);
  kunit_set_offload(bench.netdev(), KUNIT_TSO4, true);
  kunit_send(bench.make(describe(packet, whole(packet))));
  bench.nic.settle();
  EXPECT(expect_segments(bench, packet));
  EXPECT_EQ(bench.stat("tx_0_tso_packets"), 1u);
  bench.expect_peace();
}

// --- skbs that others hold too, and what fails ---

CASE(headers_of_a_clone_are_made_private) {
  TransmitBench bench;
  ASSERT(bench.up());
  for (const u32 linear : {0u, 54u, 60u}) {
    const Packet packet{.spec = {.payload = 3000}, .mss = 1000, .linear = linear};
    const Frame frame = whole(packet);
    const Skb original{bench.make(describe(packet, frame))};
    ASSERT(original);
    for (u32 n = 0; n < 2; n++) {
      EXPECT(bench.send(kunit_skb_clone(original.get())));
      bench.nic.settle();
      EXPECT(original.holds(frame));  // as before, checksum and all
      EXPECT(expect_segments(bench, packet));
    }
  }
  bench.expect_peace();
}

CASE(allocations_that_fail_leave_nothing) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{
      .spec = {.payload = 3000, .tcp_options = 40}, .mss = 1000, .linear = 80, .fragment = 700};
  const Frame frame = whole(packet);
  const Skb original{bench.make(describe(packet, frame))};
  ASSERT(original);
  u32 n = 1;
  for (; n < 30; n++) {
    sk_buff* clone = kunit_skb_clone(original.get());
    ASSERT(clone);
    kunit_fail_allocation(n);
    EXPECT(bench.send(clone));
    const bool reached = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    bench.nic.settle();
    if (!reached)
      break;
    bench.clear_arrived();
    EXPECT(original.holds(frame));
    EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), 0u);
  }
  EXPECT_GE(n, 3u);
  EXPECT(expect_segments(bench, packet));
  EXPECT_GE(bench.stat("tx_0_dropped"), 1u);
  EXPECT_EQ(bench.stat("tx_0_dropped") + bench.stat("tx_0_tso_packets"), n);
  bench.expect_peace();
}

CASE(mappings_that_fail_leave_nothing) {
  TransmitBench bench{{.ports = 1}};
  ASSERT(bench.up());
  kunit_function* function = bench.nic.function().get();
  const u32 mapped = kunit_dma_streaming(function);
  const Packet packet{.spec = {.payload = 3000}, .linear = 100, .fragment = 700};
  const Frame frame = whole(packet);
  kunit_skb_log_begin();
  u32 n = 1;
  for (; n < 20 && bench.sq().bells == 0; n++) {
    kunit_dma_fail_nth(function, n);
    sk_buff* skb = bench.make(describe(packet, frame));
    ASSERT(skb);
    kunit_skb_log(skb, n);
    EXPECT(bench.send(skb));
    if (bench.sq().bells != 0)
      break;
    EXPECT_EQ(kunit_dma_streaming(function), mapped);
    EXPECT_EQ(kunit_skb_log_count(), n);
  }
  kunit_dma_fail_nth(function, 0);
  EXPECT_EQ(n, 7u);  // the linear part is one mapping, though two SGEs; 5 fragments
  bench.nic.settle();
  EXPECT_EQ(kunit_dma_streaming(function), mapped);
  EXPECT_EQ(kunit_skb_log_count(), n);
  EXPECT_EQ(bench.stat("tx_0_mana_map_err"), n - 1);
  bench.expect_peace();
}

// --- counters ---

CASE(frames_and_bytes_are_those_on_the_wire) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Packet packet{.spec = {.payload = 10'001, .tcp_options = 12}, .mss = 1000};
  const Frame frame = whole(packet);
  bench.hold(true);
  ASSERT(bench.send(describe(packet, frame)));
  // The stack's limits count what the stack gave.
  EXPECT_EQ(kunit_queue_in_flight(bench.netdev(), 0), frame.length());
  bench.hold(false);
  bench.let(bench.sq(), bench.sq().tail);
  bench.nic.settle();
  ASSERT(expect_segments(bench, packet));
  EXPECT_EQ(bench.stat("tx_0_packets"), 11u);
  EXPECT_EQ(bench.stat("tx_0_bytes"), 10'001u + 11 * 66);
  EXPECT_EQ(bench.stat("tx_0_tso_packets"), 1u);
  EXPECT_EQ(bench.stat("tx_0_tso_bytes"), 10'001u);
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), 0u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_bytes"), bench.stat("tx_0_bytes"));
  EXPECT_EQ(bench.nic.link_stats(1).rx_packets, 11u);
  EXPECT_EQ(bench.nic.link_stats(1).rx_bytes, bench.nic.link_stats(0).tx_bytes);
  bench.expect_peace();
}

constexpr mana_case kCases[] = {
    LIST(D54_LSO_with_a_tag_as_in_the_data_sheet),
    LIST(D54_the_headers_as_the_device_finds_them),
    LIST(D54_the_first_SGE_is_the_headers_and_nothing_else),
    LIST(D54_headers_that_end_in_a_fragment),
    LIST(D55_as_many_fragments_as_there_are),
    LIST(D54_payloads_around_multiples_of_the_MSS),
    LIST(D54_segments_of_one_byte),
    LIST(D54_the_largest_packet_of_the_stack),
    LIST(D54_jumbo_segments),
    LIST(D54_the_limits_of_MSS_and_headers),
    LIST(D54_the_largest_MSS_fits_its_field),
    LIST(D54_a_packet_without_payload_is_dropped),
    LIST(D54_flags_are_those_of_first_middle_and_last),
    LIST(D54_numbers_that_go_round),
    LIST(D54_a_tag_on_every_segment),
    LIST(D54_headers_up_to_255_bytes_and_software_beyond),
    LIST(D54_software_cuts_what_the_device_may_not),
    LIST(headers_of_a_clone_are_made_private),
    LIST(allocations_that_fail_leave_nothing),
    LIST(mappings_that_fail_leave_nothing),
    LIST(frames_and_bytes_are_those_on_the_wire),
};

}  // namespace

MANA_SUITE(lso, kCases)

}  // namespace mana::kunit
