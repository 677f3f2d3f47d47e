// SPDX-License-Identifier: GPL-2.0
// src/port/port.cc: open and close step by step, and reconfiguration that fails half-way.
#include "driver_test.h"

namespace mana::test {
namespace {

using wire::Command;

class PortTest : public DriverTest {
 protected:
  void open_small() {
    start();
    ASSERT_EQ(probe(), 0);
    for (u32 i : {0u, 1u}) {
      ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(i), 128, 128, nullptr); }), 0);
      ASSERT_EQ(open(i), 0);
    }
    kernel.settle();
    device->requests.clear();
  }
};

TEST_F(PortTest, D50_OpenInOrder) {
  start();
  ASSERT_EQ(probe(), 0);
  device->requests.clear();
  ASSERT_EQ(open(0), 0);
  const Command expected[] = {
      Command::kConfigVportTx,   Command::kCreateDmaRegion, Command::kCreateQueue,
      Command::kCreateDmaRegion, Command::kCreateDmaRegion, Command::kCreateWqObject,
      Command::kCreateDmaRegion, Command::kCreateDmaRegion, Command::kCreateWqObject,
      Command::kCreateDmaRegion, Command::kCreateQueue,     Command::kCreateDmaRegion,
      Command::kCreateDmaRegion, Command::kCreateWqObject,  Command::kCreateDmaRegion,
      Command::kCreateDmaRegion, Command::kCreateWqObject,  Command::kConfigVportRx};
  EXPECT_EQ(device->commands(), std::vector<Command>(std::begin(expected), std::end(expected)));
  const auto steering =
      device->requests_of(Command::kConfigVportRx).at(0).as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(steering.rx_enable, wire::TriState::kOn);
  EXPECT_EQ(steering.rss_enable, wire::TriState::kOn);
  EXPECT_EQ(steering.update_table, 1);
  EXPECT_EQ(steering.update_hash_key, 1);
}

TEST_F(PortTest, D63_CloseInOrder) {
  bring_up(1);
  device->requests.clear();
  kernel.mmio.clear();
  ASSERT_EQ(stop(0), 0);
  const Command expected[] = {Command::kConfigVportRx,   Command::kFenceRq,
                              Command::kFenceRq,         Command::kDestroyWqObject,
                              Command::kDestroyWqObject, Command::kDestroyWqObject,
                              Command::kDestroyWqObject};
  EXPECT_EQ(device->commands(), std::vector<Command>(std::begin(expected), std::end(expected)));
  const auto steering =
      device->requests_of(Command::kConfigVportRx).at(0).as<wire::ConfigVportRxRequest>();
  EXPECT_EQ(steering.rx_enable, wire::TriState::kOff);
  // RQ before SQ, and nothing is sent any more.
  const auto destroyed = device->requests_of(Command::kDestroyWqObject);
  for (size_t i = 0; i < destroyed.size(); i++)
    EXPECT_EQ(destroyed[i].as<wire::DestroyWqObjectRequest>().wq_type,
              i % 2 == 0 ? wire::WqType::kRq : wire::WqType::kSq);
  for (const Doorbell& bell : doorbells())
    EXPECT_FALSE(bell.page == 1 && bell.reg == wire::doorbell::kSq);
}

TEST_F(PortTest, D63_WhatWasPostedIsSentBeforeTheClose) {
  bring_up(2);
  device->stalled = true;
  for (u32 i = 0; i < 50; i++)
    ASSERT_TRUE(transmit(0, skb_of(kernel, {.sequence = i})));
  kernel.after(20, [&] { device->stalled = false; });
  // Not one command before that.
  device->on_request = [&](const auto&) { EXPECT_EQ(kernel.consumed, 50u); };
  ASSERT_EQ(stop(0), 0);
  EXPECT_EQ(take_received(1).size(), 50u);
  EXPECT_EQ(kernel.consumed, 50u);
  EXPECT_EQ(kernel.dropped, 0u);
}

