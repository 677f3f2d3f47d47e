// SPDX-License-Identifier: GPL-2.0
// src/port/port.cc and src/adapter as people and the stack see them: what a netdev says about
// itself, what can be changed while it runs, its statistics, its link, and how it goes and comes
// back.
#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/harness/transmit_bench.h"
#include "kunit/shim/helper.h"
#include "kunit/shim/iommu.h"
#include "kunit/shim/view.h"
#include "shim/dma.h"
#include "shim/ethtool.h"
#include "shim/log.h"
#include "shim/pci.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

using wire::Command;

constexpr int kInvalid = -22;
constexpr int kNetworkDown = -100;
constexpr u64 kSecond = 1'000'000'000;

shim_channels channels_of(const Nic& nic, u32 port);

// Probes, and opens `ports` ports with all their queues, but small rings: buffers are what opening
// costs.
bool up_small(Nic& nic, u32 ports) {
  if (!nic || nic.probe() != 0)
    return false;
  for (u32 port = 0; port < ports; port++) {
    net_device* netdev = nic.netdev(port);
    if (kunit_netdev_set_channels(netdev, channels_of(nic, port).combined_max) != 0 ||
        kunit_netdev_set_rings(netdev, 128, 128) != 0 || nic.open(port) != 0)
      return false;
  }
  nic.settle();
  return true;
}

kunit_view view_of(const Nic& nic, u32 port) {
  kunit_view view{};
  kunit_netdev_look(nic.netdev(port), &view);
  return view;
}

mana_port* port_of(const Nic& nic, u32 port) { return kunit_netdev_port(nic.netdev(port)); }

shim_rings rings_of(const Nic& nic, u32 port) {
  shim_rings rings{};
  mana_port_get_rings(port_of(nic, port), &rings);
  return rings;
}

shim_channels channels_of(const Nic& nic, u32 port) {
  shim_channels channels{};
  mana_port_get_channels(port_of(nic, port), &channels);
  return channels;
}

// --- registration ---

CASE(a_netdev_for_each_vPort) {
  Nic nic{{.ports = 3, .queues = 4}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  for (u32 port = 0; port < 3; port++) {
    ASSERT(nic.netdev(port));
    const kunit_view view = view_of(nic, port);
    EXPECT_EQ(view.port, port);
    EXPECT_EQ(view.mtu, 1500u);
    EXPECT_EQ(view.min_mtu, 68u);
    EXPECT_EQ(view.max_mtu, 9000u);
    EXPECT_EQ(view.queues_made, 4u);
    EXPECT_EQ(view.tx_queues, view.rx_queues);
    EXPECT_EQ(view.tx_queues, min(4u, shim_online_cpus()));
    EXPECT_EQ(channels_of(nic, port).combined, view.tx_queues);
    EXPECT_EQ(channels_of(nic, port).combined_max, 4u);
    const u8 mac[6] = {2, 0, 0, 0, 0, static_cast<u8>(port + 1)};
    EXPECT_EQ(__builtin_memcmp(view.mac, mac, 6), 0);
    EXPECT(view.present);
    EXPECT(!kunit_netdev_carrier(nic.netdev(port)));
    EXPECT(!kunit_netdev_takes_frames(nic.netdev(port)));
    EXPECT_EQ(mana_port_link_speed(port_of(nic, port)), 200'000u);
    // Neither the device nor the driver knows a way to change it.
    EXPECT_LE(kunit_set_mac(nic.netdev(port), mac), -1);
  }
  EXPECT_EQ(nic.netdev(3), nullptr);
}

CASE(features_are_those_of_the_device) {
  Nic nic{{.ports = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  const kunit_view view = view_of(nic, 0);
  constexpr u32 kOffloads = KUNIT_SG | KUNIT_IPV4_CHECKSUM | KUNIT_IPV6_CHECKSUM | KUNIT_TSO4 |
                            KUNIT_TSO6 | KUNIT_RX_CHECKSUM;
  EXPECT_EQ(view.features,
            kOffloads | KUNIT_RX_HASH | KUNIT_VLAN_TX | KUNIT_VLAN_RX | KUNIT_HIGHDMA);
  // The device strips tags whatever anybody wants.
  EXPECT_EQ(view.switchable, kOffloads | KUNIT_RX_HASH | KUNIT_VLAN_TX);
  EXPECT_EQ(view.vlan_features, kOffloads | KUNIT_HIGHDMA);
}

CASE(the_MTU_is_limited_by_the_adapter) {
  for (const u32 mtu : {1500u, 9216u}) {
    Nic nic{{.ports = 1, .mtu = mtu}};
    ASSERT(nic);
    ASSERT_EQ(nic.probe(), 0);
    EXPECT_EQ(view_of(nic, 0).max_mtu, mtu);
    EXPECT_EQ(view_of(nic, 0).mtu, 1500u);
    EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), mtu + 1), kInvalid);
    EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 67), kInvalid);
    EXPECT_EQ(view_of(nic, 0).mtu, 1500u);
    EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), mtu), 0);
    EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 68), 0);
  }
}

CASE(two_adapters_do_not_know_of_each_other) {
  Nic first;
  ASSERT(up_small(first, 2));
  {
    Nic second;
    ASSERT(up_small(second, 2));
    EXPECT(first.traffic(1));
    EXPECT(second.traffic(1));
    second.remove();
    EXPECT(first.traffic(1));
    EXPECT_EQ(first.stat(0, "tx_0_packets"), 2u);
  }
  EXPECT(first.traffic(1));
}

// --- open and close ---

