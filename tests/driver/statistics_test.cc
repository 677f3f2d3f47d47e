// SPDX-License-Identifier: GPL-2.0
// src/port/port_statistics.cc, port_queue_statistics.cc, device_counters.h: what is counted, that
// it adds up, and that it never goes backwards.
#include "driver_test.h"
#include "port/device_counters.h"

namespace mana::test {
namespace {

constexpr u32 kGfStat = 0x20002;

class StatisticsTest : public DriverTest {
 protected:
  void open_small() {
    start();
    ASSERT_EQ(probe(), 0);
    for (u32 i = 0; i < config.ports; i++) {
      ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(i), 128, 128, nullptr); }), 0);
      ASSERT_EQ(open(i), 0);
    }
    kernel.settle();
  }

  shim_link_stats link(u32 index) {
    shim_link_stats stats{};
    mana_port_get_stats(port(index), &stats);
    return stats;
  }

  // What netdev-genl shows for the whole netdev: the base and the live queues.
  std::pair<shim_rx_queue_stats, shim_tx_queue_stats> whole(u32 index) {
    shim_rx_queue_stats rx{};
    shim_tx_queue_stats tx{};
    mana_port_base_stats(port(index), &rx, &tx);
    for (u32 queue = 0; queue < netdev(index)->queues; queue++) {
      mana_port_rx_queue_stats(port(index), queue, &rx);
      mana_port_tx_queue_stats(port(index), queue, &tx);
    }
    return {rx, tx};
  }

  void expect_sums(u32 index) {
    const auto [rx, tx] = whole(index);
    const shim_link_stats total = link(index);
    EXPECT_EQ(rx.packets, total.rx_packets);
    EXPECT_EQ(rx.bytes, total.rx_bytes);
    EXPECT_EQ(tx.packets, total.tx_packets);
    EXPECT_EQ(tx.bytes, total.tx_bytes);
    EXPECT_EQ(rx.csum_unnecessary + rx.csum_none + rx.csum_bad, total.rx_packets);
  }

  void channels(u32 index, u32 count) {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_channels(port(index), count, nullptr); }), 0);
  }
};

TEST_F(StatisticsTest, DeviceCountersGoOnAfterTheDeviceStartedAnew) {
  port::DeviceCounters counters;
  const auto shown = [&](u64 rx_bytes, u64 tx_errors_gdma) {
    wire::GfCounters now{};
    now.rx_bytes = rx_bytes;
    now.tx_errors_gdma = tx_errors_gdma;
    counters.update(now);
    return std::pair{counters.totals().rx_bytes, counters.totals().tx_errors_gdma};
  };
  EXPECT_EQ(shown(10, 1), std::pair(10ull, 1ull));
  EXPECT_EQ(shown(15, 1), std::pair(15ull, 1ull));
  EXPECT_EQ(shown(4, 2), std::pair(19ull, 2ull));
  EXPECT_EQ(shown(4, 0), std::pair(19ull, 2ull));
  EXPECT_EQ(shown(5, 3), std::pair(20ull, 5ull));
}

