// SPDX-License-Identifier: GPL-2.0
// src/adapter: probe, remove, suspend and resume, and everything going wrong on the way.
#include "driver_test.h"

namespace mana::test {
namespace {

using wire::Command;

class AdapterTest : public DriverTest {
 protected:
  void expect_nothing_left(const std::string& after) {
    EXPECT_EQ(kernel.leftovers(), "") << after;
    EXPECT_TRUE(device->has_no_objects()) << after << ": " << device->control("objects");
  }
  // Probe, open, traffic, close, remove, whatever fails.
  void whole_life() {
    if (probe() == 0) {
      for (u32 i = 0; i < kernel.netdevs.size(); i++)
        if (open(i) == 0) {
          sk_buff* skb = skb_of(kernel, {});
          if (!transmit(i, skb))
            kernel.free_skb(skb);
        }
      kernel.settle();
      stop_all();
    }
    remove();
    kernel.free_received();
  }
  void stop_all() {
    for (net_device* netdev : kernel.netdevs)
      if (netdev->running)
        (void)kernel.stop(netdev);
  }
  // Every event for a link becomes another event.
  void next_event_becomes(wire::EqeType type, u32 value) {
    device->edit_write = [=](u64, u8* bytes, u32 length) {
      if (length != wire::Eqe::kSize - 1 ||
          bytes[12] != static_cast<u8>(wire::EqeType::kReconfigurationData))
        return;
      bytes[12] = static_cast<u8>(type);
      std::memcpy(bytes, &value, sizeof(value));
    };
    device->set_link(0, false);
    kernel.settle();
    device->edit_write = nullptr;
  }
};

TEST_F(AdapterTest, ProbeOpenTrafficRemove) {
  bring_up(2);
  EXPECT_EQ(traffic(), 8u);
  EXPECT_TRUE(netdev(0)->carrier);
  EXPECT_EQ(stop(0), 0);
  EXPECT_EQ(stop(1), 0);
  EXPECT_FALSE(netdev(0)->carrier);
}

TEST_F(AdapterTest, RemoveWhileOpenWithPacketsInTheStack) {
  bring_up(2);
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(transmit(0, skb_of(kernel, {})));
  }
  kernel.settle();
  EXPECT_EQ(kernel.received.size(), 20u);
}

TEST_F(AdapterTest, EveryAllocationOfProbeFailsOnce) {
  start();
  u64 n = 1;
  for (;; n++) {
    kernel.fail_nth = n;
    const int code = probe();
    if (kernel.fail_nth != 0) {
      EXPECT_EQ(code, 0);
      break;
    }
    kernel.fail_nth = 0;
    EXPECT_LT(code, 0) << n;
    EXPECT_EQ(adapter, nullptr);
    expect_nothing_left("failure " + std::to_string(n));
  }
  kernel.fail_nth = 0;
  EXPECT_GT(n, 15u);
  EXPECT_TRUE(kernel.logged("probe failed while"));
}

TEST_F(AdapterTest, EveryAllocationOfOpenFailsOnce) {
  config = {.ports = 1, .queues = 2, .mtu = 1500, .options = ""};
  start();
  ASSERT_EQ(probe(), 0);
  // Smaller rings: each buffer is an allocation.
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), 128, 128, nullptr); }), 0);
  u64 n = 1;
  for (;; n++) {
    kernel.fail_nth = n;
    const int code = open(0);
    const bool reached = kernel.fail_nth == 0;
    kernel.fail_nth = 0;
    if (!reached) {
      EXPECT_EQ(code, 0);
      break;
    }
    EXPECT_LT(code, 0) << n;
    // The channel's memory, and that of the EQs that were created already: they stay.
    const size_t eqs = kernel.handlers_.size() - 1;
    EXPECT_LE(eqs, 2u);
    EXPECT_EQ(kernel.coherent_count(), 6 + eqs) << n;
    EXPECT_EQ(kernel.pages_.size(), 0u);
    EXPECT_EQ(kernel.napis_.size(), 0u);
    EXPECT_EQ(device->control("objects"), R"({"hwc":1,"regions":)" + std::to_string(eqs) +
                                              R"(,"eqs":)" + std::to_string(eqs) +
                                              R"(,"cqs":0,"sqs":0,"rqs":0,"registered":1})")
        << n;
  }
  EXPECT_GT(n, 30u);
}