CASE(D50_open_in_order) {
  Nic nic{{.ports = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  ASSERT_EQ(kunit_netdev_set_channels(nic.netdev(0), 2), 0);
  const ModelDevice& device = nic.device();
  const u32 before = device.request_count();
  ASSERT_EQ(nic.open(0), 0);
  constexpr Command kChannel[] = {Command::kCreateDmaRegion, Command::kCreateQueue,
                                  Command::kCreateDmaRegion, Command::kCreateDmaRegion,
                                  Command::kCreateWqObject,  Command::kCreateDmaRegion,
                                  Command::kCreateDmaRegion, Command::kCreateWqObject};
  constexpr u32 kEach = sizeof(kChannel) / sizeof(kChannel[0]);
  ASSERT_EQ(device.request_count() - before, 2 + 2 * kEach);
  EXPECT_EQ(device.request(before).command, Command::kConfigVportTx);
  for (u32 n = 0; n < 2 * kEach; n++) {
    const auto& request = device.request(before + 1 + n);
    EXPECT_EQ(request.command, kChannel[n % kEach]);
    if (request.command == Command::kCreateWqObject)
      EXPECT_EQ(request.as<wire::CreateWqObjectRequest>().wq_type,
                n % kEach == 4 ? wire::WqType::kSq : wire::WqType::kRq);
  }
  const auto& last = device.request(before + 1 + 2 * kEach);
  ASSERT_EQ(last.command, Command::kConfigVportRx);
  const auto steering = last.as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(steering.rx_enable, wire::TriState::kOn);
  EXPECT_EQ(steering.rss_enable, wire::TriState::kOn);
  EXPECT_EQ(steering.update_table, 1);
  EXPECT_EQ(steering.update_hash_key, 1);
  EXPECT_EQ(steering.update_default_object, 1);
}

CASE(D63_close_in_order) {
  TransmitBench bench{{.ports = 1, .queues = 2}};
  ASSERT(bench.up());
  const ModelDevice& device = bench.nic.device();
  const u32 before = device.request_count();
  const u32 bells = bench.sq(0).bells + bench.sq(1).bells;
  bench.nic.close(0);
  constexpr Command kExpected[] = {Command::kConfigVportRx,   Command::kFenceRq,
                                   Command::kFenceRq,         Command::kDestroyWqObject,
                                   Command::kDestroyWqObject, Command::kDestroyWqObject,
                                   Command::kDestroyWqObject};
  constexpr u32 kCount = sizeof(kExpected) / sizeof(kExpected[0]);
  ASSERT_EQ(device.request_count() - before, kCount);
  u32 destroyed = 0;
  for (u32 n = 0; n < kCount; n++) {
    const auto& request = device.request(before + n);
    EXPECT_EQ(request.command, kExpected[n]);
    if (request.command == Command::kDestroyWqObject)
      EXPECT_EQ(request.as<wire::DestroyWqObjectRequest>().wq_type,
                destroyed++ % 2 == 0 ? wire::WqType::kRq : wire::WqType::kSq);
  }
  const auto steering = device.request(before).as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(steering.rx_enable, wire::TriState::kOff);
  EXPECT_EQ(steering.update_table + steering.update_hash_key + steering.update_default_object, 0);
  EXPECT_EQ(bench.sq(0).bells + bench.sq(1).bells, bells);
  EXPECT(!kunit_netdev_carrier(bench.netdev()));
}

CASE(D63_what_was_posted_is_sent_before_anything_is_taken_away) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  bench.hold(true);
  kunit_skb_log_begin();
  for (u32 n = 0; n < 20; n++) {
    sk_buff* skb = bench.make(frame.packet());
    ASSERT(skb);
    kunit_skb_log(skb, n);
    ASSERT(bench.send(skb));
  }
  u32 ended = ~0u;
  auto first_request = [&](const ModelDevice::Request&) {
    if (ended == ~0u)
      ended = kunit_skb_log_count();
  };
  bench.nic.device().on_request = first_request;
  auto later = [&] {
    shim_sleep_ms(100);
    bench.let(bench.sq(), bench.sq().tail);
  };
  {
    Thread thread{later};
    bench.nic.close(0);
  }
  bench.hold(false);
  bench.nic.device().on_request = nullptr;
  EXPECT_EQ(ended, 20u);
  EXPECT_EQ(bench.arrived(), 20u);
  EXPECT_EQ(bench.stat("tx_0_dropped"), 0u);
}

CASE(D63_what_is_never_sent_is_dropped_in_time) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{{.payload = 300}};
  kunit_packet packet = frame.packet();
  packet.linear = 100;
  packet.fragment = 70;
  bench.hold(true);
  kunit_skb_log_begin();
  for (u32 n = 0; n < 10; n++) {
    sk_buff* skb = bench.make(packet);
    ASSERT(skb);
    kunit_skb_log(skb, n);
    ASSERT(bench.send(skb));
  }
  const u64 before = kunit_now_ns();
  bench.nic.close(0);
  const u64 took = kunit_now_ns() - before;
  EXPECT_GE(took, kSecond);
  EXPECT_LE(took, 10 * kSecond);
  EXPECT_EQ(kunit_skb_log_count(), 10u);
  bench.hold(false);
  bench.forget_sqs();
  ASSERT_EQ(bench.nic.open(0), 0);
  bench.expect_peace();
}

CASE(D63_the_failure_of_a_step_does_not_skip_the_next) {
  Nic nic{{.ports = 1}};
  ASSERT(up_small(nic, 1));
  // Not the destructions: what the device kept could not be made again.
  const ModelDevice& device = nic.device();
  for (const char* fault : {"hwc 0x20007 status x1", "hwc 0x20006 status x1"}) {
    const u32 before = device.request_count();
    nic.device().fault(fault);
    const u64 start = kunit_now_ns();
    nic.close(0);
    EXPECT_LE(kunit_now_ns() - start, 5 * kSecond);
    EXPECT_EQ(device.count_of(Command::kDestroyWqObject, before), 4u);
    // In place of the fence there is a wait, before anything is taken away.
    u32 first = before;
    while (first < device.request_count() &&
           device.request(first).command != Command::kDestroyWqObject)
      first++;
    EXPECT_GE(device.request(first).at_ns - device.request(first - 1).at_ns, kSecond / 10);
    ASSERT_EQ(nic.open(0), 0);
  }
}