TEST_F(StatisticsTest, QueuesAndBaseAddUpWhateverTheNumberOfChannels) {
  open_small();
  for (u32 source_port = 0; source_port < 20; source_port++)
    (void)send(0, skb_of(kernel, {.source_port = static_cast<uint16_t>(source_port)}), 1,
               source_port % 2);
  const shim_link_stats before = link(1);
  EXPECT_EQ(before.rx_packets, 20u);
  shim_rx_queue_stats second{};
  mana_port_rx_queue_stats(port(1), 1, &second);
  ASSERT_GT(second.packets, 0u);  // both queues are hit
  expect_sums(0);
  expect_sums(1);

  shim_rx_queue_stats rx{};
  shim_tx_queue_stats tx{};
  mana_port_base_stats(port(1), &rx, &tx);
  EXPECT_EQ(rx.packets, 0u);
  for (u32 index : {0u, 1u})
    channels(index, 1);
  mana_port_base_stats(port(1), &rx, &tx);
  EXPECT_EQ(rx.packets, second.packets);
  tx = {};
  mana_port_base_stats(port(0), &rx, &tx);
  EXPECT_EQ(tx.packets, 10u);
  EXPECT_EQ(link(1).rx_packets, before.rx_packets);
  expect_sums(0);
  expect_sums(1);

  EXPECT_EQ(traffic(), 8u);
  channels(1, 2);
  expect_sums(1);
  EXPECT_EQ(link(1).rx_packets, before.rx_packets + 4);
  EXPECT_EQ(stat(1, "rx_1_packets"), second.packets);

  // There is no such queue, and nothing happens.
  mana_port_rx_queue_stats(port(1), 1'000, &rx);
  mana_port_tx_queue_stats(port(1), 1'000, &tx);
}

TEST_F(StatisticsTest, ChecksumsOfEachKind) {
  open_small();
  (void)send(0, skb_of(kernel, {}), 1);
  sk_buff* wrong = skb_of(kernel, {});
  wrong->linear.back() ^= 0xFF;
  (void)send(0, wrong, 1);
  wrong = skb_of(kernel, {.protocol = 17});
  wrong->linear.back() ^= 0xFF;
  (void)send(0, wrong, 1);
  for (u32 i = 0; i < 3; i++)
    (void)send(0, skb_of(kernel, {.family = 0}), 1);
  const auto [rx, tx] = whole(1);
  EXPECT_EQ(rx.csum_unnecessary, 1u);
  EXPECT_EQ(rx.csum_bad, 2u);
  EXPECT_EQ(rx.csum_none, 3u);
  EXPECT_EQ(stat(1, "rx_0_csum_bad") + stat(1, "rx_1_csum_bad"), 2u);
  expect_sums(1);
}

TEST_F(StatisticsTest, ChecksumsAndSegmentsToSend) {
  open_small();
  (void)send(0, skb_of(kernel, {.seed = Seed::kPseudo}), 1);
  (void)send(0, skb_of(kernel, {}), 1);
  sk_buff* large = skb_of(kernel, {.payload = 5'000, .seed = Seed::kPseudo});
  large->gso_size = 1'400;
  large->gso_segments = 4;
  EXPECT_EQ(send(0, large, 1).size(), 4u);
  const auto [rx, tx] = whole(0);
  EXPECT_EQ(tx.packets, 6u);
  EXPECT_EQ(tx.needs_csum, 5u);
  EXPECT_EQ(tx.gso_packets, 1u);
  EXPECT_EQ(tx.gso_bytes, 5'000u);
  EXPECT_EQ(tx.gso_wire_packets, 4u);
  EXPECT_EQ(stat(0, "tx_0_tso_segments"), 4u);
}

TEST_F(StatisticsTest, StopsAndRefusalsOfEachQueue) {
  open_small();
  device->fault("tx type 37 x2");
  for (u32 i = 0; i < 3; i++)
    ASSERT_TRUE(transmit(0, skb_of(kernel, {}), 1));
  kernel.settle();
  EXPECT_EQ(stat(0, "tx_1_cqe_err"), 2u);
  EXPECT_EQ(stat(0, "tx_0_cqe_err"), 0u);
  EXPECT_EQ(stat(0, "tx_cq_err"), 2u);
  device->stalled = true;
  while (sk_buff* skb = skb_of(kernel, {}))
    if (!transmit(0, skb, 1)) {
      kernel.free_skb(skb);
      break;
    }
  device->stalled = false;
  kernel.settle();
  const auto [rx, tx] = whole(0);
  EXPECT_EQ(tx.hw_drops, 2u);
  EXPECT_EQ(tx.stop, 1u);
  EXPECT_EQ(tx.wake, 1u);
  EXPECT_EQ(stat(0, "tx_1_stop"), 1u);
  EXPECT_EQ(stat(0, "tx_1_wake"), 1u);
  EXPECT_EQ(stat(0, "tx_0_stop"), 0u);
}

TEST_F(StatisticsTest, PagesOfThePoolsAddUpOverTheirLives) {
  open_small();
  EXPECT_EQ(stat(1, "rx_0_pool_pages"), 64u);  // 128 buffers, two to a page
  EXPECT_EQ(stat(1, "rx_0_pool_pages_taken"), 64u);
  EXPECT_EQ(stat(1, "rx_pp_alloc_slow"), 128u);  // two queues
  const u64 buffers = stat(1, "rx_pp_alloc_fast");
  ASSERT_EQ(stop(1), 0);
  EXPECT_EQ(stat(1, "rx_0_pool_pages"), 0u);
  EXPECT_EQ(stat(1, "rx_0_pool_pages_taken"), 64u);
  EXPECT_EQ(stat(1, "rx_0_pool_pages_released"), 64u);
  EXPECT_EQ(stat(1, "rx_pp_alloc_fast"), buffers);
  channels(1, 1);
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(stat(1, "rx_0_pool_pages"), 64u);
  EXPECT_EQ(stat(1, "rx_0_pool_pages_taken"), 128u);
  EXPECT_EQ(stat(1, "rx_0_pool_pages_released"), 64u);
  EXPECT_EQ(stat(1, "rx_pp_alloc_slow"), 192u);
  EXPECT_EQ(stat(1, "rx_pp_alloc_fast"), buffers + 64);
}

TEST_F(StatisticsTest, MissedPacketsOfTheOnlyPort) {
  config.ports = 1;
  open_small();
  kernel.pass(2'000);
  device->fault("hwc 0x20002 patch 40 7");
  EXPECT_EQ(link(0).rx_missed, 0u);  // asked for in the background
  kernel.settle();
  EXPECT_EQ(link(0).rx_missed, 7u);
  // At most once a second.
  const size_t asked = device->requests_of(wire::Command{kGfStat}).size();
  for (u32 i = 0; i < 10; i++) {
    (void)link(0);
    kernel.settle();
  }
  EXPECT_EQ(device->requests_of(wire::Command{kGfStat}).size(), asked);
  kernel.pass(1'000);
  (void)link(0);
  kernel.settle();
  EXPECT_EQ(device->requests_of(wire::Command{kGfStat}).size(), asked + 1);
  // What was missed stays so when the device starts anew, or cannot tell.
  device->fault("clear");
  EXPECT_EQ(stat(0, "hc_rx_discards_no_wqe"), 7u);
  EXPECT_EQ(link(0).rx_missed, 7u);
  device->fault("hwc 0x20002 status");
  EXPECT_EQ(stat(0, "hc_rx_discards_no_wqe"), 7u);
}

TEST_F(StatisticsTest, MissedPacketsOfTwoPortsAreNotTold) {
  open_small();
  kernel.pass(2'000);
  device->fault("hwc 0x20002 patch 40 7");
  for (u32 i = 0; i < 2; i++) {
    EXPECT_EQ(link(0).rx_missed, 0u);
    kernel.settle();
  }
  EXPECT_TRUE(device->requests_of(wire::Command{kGfStat}).empty());
  EXPECT_EQ(stat(0, "hc_rx_discards_no_wqe"), 7u);
}

TEST_F(StatisticsTest, TheDeviceIsNotAskedWhenItIsGone) {
  config.ports = 1;
  open_small();
  kernel.pass(2'000);
  mana_adapter_suspend(adapter);
  (void)link(0);
  EXPECT_GE(stat(0, "hc_tx_bytes"), 0u);
  kernel.settle();
  EXPECT_TRUE(device->requests_of(wire::Command{kGfStat}).empty());
  ASSERT_EQ(mana_adapter_resume(adapter), 0);
  kernel.pass(2'000);
  (void)link(0);
  kernel.settle();
  EXPECT_EQ(device->requests_of(wire::Command{kGfStat}).size(), 1u);
}

}  // namespace
}  // namespace mana::test