// All commands of a life, each in its turn, with each way to go wrong.
TEST_F(AdapterTest, D65_EveryCommandFailsOnce) {
  config = {.ports = 1, .queues = 2, .mtu = 1500, .options = ""};
  start();
  whole_life();
  const size_t commands = device->requests.size();
  ASSERT_GT(commands, 20u);
  for (const char* how : {"status", "status 0xFFFFFFFF", "silent", "garbage", "short", "long",
                          "message-id", "activity-id", "twice", "late 45000"}) {
    for (size_t n = 1; n <= commands; n++) {
      device->fault_nth(n, how);
      const u64 before = kernel.now_ms;
      whole_life();
      device->on_request = nullptr;
      (void)device->control("fault clear");
      EXPECT_LE(kernel.now_ms - before, 120'000u) << how << " of command " << n;
      expect_nothing_left(std::string{how} + " of command " + std::to_string(n));
      if (HasFailure())
        return;
    }
  }
}

TEST_F(AdapterTest, D2_NoProbeOfADeviceThatIsGone) {
  start();
  device->fault("registers x1");
  EXPECT_EQ(probe(), -19);
  device->fault("removed");
  EXPECT_EQ(probe(), -19);
  device->fault("clear");
}

TEST_F(AdapterTest, D9_ASilentMailboxFailsProbeInTime) {
  start();
  device->fault("mailbox silent x1");
  const u64 before = kernel.now_ms;
  EXPECT_EQ(probe(), -110);
  EXPECT_LE(kernel.now_ms - before, 60'000u);
  expect_nothing_left("a silent mailbox");
  EXPECT_EQ(kernel.resets, 1u);
}

TEST_F(AdapterTest, D11_NothingIsFreedThatTheDeviceMayUse) {
  bring_up(1);
  const size_t memory = kernel.coherent_count();
  const size_t pages = kernel.pages_.size();
  device->stalled = true;
  kernel.fail_always[static_cast<int>(Failing::kReset)] = true;
  remove();
  // Rings, channel memory and buffers are still there; everything else is not.
  EXPECT_EQ(kernel.coherent_count(), memory);
  EXPECT_EQ(kernel.pages_.size(), pages);
  EXPECT_TRUE(kernel.netdevs.empty());
  EXPECT_TRUE(kernel.napis_.empty());
  EXPECT_TRUE(kernel.handlers_.empty());
  EXPECT_TRUE(kernel.works_.empty());
  EXPECT_EQ(kernel.bar_, nullptr);
  EXPECT_TRUE(kernel.logged("leaking its memory"));
  expect_objects = true;
  kernel.forget_everything();
}

TEST_F(AdapterTest, D65_AResetRequestEndsAllCommands) {
  bring_up(2);
  next_event_becomes(wire::EqeType::kVfResetRequest, 0);
  const size_t sent = device->requests.size();
  EXPECT_FALSE(netdev(0)->carrier);
  EXPECT_FALSE(netdev(1)->carrier);
  EXPECT_EQ(stop(0), 0);
  EXPECT_EQ(open(0), -100);
  EXPECT_TRUE(kernel.logged("asks for a reset"));
  const size_t memory = kernel.coherent_count();
  EXPECT_GT(memory, 6u);  // also port 0's: nobody confirmed that its queues are gone
  const u64 before = kernel.now_ms;
  remove();
  EXPECT_LE(kernel.now_ms - before, 1'000u);
  EXPECT_EQ(device->requests.size(), sent);
}

TEST_F(AdapterTest, D65_SurpriseRemovalIsQuick) {
  bring_up(2);
  device->fault("removed");
  const u64 before = kernel.now_ms;
  EXPECT_EQ(stop(0), 0);
  remove();
  EXPECT_LE(kernel.now_ms - before, 10'000u);
  device->fault("clear");
}

TEST_F(AdapterTest, D67_LinkEventsReachTheirPort) {
  bring_up(2);
  device->set_link(1, false);
  kernel.settle();
  EXPECT_TRUE(netdev(0)->carrier);
  EXPECT_FALSE(netdev(1)->carrier);
  EXPECT_FALSE(mana_port_link_up(port(1)));
  device->set_link(1, true);
  kernel.settle();
  EXPECT_TRUE(netdev(1)->carrier);
}

TEST_F(AdapterTest, D67_IndicesOutOfRangeReachNobody) {
  bring_up(2);
  for (u32 index : {2u, 63u, 64u, 255u, 256u, 257u, 0x10000u, 0xFFFFFFu}) {
    next_event_becomes(wire::EqeType::kReconfigurationData, 3u << 24 | index);
    device->set_link(0, true);
    kernel.settle();
    EXPECT_TRUE(netdev(0)->carrier);
    EXPECT_TRUE(netdev(1)->carrier);
  }
}

// --- suspend, resume, shutdown ---

TEST_F(AdapterTest, D66_ResumeReadsEverythingAgain) {
  bring_up(2);
  mana_adapter_suspend(adapter);
  EXPECT_TRUE(device->has_no_objects());
  EXPECT_FALSE(netdev(0)->attached);
  device->reset();
  device->requests.clear();
  const u8 mac[6] = {0x06, 1, 2, 3, 4, 5};
  device->edit<wire::QueryVportConfigResponse>(
      Command::kQueryVportConfig, [&](auto& answer) { std::memcpy(answer.mac, mac, 6); });
  EXPECT_EQ(mana_adapter_resume(adapter), 0);
  device->edit_response = nullptr;
  const std::vector<Command> commands = device->commands();
  for (Command command : {Command::kVerifyVfDriverVersion, Command::kQueryMaxResources,
                          Command::kListDevices, Command::kRegisterDevice, Command::kQueryDevConfig,
                          Command::kQueryVportConfig, Command::kConfigVportTx})
    EXPECT_NE(std::count(commands.begin(), commands.end(), command), 0)
        << static_cast<u32>(command);
  EXPECT_EQ(std::memcmp(netdev(0)->config.mac, mac, 6), 0);
  EXPECT_TRUE(netdev(0)->attached);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(AdapterTest, D66_AnotherNumberOfPortsFailsResume) {
  bring_up(2);
  mana_adapter_suspend(adapter);
  device->reset();
  for (u32 count : {1u, 3u}) {
    device->edit<wire::QueryDevConfigResponse>(Command::kQueryDevConfig, [=](auto& answer) {
      answer.vport_count = static_cast<u16>(count);
    });
    EXPECT_EQ(mana_adapter_resume(adapter), -71);
    EXPECT_FALSE(netdev(0)->carrier);
    mana_adapter_suspend(adapter);
  }
}

TEST_F(AdapterTest, D66_LimitsThatShrankFailResume) {
  bring_up(1);
  mana_adapter_suspend(adapter);
  device->reset();
  device->edit<wire::QueryDevConfigResponse>(Command::kQueryDevConfig,
                                             [](auto& answer) { answer.adapter_mtu = 1000; });
  EXPECT_EQ(mana_adapter_resume(adapter), -28);
  EXPECT_FALSE(netdev(0)->carrier);
}

TEST_F(AdapterTest, D66_EveryCommandOfResumeFailsOnce) {
  bring_up(1);
  mana_adapter_suspend(adapter);
  device->requests.clear();
  ASSERT_EQ(mana_adapter_resume(adapter), 0);
  const size_t commands = device->requests.size();
  mana_adapter_suspend(adapter);
  for (size_t n = 1; n <= commands; n++) {
    device->fault_nth(n, n % 2 ? "status" : "silent");
    (void)mana_adapter_resume(adapter);
    device->on_request = nullptr;
    (void)device->control("fault clear");
    kernel.settle();
    mana_adapter_suspend(adapter);
    EXPECT_TRUE(device->has_no_objects()) << n;
  }
  EXPECT_EQ(mana_adapter_resume(adapter), 0);
  // A port that could not be opened by a resume that failed is down until somebody opens it.
  if (!netdev(0)->carrier) {
    EXPECT_EQ(stop(0), 0);
    EXPECT_EQ(open(0), 0);
  }
  EXPECT_TRUE(netdev(0)->carrier);
}

TEST_F(AdapterTest, ShutdownStopsTheDevice) {
  bring_up(2);
  mana_adapter_shutdown(adapter);
  EXPECT_TRUE(device->has_no_objects());
  EXPECT_FALSE(netdev(0)->carrier);
  EXPECT_EQ(open(1), -100);
}

}  // namespace
}  // namespace mana::test