// Rings live as long as the object that uses them, and no longer.
CASE(D64_objects_go_before_their_memory_and_their_EQ) {
  TransmitBench bench{{.ports = 1, .queues = 2}};
  ASSERT(bench.up());
  kunit_function* function = bench.nic.function().get();
  u32 destroyed = 0, missing = 0;
  auto look = [&](const ModelDevice::Request& request) {
    if (request.command == Command::kDisableQueue) {
      // Both objects of this EQ's channel are gone by now.
      missing += destroyed % 2 != 0 || destroyed == 0;
      return;
    }
    if (request.command != Command::kDestroyWqObject)
      return;
    // The SQ's is the second one of each channel.
    const auto& sq = bench.sq(destroyed++ / 2);
    missing += !kunit_dma_memory(function, sq.wq_address);
    missing += !kunit_dma_memory(function, sq.cq_address);
  };
  bench.nic.device().on_request = look;
  bench.nic.close(0);
  bench.nic.device().on_request = nullptr;
  EXPECT_EQ(destroyed, 4u);
  EXPECT_EQ(missing, 0u);
  for (u32 n = 0; n < 2; n++) {
    EXPECT_EQ(kunit_dma_memory(function, bench.sq(n).wq_address), nullptr);
    EXPECT_EQ(kunit_dma_memory(function, bench.sq(n).cq_address), nullptr);
  }
}

CASE(fifty_times_open_and_close) {
  Nic nic{{.ports = 1, .queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  ASSERT_EQ(kunit_netdev_set_rings(nic.netdev(0), 128, 128), 0);
  kunit_function* function = nic.function().get();
  const u32 coherent = kunit_dma_coherent(function) + 1;  // the EQ stays
  for (u32 n = 0; n < 50; n++) {
    ASSERT_EQ(nic.open(0), 0);
    ASSERT(kunit_netdev_carrier(nic.netdev(0)));
    nic.close(0);
    ASSERT_EQ(kunit_dma_coherent(function), coherent);
    ASSERT_EQ(kunit_dma_streaming(function), 0u);
  }
  EXPECT_TEXT(nic.device().control("objects"),
              R"({"hwc":1,"regions":1,"eqs":1,"cqs":0,"sqs":0,"rqs":0,"registered":1})");
}

// Where the kernel's memory is in small pieces, rings are too; the device is told of each page.
CASE(large_rings_are_made_of_pages) {
  Nic nic{{.ports = 2, .queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  kunit_function* function = nic.function().get();
  const u32 coherent = kunit_dma_coherent(function);
  kunit_dma_limit_coherent(function, SHIM_DMA_EASY);
  for (u32 port = 0; port < 2; port++) {
    const u32 ring = port == 0 ? 128 : 1024;
    ASSERT_EQ(kunit_netdev_set_rings(nic.netdev(port), ring, ring), 0);
    ASSERT_EQ(nic.open(port), 0);
  }
  nic.settle();
  // The CQs have 16 pages each, the rings of WQEs are small enough for one piece.
  EXPECT_GE(kunit_dma_coherent(function), coherent + 2 * 16);
  // More completions than a page has.
  EXPECT(nic.traffic(70));
  nic.close(0);
  nic.close(1);
  kunit_dma_limit_coherent(function, 0);
  EXPECT_EQ(kunit_dma_coherent(function), coherent + 1);  // the EQ stays
}

// Nothing is posted after the stop, and every packet ends.
CASE(D63_close_and_open_while_others_send) {
  TransmitBench bench;
  ASSERT(bench.up());
  constexpr u32 kPackets = 400;
  kunit_skb_log_begin();
  bool over = false;
  auto sender = [&] {
    const Frame frame{{.payload = 60}};
    for (u32 n = 0; n < kPackets; n++) {
      sk_buff* skb = bench.make(frame.packet());
      if (!skb)
        break;
      kunit_skb_log(skb, n);
      kunit_send(skb);
      if (n % 8 == 0)
        shim_sleep_ms(5);
    }
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
  };
  {
    Thread thread{sender};
    u32 rounds = 0;
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE) && rounds++ < 20) {
      bench.nic.close(0);
      const u32 count = bench.sq_count();
      u32 bells = 0;
      for (u32 n = 0; n < count; n++)
        bells += bench.sq(n).bells;
      shim_sleep_ms(20);
      for (u32 n = 0; n < count; n++)
        bells -= bench.sq(n).bells;
      EXPECT_EQ(bells, 0u);
      bench.forget_sqs();
      ASSERT_EQ(bench.nic.open(0), 0);
      shim_sleep_ms(20);
    }
  }
  bench.nic.settle();
  EXPECT_EQ(kunit_skb_log_count(), kPackets);
  bench.forget_sqs();
  bench.nic.close(0);
  ASSERT_EQ(bench.nic.open(0), 0);
  bench.expect_peace();
}

// --- what a person may change ---

CASE(the_MTU_while_the_port_runs) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  EXPECT(nic.traffic(1));
  // Larger buffers, the same, and the usual ones again.
  for (const u32 mtu : {4000u, 9000u, 1500u}) {
    for (u32 port = 0; port < 2; port++)
      ASSERT_EQ(kunit_netdev_set_mtu(nic.netdev(port), mtu), 0);
    EXPECT_EQ(view_of(nic, 0).mtu, mtu);
    EXPECT(kunit_netdev_carrier(nic.netdev(0)));
    const Tap tap{nic.netdev(1)};
    const Frame frame{{.payload = mtu - 28}};
    kunit_packet packet = frame.packet();
    packet.linear = 100;
    EXPECT(nic.send(0, packet));
    const Skb skb = tap.take();
    EXPECT(skb && skb.holds(frame));
  }
  EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 9001), kInvalid);
  EXPECT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 67), kInvalid);
  EXPECT_EQ(view_of(nic, 0).mtu, 1500u);
  EXPECT(nic.traffic(1));
}

CASE(the_MTU_while_the_port_is_down) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 1));
  nic.close(0);
  const u32 before = nic.device().request_count();
  ASSERT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 6000), 0);
  EXPECT_EQ(nic.device().request_count(), before);
  ASSERT_EQ(nic.open(0), 0);
  EXPECT_EQ(view_of(nic, 0).mtu, 6000u);
  ASSERT_EQ(nic.open(1), 0);
  const Tap tap{nic.netdev(0)};
  const Frame frame{{.payload = 5900, .source = 2, .destination = 1}};
  EXPECT(nic.send(1, frame));
  const Skb skb = tap.take();
  EXPECT(skb && skb.holds(frame));
}