TEST_F(PortTest, D63_AFenceThatFailsIsReplacedByAWait) {
  bring_up(1);
  for (const char* fault : {"hwc 0x20006 status", "hwc 0x20007 status"}) {
    device->fault(fault);
    const u64 before = kernel.now_ms;
    ASSERT_EQ(stop(0), 0);
    EXPECT_GE(kernel.now_ms - before, 100u);
    EXPECT_LE(kernel.now_ms - before, 5'000u);
    device->fault("clear");
    ASSERT_EQ(open(0), 0);
  }
}

TEST_F(PortTest, D63_EachStepOfCloseFailsAndTheOthersAreTaken) {
  for (size_t n = 1; n <= 7; n++) {
    kernel.log.clear();
    bring_up(1);
    device->requests.clear();
    device->fault_nth(n, "status");
    ASSERT_EQ(stop(0), 0);
    EXPECT_EQ(device->requests_of(Command::kDestroyWqObject).size(), 4u) << n;
    EXPECT_EQ(device->requests_of(Command::kConfigVportRx).size(), 1u);
    device->on_request = nullptr;
    remove();
    EXPECT_EQ(device->requests_of(Command::kDisableQueue).size(), 2u) << n;
    EXPECT_EQ(kernel.leftovers(), "") << n;
    EXPECT_TRUE(device->has_no_objects());
  }
}

TEST_F(PortTest, D64_MemoryOfACqIsFreeAfterItsObject) {
  bring_up(1);
  watch();
  ASSERT_EQ(stop(0), 0);
  ASSERT_EQ(open(0), 0);
  std::vector<u64> rings;
  for (const Object& object : objects)
    rings.insert(rings.end(), {object.wq_address, object.cq_address});
  device->on_request = [&](const ModelDevice::Request& request) {
    if (request.command != Command::kDestroyWqObject && request.command != Command::kFenceRq)
      return;
    for (u64 ring : rings)
      EXPECT_NE(kernel.coherent(ring), nullptr);
  };
  ASSERT_EQ(stop(0), 0);
  for (u64 ring : rings)
    EXPECT_EQ(kernel.coherent(ring), nullptr);
}

TEST_F(PortTest, D11_AnObjectThatMayExistKeepsItsMemory) {
  start();
  ASSERT_EQ(probe(), 0);
  const size_t memory = kernel.coherent_count();
  device->fault("hwc 0x20004 late 40000 x1");  // created, but the answer comes too late
  EXPECT_LT(open(0), 0);
  EXPECT_GE(kernel.coherent_count(), memory + 2);
  kernel.pass(20'000);
  remove();
}

TEST_F(PortTest, D11_AnObjectThatWasNotDestroyedKeepsItsBuffers) {
  bring_up(2);
  device->fault("hwc 0x20005 status x4");
  const size_t pages = kernel.pages_.size();
  ASSERT_EQ(stop(1), 0);
  EXPECT_EQ(kernel.pages_.size(), pages);
  // The device goes on writing to them; the fake would tell if it could not.
  (void)send(0, skb_of(kernel, {}), 1);
  ASSERT_EQ(stop(0), 0);
}

// --- reconfiguration ---

TEST_F(PortTest, ReconfigurationWhileRunning) {
  open_small();
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_channels(port(0), 1, nullptr); }), 0);
  EXPECT_EQ(traffic(), 8u);
  EXPECT_EQ(netdev(0)->queues, 1u);
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_channels(port(0), 2, nullptr); }), 0);
  EXPECT_EQ(traffic(), 8u);
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), 1024, 512, nullptr); }), 0);
  shim_rings rings{};
  mana_port_get_rings(port(0), &rings);
  EXPECT_EQ(rings.rx, 1024u);
  EXPECT_EQ(rings.tx, 512u);
  EXPECT_EQ(traffic(), 8u);
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(0), 4000, nullptr); }), 0);
  EXPECT_EQ(netdev(0)->mtu, 4000u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(PortTest, LargeRingsAreMadeOfPagesWhereNothingLargerIsToBeHad) {
  open_small();
  kernel.largest_coherent = SHIM_DMA_EASY;
  auto set_rings = [&](u32 rx, u32 tx) {
    return under_rtnl([&] { return mana_port_set_rings(port(0), rx, tx, nullptr); });
  };
  ASSERT_EQ(set_rings(4096, 2048), 0);
  // Of two channels each: RQ and its CQ, SQ and its CQ.
  EXPECT_EQ(kernel.ring_pages, 2 * (4096 * (32 + 64) + 2048 * (32 + 64)) / 4096u);
  for (int lap = 0; lap < 2'200; lap++)
    ASSERT_EQ(traffic(), 8u);
  ASSERT_EQ(set_rings(128, 128), 0);
  EXPECT_EQ(kernel.ring_pages, 0u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(PortTest, EachPageOfALargeRingMayBeTheLast) {
  open_small();
  kernel.largest_coherent = SHIM_DMA_EASY;
  auto& failing = kernel.fail_kind[static_cast<int>(Failing::kDma)];
  auto set_rings = [&](u32 rx) {
    return under_rtnl([&] { return mana_port_set_rings(port(0), rx, 128, nullptr); });
  };
  u32 refused = 0;
  for (u64 n = 1; n < 500; n++) {
    failing = n;
    const int error = set_rings(1024);
    const bool failed = failing == 0;
    failing = 0;
    ASSERT_TRUE(error == 0 || (failed && error == -12)) << error;
    ASSERT_EQ(traffic(), 8u);
    if (!failed)
      break;
    refused += error != 0;
    ASSERT_EQ(set_rings(128), 0);
  }
  EXPECT_GE(refused, 2u * 16);  // the pages of the CQs alone
  EXPECT_EQ(kernel.ring_pages, 2u * 16);
}

TEST_F(PortTest, RefusalsComeWithASentence) {
  open_small();
  for (auto& change : std::vector<std::function<int(netlink_ext_ack*)>>{
           [&](netlink_ext_ack* ack) { return mana_port_set_channels(port(0), 3, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_channels(port(0), 0, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 127, 128, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 128, 0, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 1000, 128, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 128, 129, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 16384, 128, ack); },
           [&](netlink_ext_ack* ack) { return mana_port_set_rings(port(0), 128, 32768, ack); }}) {
    netlink_ext_ack ack;
    EXPECT_EQ(under_rtnl([&] { return change(&ack); }), -22);
    EXPECT_NE(ack.sentence, nullptr);
  }
  EXPECT_TRUE(device->requests.empty());
}

// Whatever command fails, the port works afterwards, with the old setting or the new one, at the
// latest when the recovery has run. Not with a device that keeps an object: it has no more of them.
TEST_F(PortTest, EveryCommandOfAReconfigurationFailsOnce) {
  open_small();
  const auto change = [&](u32 channels) {
    return under_rtnl([&] { return mana_port_set_channels(port(0), channels, nullptr); });
  };
  ASSERT_EQ(change(1), 0);
  ASSERT_EQ(change(2), 0);
  const size_t commands = device->requests.size() + 4;
  for (size_t n = 1; n <= commands; n++) {
    device->on_request = [&, wanted = device->requests.size() + n](const auto& request) {
      if (device->requests.size() == wanted && request.command != Command::kDestroyWqObject)
        device->fault("hwc any status x1");
    };
    shim_channels before{}, after{};
    mana_port_get_channels(port(0), &before);
    const u32 wanted = 3 - before.combined;
    const int code = change(wanted);
    device->on_request = nullptr;
    (void)device->control("fault clear");
    mana_port_get_channels(port(0), &after);
    EXPECT_EQ(after.combined, code == 0 ? wanted : before.combined) << n;
    kernel.pass(2'000);
    EXPECT_EQ(netdev(0)->queues, after.combined) << n;
    EXPECT_TRUE(netdev(0)->carrier) << n << kernel.log.back();
    ASSERT_EQ(traffic(1), 2u) << n;
  }
}

TEST_F(PortTest, EveryAllocationOfAReconfigurationFailsOnce) {
  open_small();
  u32 wanted = 1;
  for (u64 n = 1; n < 2'000; n++) {
    kernel.fail_nth = n;
    device->requests.clear();
    netlink_ext_ack ack;
    const int code = under_rtnl([&] { return mana_port_set_rings(port(0), 256, 128, &ack); });
    const bool reached = kernel.fail_nth == 0;
    kernel.fail_nth = 0;
    kernel.pass(1'000);
    EXPECT_EQ(netdev(0)->carrier, true) << n;
    if (!reached) {
      EXPECT_EQ(code, 0);
      EXPECT_GT(n, 250u);
      break;
    }
    EXPECT_LT(code, 0) << n;
    EXPECT_NE(ack.sentence, nullptr);
    if (n % 50 == 0)
      ASSERT_EQ(traffic(1), 2u) << n;
    (void)wanted;
  }
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(PortTest, SteeringIsToldAndTakenBack) {
  open_small();
  std::vector<u32> table(mana_port_rss_entries(port(0)), 1);
  u8 key[40];
  std::memset(key, 0x42, sizeof(key));
  const shim_rss wanted{.table = table.data(), .key = key, .other_function = false};
  device->fault("hwc 0x20007 status x1");
  netlink_ext_ack ack;
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rss(port(0), &wanted, &ack); }), -5);
  std::vector<u32> now(table.size());
  u8 now_key[40];
  shim_rss read{.table = now.data(), .key = now_key, .other_function = false};
  mana_port_get_rss(port(0), &read);
  EXPECT_NE(now, table);
  EXPECT_NE(std::memcmp(now_key, key, 40), 0);
  EXPECT_EQ(device->requests_of(Command::kConfigVportRx).size(), 2u);

  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rss(port(0), &wanted, nullptr); }), 0);
  mana_port_get_rss(port(0), &read);
  EXPECT_EQ(now, table);
  const auto message = device->requests_of(Command::kConfigVportRx).back();
  EXPECT_EQ(std::memcmp(message.as<wire::ConfigVportRxRequest>().hash_key, key, 40), 0);
  table[5] = 2;
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rss(port(0), &wanted, &ack); }), -22);
  const shim_rss foreign{.table = nullptr, .key = nullptr, .other_function = true};
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rss(port(0), &foreign, nullptr); }), -95);
  EXPECT_TRUE(kernel.logged("refused: The device hashes with Toeplitz"));
  ASSERT_TRUE(transmit(1, skb_of(kernel, {.source = 2, .destination = 1})));
  kernel.settle();
  EXPECT_EQ(kernel.received.at(0).skb->rx_queue, 1u);
}

TEST_F(PortTest, RecoveryGivesUpAfterSomeFailuresInARow) {
  bring_up(1);
  device->fault("hwc 0x20004 status");
  mana_port_tx_timeout(port(0), 0);
  kernel.pass(60'000);
  EXPECT_TRUE(kernel.logged("giving up"));
  EXPECT_FALSE(netdev(0)->carrier);
  device->fault("clear");
  ASSERT_EQ(stop(0), 0);
  ASSERT_EQ(open(0), 0);
  EXPECT_TRUE(netdev(0)->carrier);
}

TEST_F(PortTest, StatisticsSurviveAReopen) {
  bring_up(2);
  EXPECT_EQ(traffic(), 8u);
  ASSERT_EQ(stop(0), 0);
  ASSERT_EQ(open(0), 0);
  EXPECT_EQ(traffic(), 8u);
  EXPECT_EQ(stat(0, "tx_0_packets"), 8u);
  shim_link_stats stats{};
  mana_port_get_stats(port(0), &stats);
  EXPECT_EQ(stats.tx_packets, 8u);
  EXPECT_EQ(stats.rx_packets, 8u);
}

}  // namespace
}  // namespace mana::test