CASE(rings_are_powers_of_two_and_limited) {
  Nic nic{{.ports = 1, .queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  // What is refused changes nothing.
  const struct {
    u32 rx, tx;
    bool good;
  } wishes[] = {{128, 128, true},      {129, 128, false},          {128, 200, false},
                {512, 1024, true},     {64, 128, false},           {128, 64, false},
                {8192, 16384, true},   {16384, 128, false},        {128, 32768, false},
                {100'000, 128, false}, {1u << 31, 1u << 31, false}};
  shim_rings expected = rings_of(nic, 0);
  for (const auto& wish : wishes) {
    EXPECT_EQ(kunit_netdev_set_rings(nic.netdev(0), wish.rx, wish.tx), wish.good ? 0 : kInvalid);
    const shim_rings rings = rings_of(nic, 0);
    if (wish.good)
      expected = {.rx = wish.rx, .rx_max = 8192, .tx = wish.tx, .tx_max = 16384};
    EXPECT_EQ(rings.rx, expected.rx);
    EXPECT_EQ(rings.tx, expected.tx);
    EXPECT_EQ(rings.rx_max, 8192u);
    EXPECT_EQ(rings.tx_max, 16384u);
  }
}

CASE(rings_while_the_port_runs) {
  TransmitBench bench;
  ASSERT(bench.up());
  EXPECT(bench.nic.traffic(1));
  bench.forget_sqs();
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 512), 0);
  bench.clear_arrived();
  ASSERT_EQ(bench.sq_count(), 1u);
  EXPECT_EQ(bench.sq().wq_bytes, 512u * 32);
  EXPECT(bench.nic.traffic(1));
  // The same again, and what is refused, is no reason to stop.
  const u32 before = bench.nic.device().change_count();
  EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 512), 0);
  EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 200, 512), kInvalid);
  EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 127, 512), kInvalid);
  EXPECT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 1), kInvalid);
  EXPECT_EQ(bench.nic.device().change_count(), before);
  EXPECT_EQ(rings_of(bench.nic, 0).rx, 256u);
  EXPECT_EQ(rings_of(bench.nic, 0).tx, 512u);
  EXPECT(bench.nic.traffic(1));
  bench.expect_peace();
}

CASE(channels_while_the_port_runs) {
  TransmitBench bench{{.queues = 3}};
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  for (const u32 count : {1u, 3u, 2u}) {
    bench.forget_sqs();
    ASSERT_EQ(kunit_netdev_set_channels(bench.netdev(), count), 0);
    EXPECT_EQ(channels_of(bench.nic, 0).combined, count);
    EXPECT_EQ(view_of(bench.nic, 0).tx_queues, count);
    EXPECT_EQ(view_of(bench.nic, 0).rx_queues, count);
    EXPECT_EQ(bench.sq_count(), count);
    for (u32 queue = 0; queue < count; queue++) {
      EXPECT(bench.post(frame.packet(), queue).taken);
      EXPECT(bench.arrives(frame));
    }
    EXPECT(bench.nic.traffic(1));
    bench.clear_arrived();
  }
  const u32 before = bench.nic.device().change_count();
  EXPECT_EQ(kunit_netdev_set_channels(bench.netdev(), 0), kInvalid);
  EXPECT_EQ(kunit_netdev_set_channels(bench.netdev(), 4), kInvalid);
  EXPECT_EQ(kunit_netdev_set_channels(bench.netdev(), 2), 0);
  EXPECT_EQ(bench.nic.device().change_count(), before);
  EXPECT_EQ(channels_of(bench.nic, 0).combined, 2u);
  bench.expect_peace();
}

constexpr u32 kTable = 128;  // entries

struct Steering {
  u32 table[kTable];
  u8 key[40];
};

void read_steering(const Nic& nic, u32 port, Steering& steering) {
  shim_rss rss{.table = steering.table, .key = steering.key};
  mana_port_get_rss(port_of(nic, port), &rss);
}

CASE(the_table_and_the_key_steer) {
  Nic nic;
  ASSERT(up_small(nic, 2));
  ASSERT_EQ(mana_port_rss_entries(port_of(nic, 1)), kTable);
  static Steering wanted, now;
  for (u32& entry : wanted.table)
    entry = 1;
  for (u32 i = 0; i < sizeof(wanted.key); i++)
    wanted.key[i] = static_cast<u8>(i * 7);
  const u32 before = nic.device().request_count();
  ASSERT_EQ(kunit_netdev_set_rss(nic.netdev(1), wanted.table, wanted.key), 0);
  EXPECT_EQ(nic.device().count_of(Command::kConfigVportRx, before), 1u);
  const auto message =
      nic.device().last_of(Command::kConfigVportRx)->as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(message.rx_enable, wire::TriState::kUnchanged);
  EXPECT_EQ(__builtin_memcmp(message.hash_key, wanted.key, 40), 0);
  const Tap tap{nic.netdev(1)};
  for (u32 queue = 0; queue < 2; queue++) {
    for (u32& entry : wanted.table)
      entry = queue;
    ASSERT_EQ(kunit_netdev_set_rss(nic.netdev(1), wanted.table, nullptr), 0);
    for (u16 n = 0; n < 6; n++) {
      EXPECT(nic.send(0, Frame{{.source_port = static_cast<u16>(1000 + n)}}));
      const Skb skb = tap.take();
      EXPECT(skb && skb.look().queue == queue);
    }
  }
  // A reopening forgets nothing.
  nic.close(1);
  ASSERT_EQ(nic.open(1), 0);
  read_steering(nic, 1, now);
  EXPECT_EQ(__builtin_memcmp(&now, &wanted, sizeof(now)), 0);
  // Fewer queues than the table names: all that are left share.
  ASSERT_EQ(kunit_netdev_set_channels(nic.netdev(1), 1), 0);
  read_steering(nic, 1, now);
  for (const u32 entry : now.table)
    EXPECT_EQ(entry, 0u);
  EXPECT(nic.traffic(1));
}

CASE(steering_that_is_refused_changes_nothing) {
  Nic nic;
  ASSERT(up_small(nic, 2));
  static Steering before, wanted, now;
  read_steering(nic, 1, before);
  wanted = before;
  wanted.key[3] ^= 1;
  for (u32& entry : wanted.table)
    entry = 1;
  // The device says no: it gets the old values again.
  u32 sent = nic.device().request_count();
  nic.device().fault("hwc 0x20007 status x1");
  EXPECT_LE(kunit_netdev_set_rss(nic.netdev(1), wanted.table, wanted.key), -1);
  EXPECT_EQ(nic.device().count_of(Command::kConfigVportRx, sent), 2u);
  const auto last = nic.device().last_of(Command::kConfigVportRx)->as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(__builtin_memcmp(last.hash_key, before.key, 40), 0);
  read_steering(nic, 1, now);
  EXPECT_EQ(__builtin_memcmp(&now, &before, sizeof(now)), 0);
  // A queue that does not exist: the device never hears of it.
  sent = nic.device().request_count();
  wanted.table[5] = 2;
  EXPECT_EQ(kunit_netdev_set_rss(nic.netdev(1), wanted.table, wanted.key), kInvalid);
  EXPECT_EQ(nic.device().request_count(), sent);
  read_steering(nic, 1, now);
  EXPECT_EQ(__builtin_memcmp(&now, &before, sizeof(now)), 0);
  EXPECT(nic.traffic(1));
}

CASE(offloads_that_are_off_are_done_by_the_stack) {
  TransmitBench bench;
  ASSERT(bench.up());
  kunit_set_offload(bench.netdev(), KUNIT_IPV4_CHECKSUM, false);
  kunit_set_offload(bench.netdev(), KUNIT_VLAN_TX, false);
  FrameSpec spec{.payload = 500, .partial = true};
  const Frame partial{spec};
  kunit_packet packet = partial.packet();
  packet.vlan = true;
  packet.tci = 100;
  kunit_send(bench.make(packet));
  bench.nic.settle();
  spec.partial = false;
  Skb skb = bench.take();
  EXPECT(skb && skb.holds(Frame{spec}) && skb.look().tci == 100);
  EXPECT_EQ(bench.stat("tx_0_csum_partial"), 0u);
  EXPECT_EQ(bench.stat("tx_0_long_pkt_fmt"), 0u);
  EXPECT_EQ(bench.nic.device().port_statistic(0, "tx_vlan_inserted"), 0u);
  // Pieces, too.
  kunit_set_offload(bench.netdev(), KUNIT_SG, false);
  packet.linear = 50;
  packet.vlan = false;
  const u32 position = bench.sq().tail;
  kunit_send(bench.make(packet));
  bench.nic.settle();
  EXPECT_EQ(bench.wqe(bench.sq(), position).sges(), 1u);
  EXPECT(bench.arrives(Frame{spec}));
  bench.expect_peace();
}

// --- statistics ---

CASE(statistics_are_exact) {
  TransmitBench bench{{.queues = 2}};
  ASSERT(bench.up());
  u64 bytes[2] = {}, packets[2] = {};
  for (u32 n = 0; n < 9; n++) {
    const u32 queue = n % 3 ? 1 : 0;
    const Frame frame{{.payload = 20 + 150 * n, .source_port = static_cast<u16>(n)}};
    EXPECT(bench.send(frame.packet(), queue));
    bytes[queue] += frame.length();
    packets[queue]++;
  }
  bench.nic.settle();
  const Nic& nic = bench.nic;
  EXPECT_EQ(nic.stat(0, "tx_0_packets"), packets[0]);
  EXPECT_EQ(nic.stat(0, "tx_1_packets"), packets[1]);
  EXPECT_EQ(nic.stat(0, "tx_0_bytes"), bytes[0]);
  EXPECT_EQ(nic.stat(0, "tx_1_bytes"), bytes[1]);
  EXPECT_EQ(nic.link_stats(0).tx_packets, 9u);
  EXPECT_EQ(nic.link_stats(0).tx_bytes, bytes[0] + bytes[1]);
  EXPECT_EQ(nic.link_stats(0).rx_packets, 0u);
  EXPECT_EQ(nic.link_stats(1).rx_packets, 9u);
  EXPECT_EQ(nic.link_stats(1).rx_bytes, bytes[0] + bytes[1]);
  EXPECT_EQ(nic.link_stats(1).tx_packets, 0u);
  EXPECT_EQ(nic.stat(1, "rx_0_packets") + nic.stat(1, "rx_1_packets"), 9u);
  EXPECT_EQ(nic.stat(1, "rx_0_bytes") + nic.stat(1, "rx_1_bytes"), bytes[0] + bytes[1]);
  // The device's own, of all ports, from either.
  for (u32 port = 0; port < 2; port++) {
    EXPECT_EQ(nic.stat(port, "hc_tx_ucast_pkts"), 9u);
    EXPECT_EQ(nic.stat(port, "hc_tx_bytes"), bytes[0] + bytes[1]);
    EXPECT_EQ(nic.stat(port, "hc_rx_bytes"), bytes[0] + bytes[1]);
  }
}

CASE(statistics_never_go_back) {
  TransmitBench bench{{.queues = 2}};
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  u32 packets = 0;
  const auto more = [&] {
    for (u32 queue = 0; queue < 2; queue++)
      EXPECT(bench.send(frame.packet(), queue));
    packets++;
    bench.nic.settle();
    EXPECT_EQ(bench.stat("tx_0_packets"), packets);
    EXPECT_EQ(bench.stat("tx_1_packets"), packets);
    EXPECT_EQ(bench.nic.link_stats(0).tx_bytes, 2ull * packets * frame.length());
    EXPECT_EQ(bench.nic.link_stats(1).rx_packets, 2ull * packets);
  };
  more();
  bench.nic.close(0);
  EXPECT_EQ(bench.stat("tx_0_packets"), 1u);
  ASSERT_EQ(bench.nic.open(0), 0);
  more();
  ASSERT_EQ(kunit_netdev_set_mtu(bench.netdev(), 4000), 0);
  more();
  ASSERT_EQ(kunit_netdev_set_rings(bench.netdev(), 256, 256), 0);
  more();
  // A queue that is away for a while.
  ASSERT_EQ(kunit_netdev_set_channels(bench.netdev(), 1), 0);
  EXPECT_EQ(bench.nic.link_stats(0).tx_packets, 8u);
  ASSERT_EQ(kunit_netdev_set_channels(bench.netdev(), 2), 0);
  more();
  mana_port_tx_timeout(port_of(bench.nic, 0), 0);
  ASSERT(bench.await_recoveries(1));
  more();
  EXPECT_EQ(bench.stat("tx_timeouts"), 1u);
}

CASE(statistics_can_be_read_whatever_the_state) {
  Nic nic{{.ports = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  EXPECT_EQ(nic.stat(0, "tx_0_packets"), 0u);
  EXPECT_EQ(nic.stat(0, "rx_0_packets"), 0u);
  ASSERT_EQ(nic.open(0), 0);
  // A device that refuses its own numbers shows zeros.
  nic.device().fault("hwc 0x20002 status x1");
  EXPECT_EQ(nic.stat(0, "hc_tx_bytes"), 0u);
  // One that is gone is not asked.
  nic.device().fault("event 135 0");
  nic.settle();
  const u32 before = nic.device().request_count();
  EXPECT_EQ(nic.stat(0, "hc_tx_bytes"), 0u);
  EXPECT_EQ(nic.link_stats(0).tx_packets, 0u);
  EXPECT_EQ(nic.device().request_count(), before);
}

// --- link ---

CASE(D67_link_events_reach_their_port) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  nic.device().set_link(1, false);
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
  EXPECT(!kunit_netdev_carrier(nic.netdev(1)));
  EXPECT(mana_port_link_up(port_of(nic, 0)));
  EXPECT(!mana_port_link_up(port_of(nic, 1)));
  // The queues stay; frames that the stack sends all the same get lost.
  EXPECT_EQ(nic.stat(1, "queue_recoveries"), 0u);
  nic.device().set_link(1, true);
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(1)));
  EXPECT(nic.traffic(1));
}

CASE(D67_indices_out_of_range_reach_nobody) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  for (const u32 index : {2u, 63u, 64u, 65u, 255u, 256u, 257u, 0x10000u, 0xFFFFFFu}) {
    char line[48];
    shim_format(line, sizeof(line), "event 133 %u", 3u << 24 | index);  // link down
    nic.device().fault(line);
  }
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
  EXPECT(kunit_netdev_carrier(nic.netdev(1)));
  // The same event with an index that exists is believed.
  nic.device().fault("event 133 50331649");
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
  EXPECT(!kunit_netdev_carrier(nic.netdev(1)));
}

CASE(a_link_that_is_down_stays_down_through_open_and_change) {
  Nic nic{{.queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  nic.device().set_link(0, false);
  nic.settle();
  ASSERT_EQ(nic.open(0), 0);
  EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  ASSERT_EQ(kunit_netdev_set_rings(nic.netdev(0), 128, 128), 0);
  EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  nic.device().set_link(0, true);
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
  // While the port is down there is no carrier, whatever the link does.
  nic.close(0);
  for (const bool up : {false, true}) {
    nic.device().set_link(0, up);
    nic.settle();
    EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  }
  ASSERT_EQ(nic.open(0), 0);
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
}

CASE(D67_the_last_of_many_link_events_counts) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  for (const bool last : {false, true, false}) {
    for (u32 n = 0; n < 40; n++) {
      nic.device().set_link(0, n % 2);
      nic.device().set_link(1, n % 3);
    }
    nic.device().set_link(0, last);
    nic.device().set_link(1, !last);
    nic.settle();
    EXPECT_EQ(kunit_netdev_carrier(nic.netdev(0)), last);
    EXPECT_EQ(kunit_netdev_carrier(nic.netdev(1)), !last);
  }
}

// --- going, and coming back ---

CASE(remove_while_everything_is_under_way) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  kunit_skb_log_begin();
  for (u32 n = 0; n < 30; n++) {
    sk_buff* skb = bench.make(frame.packet());
    ASSERT(skb);
    kunit_skb_log(skb, n);
    ASSERT(bench.send(skb));
  }
  // What arrived is in the stack, and read after the driver is gone.
  bench.nic.settle();
  const Skb kept[] = {bench.take(), bench.take(), bench.take(), bench.take()};
  for (u32 n = 0; n < 30; n++)
    (void)bench.send(frame.packet());
  bench.lose_tap();
  bench.nic.remove();
  EXPECT_EQ(kunit_skb_log_count(), 30u);
  EXPECT(!bench.nic.device().has_objects());
  EXPECT_EQ(kunit_dma_coherent(bench.nic.function().get()), 0u);
  for (const Skb& skb : kept)
    EXPECT(skb.holds(frame));
}

void suspend(Nic& nic) {
  kunit_function_lock_driver(nic.function().get());
  mana_adapter_suspend(nic.adapter());
  kunit_function_unlock_driver(nic.function().get());
}

int resume(Nic& nic) {
  kunit_function_lock_driver(nic.function().get());
  const int error = mana_adapter_resume(nic.adapter());
  kunit_function_unlock_driver(nic.function().get());
  nic.settle();
  return error;
}

CASE(D66_resume_reads_everything_again) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  EXPECT(nic.traffic(1));
  suspend(nic);
  EXPECT(!nic.device().has_objects());
  for (u32 port = 0; port < 2; port++) {
    EXPECT(!view_of(nic, port).present);
    EXPECT(!kunit_netdev_carrier(nic.netdev(port)));
  }
  const u32 before = nic.device().request_count();
  static constexpr u8 kMac[6] = {0x06, 1, 2, 3, 4, 5};
  auto edit = [](Command command, u8* bytes, u32 length) {
    if (command == Command::kQueryVportConfig && length >= sizeof(wire::QueryVportConfigResponse))
      bytes[__builtin_offsetof(wire::QueryVportConfigResponse, mac)] = kMac[0];
  };
  nic.device().edit_response = edit;
  EXPECT_EQ(resume(nic), 0);
  nic.device().edit_response = nullptr;
  for (const Command command :
       {Command::kVerifyVfDriverVersion, Command::kQueryMaxResources, Command::kListDevices,
        Command::kRegisterDevice, Command::kQueryDevConfig, Command::kQueryVportConfig,
        Command::kConfigVportTx})
    EXPECT_GE(nic.device().count_of(command, before), 1u);
  EXPECT_EQ(nic.device().count_of(Command::kQueryVportConfig, before), 2u);
  for (u32 port = 0; port < 2; port++) {
    EXPECT(view_of(nic, port).present);
    EXPECT(kunit_netdev_carrier(nic.netdev(port)));
    EXPECT_EQ(view_of(nic, port).mac[0], kMac[0]);
  }
  EXPECT(nic.traffic(1));
}

CASE(D66_settings_and_closed_ports_stay_through_suspend) {
  Nic nic;
  ASSERT(up_small(nic, 1));
  EXPECT_EQ(channels_of(nic, 0).combined, 2u);
  ASSERT_EQ(kunit_netdev_set_mtu(nic.netdev(0), 4000), 0);
  ASSERT_EQ(kunit_netdev_set_rings(nic.netdev(0), 256, 512), 0);
  ASSERT_EQ(kunit_netdev_set_channels(nic.netdev(0), 1), 0);
  for (u32 n = 0; n < 2; n++) {
    suspend(nic);
    ASSERT_EQ(resume(nic), 0);
    EXPECT_EQ(view_of(nic, 0).mtu, 4000u);
    EXPECT_EQ(rings_of(nic, 0).rx, 256u);
    EXPECT_EQ(rings_of(nic, 0).tx, 512u);
    EXPECT_EQ(channels_of(nic, 0).combined, 1u);
    EXPECT(kunit_netdev_carrier(nic.netdev(0)));
    EXPECT(!kunit_netdev_running(nic.netdev(1)));
    EXPECT(!kunit_netdev_carrier(nic.netdev(1)));
  }
  ASSERT_EQ(nic.open(1), 0);
  EXPECT(nic.traffic(1));
}

CASE(D66_a_link_that_was_down_before_suspend_is_up_again) {
  Nic nic{{.ports = 1, .queues = 1}};
  ASSERT(up_small(nic, 1));
  nic.device().fault("event 133 50331648");  // link 0 down, of which the device forgets
  nic.settle();
  EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  suspend(nic);
  ASSERT_EQ(resume(nic), 0);
  // Nobody announces what is the default (data sheet 9.2).
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
}

CASE(D66_suspend_with_packets_under_way) {
  TransmitBench bench;
  ASSERT(bench.up());
  const Frame frame{FrameSpec{}};
  bench.hold(true);
  kunit_skb_log_begin();
  for (u32 n = 0; n < 10; n++) {
    sk_buff* skb = bench.make(frame.packet());
    ASSERT(skb);
    kunit_skb_log(skb, n);
    ASSERT(bench.send(skb));
  }
  suspend(bench.nic);
  EXPECT_EQ(kunit_skb_log_count(), 10u);
  EXPECT_EQ(kunit_dma_streaming(bench.nic.function().get()), 0u);
  bench.hold(false);
  bench.forget_sqs();
  ASSERT_EQ(resume(bench.nic), 0);
  bench.expect_peace();
}

CASE(D66_another_number_of_vPorts_fails_resume) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  u16 count = 1;
  auto edit = [&](Command command, u8* bytes, u32 length) {
    if (command == Command::kQueryDevConfig && length >= sizeof(wire::QueryDevConfigResponse))
      __builtin_memcpy(bytes + __builtin_offsetof(wire::QueryDevConfigResponse, vport_count),
                       &count, 2);
  };
  nic.device().edit_response = edit;
  for (const u16 wrong : {1, 3}) {
    suspend(nic);
    count = wrong;
    EXPECT_EQ(resume(nic), -71);
    for (u32 port = 0; port < 2; port++) {
      EXPECT(!kunit_netdev_carrier(nic.netdev(port)));
      EXPECT(!view_of(nic, port).present);
    }
  }
  nic.device().edit_response = nullptr;
  suspend(nic);
  EXPECT_EQ(resume(nic), 0);
  EXPECT(nic.traffic(1));
}

CASE(D66_limits_that_shrank_below_the_settings_fail_resume) {
  Nic nic{{.ports = 1}};
  ASSERT(up_small(nic, 1));
  suspend(nic);
  auto small_mtu = [](Command command, u8* bytes, u32 length) {
    const u16 mtu = 1000;
    if (command == Command::kQueryDevConfig && length >= sizeof(wire::QueryDevConfigResponse))
      __builtin_memcpy(bytes + __builtin_offsetof(wire::QueryDevConfigResponse, adapter_mtu), &mtu,
                       2);
  };
  nic.device().edit_response = small_mtu;
  EXPECT_EQ(resume(nic), -28);
  EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  suspend(nic);
  auto one_queue = [](Command command, u8* bytes, u32 length) {
    const u32 one = 1;
    if (command == Command::kQueryVportConfig && length >= sizeof(wire::QueryVportConfigResponse))
      __builtin_memcpy(bytes + __builtin_offsetof(wire::QueryVportConfigResponse, max_sq), &one, 4);
  };
  nic.device().edit_response = one_queue;
  EXPECT_EQ(resume(nic), -28);
  nic.device().edit_response = nullptr;
  suspend(nic);
  EXPECT_EQ(resume(nic), 0);
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
}

CASE(shutdown_stops_the_device) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 1));
  kunit_function_lock_driver(nic.function().get());
  mana_adapter_shutdown(nic.adapter());
  kunit_function_unlock_driver(nic.function().get());
  EXPECT(!nic.device().has_objects());
  EXPECT(!kunit_netdev_carrier(nic.netdev(0)));
  const u32 before = nic.device().request_count();
  EXPECT_EQ(nic.open(1), kNetworkDown);
  nic.close(0);
  EXPECT_EQ(nic.open(0), kNetworkDown);
  EXPECT_EQ(nic.device().request_count(), before);
}

CASE(unbind_and_bind_by_hand) {
  Nic nic{{.queues = 1, .bind = true}};
  ASSERT(nic.up());
  EXPECT(nic.traffic(1));
  for (u32 n = 0; n < 3; n++) {
    ASSERT_EQ(kunit_helper("cd /sys/bus/pci/drivers/mana && for at in 2*:*; do\n"
                           "echo $at >unbind || exit 1; done"),
              0);
    EXPECT_EQ(nic.netdev(0), nullptr);
    EXPECT(!nic.device().has_objects());
    EXPECT_EQ(kunit_dma_coherent(nic.function().get()), 0u);
    ASSERT_EQ(kunit_helper("cd /sys/bus/pci/devices && for at in 2????:*; do\n"
                           "echo $at >/sys/bus/pci/drivers/mana/bind || exit 1; done"),
              0);
    ASSERT(nic.netdev(0) && nic.netdev(1));
    EXPECT_EQ(nic.open(0), 0);
    EXPECT_EQ(nic.open(1), 0);
    nic.settle();
    EXPECT(nic.traffic(1));
  }
}

CASE(D66_a_reset_by_hand) {
  Nic nic{{.queues = 1, .bind = true}};
  ASSERT(nic.up());
  EXPECT(nic.traffic(1));
  const u64 resets = kunit_function_resets(nic.function().get());
  ASSERT_EQ(kunit_helper("cd /sys/bus/pci/devices && for at in 2????:*; do\n"
                         "echo 1 >$at/reset || exit 1; done"),
            0);
  EXPECT_EQ(kunit_function_resets(nic.function().get()), resets + 1);
  nic.settle();
  EXPECT(kunit_netdev_carrier(nic.netdev(0)));
  EXPECT(nic.traffic(1));
}

CASE(D65_a_reset_request_ends_all_commands) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  nic.device().fault("event 135 0");
  nic.settle();
  const u32 before = nic.device().request_count();
  for (u32 port = 0; port < 2; port++)
    EXPECT(!kunit_netdev_carrier(nic.netdev(port)));
  const u64 start = kunit_now_ns();
  const u32 memory = kunit_dma_coherent(nic.function().get());
  const u32 mapped = kunit_dma_streaming(nic.function().get());
  nic.close(0);
  EXPECT_EQ(nic.open(0), kNetworkDown);
  EXPECT_LE(kunit_netdev_set_channels(nic.netdev(1), 1), 0);
  // Nobody confirmed that the device does not use it any more.
  EXPECT_GE(kunit_dma_coherent(nic.function().get()), memory);
  EXPECT_GE(kunit_dma_streaming(nic.function().get()), mapped);
  nic.remove();
  EXPECT_LE(kunit_now_ns() - start, 2 * kSecond);
  EXPECT_EQ(nic.device().request_count(), before);
  EXPECT_EQ(kunit_dma_coherent(nic.function().get()), 0u);
}

CASE(D65_who_waits_for_an_answer_is_released) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 1));
  nic.device().fault("hwc 0x20007 silent x1");
  u64 took = 0;
  int error = 0;
  auto waiter = [&] {
    const u64 start = kunit_now_ns();
    u8 key[40] = {1};
    error = kunit_netdev_set_rss(nic.netdev(0), nullptr, key);
    took = kunit_now_ns() - start;
  };
  {
    Thread thread{waiter};
    shim_sleep_ms(500);
    nic.device().fault("event 135 0");
  }
  EXPECT_LE(error, -1);
  EXPECT_GE(took, kSecond / 4);
  EXPECT_LE(took, 2 * kSecond);
}

CASE(D65_surprise_removal_is_quick) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2));
  nic.device().fault("removed");
  const u64 start = kunit_now_ns();
  nic.close(0);
  nic.remove();
  EXPECT_LE(kunit_now_ns() - start, 10 * kSecond);
  nic.device().fault("clear");
}

constexpr mana_case kCases[] = {
    LIST(a_netdev_for_each_vPort),
    LIST(features_are_those_of_the_device),
    LIST(the_MTU_is_limited_by_the_adapter),
    LIST(two_adapters_do_not_know_of_each_other),
    LIST(D50_open_in_order),
    LIST(D63_close_in_order),
    LIST(D63_what_was_posted_is_sent_before_anything_is_taken_away),
    LIST(D63_what_is_never_sent_is_dropped_in_time),
    LIST(D63_the_failure_of_a_step_does_not_skip_the_next),
    LIST(D64_objects_go_before_their_memory_and_their_EQ),
    LIST(fifty_times_open_and_close),
    LIST(large_rings_are_made_of_pages),
    LIST(D63_close_and_open_while_others_send),
    LIST(the_MTU_while_the_port_runs),
    LIST(the_MTU_while_the_port_is_down),
    LIST(rings_are_powers_of_two_and_limited),
    LIST(rings_while_the_port_runs),
    LIST(channels_while_the_port_runs),
    LIST(the_table_and_the_key_steer),
    LIST(steering_that_is_refused_changes_nothing),
    LIST(offloads_that_are_off_are_done_by_the_stack),
    LIST(statistics_are_exact),
    LIST(statistics_never_go_back),
    LIST(statistics_can_be_read_whatever_the_state),
    LIST(D67_link_events_reach_their_port),
    LIST(D67_indices_out_of_range_reach_nobody),
    LIST(a_link_that_is_down_stays_down_through_open_and_change),
    LIST(D67_the_last_of_many_link_events_counts),
    LIST(remove_while_everything_is_under_way),
    LIST(D66_resume_reads_everything_again),
    LIST(D66_settings_and_closed_ports_stay_through_suspend),
    LIST(D66_a_link_that_was_down_before_suspend_is_up_again),
    LIST(D66_suspend_with_packets_under_way),
    LIST(D66_another_number_of_vPorts_fails_resume),
    LIST(D66_limits_that_shrank_below_the_settings_fail_resume),
    LIST(shutdown_stops_the_device),
    LIST(unbind_and_bind_by_hand),
    LIST(D66_a_reset_by_hand),
    LIST(D65_a_reset_request_ends_all_commands),
    LIST(D65_who_waits_for_an_answer_is_released),
    LIST(D65_surprise_removal_is_quick),
};

}  // namespace

MANA_SUITE(netdev, kCases)

}  // namespace mana::kunit
