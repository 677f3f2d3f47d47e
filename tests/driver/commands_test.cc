// SPDX-License-Identifier: GPL-2.0
// src/hwc/commands.cc: what the driver asks for, and what it takes for an answer.
#include "hwc/commands.h"

#include "driver_test.h"

namespace mana::test {
namespace {

using wire::Command;

class CommandsTest : public DriverTest {
 protected:
  void SetUp() override { start(); }
  // Probes with every answer to `command` changed.
  template <typename Message>
  int probe_with(Command command, std::function<void(Message&)> change) {
    device->edit<Message>(command, change);
    const int code = probe();
    device->edit_response = nullptr;
    if (code != 0) {
      EXPECT_EQ(kernel.leftovers(), "");
      EXPECT_TRUE(device->has_no_objects());
    }
    return code;
  }
  // The same, expected to work; the port is gone again afterwards.
  template <typename Message>
  void good(Command command, std::function<void(Message&)> change,
            std::function<void()> look = {}) {
    EXPECT_EQ((probe_with<Message>(command, change)), 0);
    if (look && adapter)
      look();
    remove();
  }
  size_t count(Command command) const {
    const auto all = device->commands();
    return static_cast<size_t>(std::count(all.begin(), all.end(), command));
  }
};

TEST_F(CommandsTest, D41_EveryRequestIsWellFormed) {
  ASSERT_EQ(probe(), 0);
  ASSERT_EQ(open(0), 0);
  (void)stat(0, "tx_timeouts");
  ASSERT_EQ(stop(0), 0);
  remove();
  std::set<u32> activities;
  for (const auto& request : device->requests) {
    const auto header = request.as<wire::RequestHeader>();
    EXPECT_EQ(header.request.header_type, 0u);
    EXPECT_EQ(header.request.size, request.bytes.size());
    EXPECT_GE(header.request.version, 1);
    EXPECT_EQ(header.response.header_type, 0u);
    EXPECT_EQ(header.response.message_type, header.request.message_type);
    EXPECT_TRUE(activities.insert(header.activity_id).second);
  }
  // Reserved fields.
  for (const auto& request : device->requests_of(Command::kCreateQueue)) {
    const auto message = request.as<wire::CreateQueueRequest>();
    EXPECT_EQ(message.reserved0, 0u);
    EXPECT_EQ(message.reserved1, 0u);
    EXPECT_EQ(message.reserved2, 0u);
  }
  for (const auto& request : device->requests_of(Command::kConfigVportRx)) {
    const auto message = request.as<wire::ConfigVportRxRequest>();
    EXPECT_EQ(message.reserved0, 0);
    EXPECT_EQ(message.coalesce_4, 0);  // D-59
    EXPECT_EQ(message.coalesce_8, 0);
    EXPECT_EQ(request.bytes.size(), message.table_offset + 8u * message.entry_count);
  }
}

TEST_F(CommandsTest, D42_OnlyCapabilitiesThatAreImplemented) {
  ASSERT_EQ(probe(), 0);
  const auto message =
      device->requests_of(Command::kVerifyVfDriverVersion).at(0).as<wire::VerifyVersionRequest>();
  namespace cap = wire::driver_cap;
  EXPECT_EQ(message.driver_caps[0] & ~(cap::kSharedEq | cap::kHwcTimeoutReconfiguration |
                                       cap::kVariableIndirectionTable | cap::kVportLinkState |
                                       cap::kDeviceListHoles | cap::kCqModeration),
            0u);
  for (int i = 1; i < 4; i++)
    EXPECT_EQ(message.driver_caps[i], 0u);
  EXPECT_EQ(message.protocol_min, 1u);
  EXPECT_EQ(message.protocol_max, 1u);
  EXPECT_EQ(message.os_type, wire::OsType::kLinux);
  EXPECT_EQ(message.os_major, 6u);
  EXPECT_EQ(message.os_minor, 12u);
  EXPECT_STREQ(message.os_text[1], "6.12.0-test");
}

TEST_F(CommandsTest, UnknownProtocolFailsProbe) {
  EXPECT_EQ((probe_with<wire::VerifyVersionResponse>(Command::kVerifyVfDriverVersion,
                                                     [](auto& answer) { answer.protocol = 2; })),
            -71);
}

TEST_F(CommandsTest, D43_DeviceList) {
  using List = wire::ListDevicesResponse;
  const wire::DeviceId none{wire::DeviceType::kNone, 0};
  const wire::DeviceId mana{wire::DeviceType::kMana, 1};
  const auto clear = [none](List& list) {
    for (auto& id : list.devices)
      id = none;
  };
  // The last slot, behind empty ones; the count lies upwards.
  good<List>(Command::kListDevices, [&](List& list) {
    clear(list);
    list.devices[63] = mana;
    list.count = 0xFFFFFFFF;
  });
  good<List>(Command::kListDevices, [&](List& list) {
    clear(list);
    list.devices[63] = mana;
    list.count = 1;
  });
  EXPECT_EQ((probe_with<List>(Command::kListDevices,
                              [&](List& list) {
                                clear(list);
                                list.devices[0] = {wire::DeviceType::kManaIb, 4};
                                list.count = 0xFFFFFFFF;
                              })),
            -19);
  EXPECT_EQ((probe_with<List>(Command::kListDevices, [&](List& list) { list.count = 0; })), -19);
}

TEST_F(CommandsTest, D44_ResourceLimits) {
  using Limits = wire::QueryMaxResourcesResponse;
  for (u32 msix : {0u, 1u})
    EXPECT_LT((probe_with<Limits>(Command::kQueryMaxResources,
                                  [=](Limits& limits) { limits.max_msix = msix; })),
              0);
  for (auto field : {&Limits::max_sq, &Limits::max_rq, &Limits::max_cq, &Limits::max_eq})
    EXPECT_LT((probe_with<Limits>(Command::kQueryMaxResources,
                                  [=](Limits& limits) { limits.*field = 0; })),
              0);
  const auto channels = [&](u32 expected) {
    return [this, expected] {
      shim_channels channels{};
      mana_port_get_channels(port(0), &channels);
      EXPECT_EQ(channels.combined_max, expected);
      EXPECT_LE(channels.combined, expected);
      EXPECT_EQ(open(0), 0);
    };
  };
  for (auto field : {&Limits::max_sq, &Limits::max_rq, &Limits::max_eq})
    good<Limits>(
        Command::kQueryMaxResources, [=](Limits& limits) { limits.*field = 1; }, channels(1));
  good<Limits>(Command::kQueryMaxResources, [](Limits& limits) { limits.max_cq = 3; }, channels(1));
  good<Limits>(
      Command::kQueryMaxResources, [](Limits& limits) { limits.max_msix = 2; }, channels(1));
  good<Limits>(
      Command::kQueryMaxResources,
      [](Limits& limits) {
        limits.max_sq = limits.max_rq = limits.max_cq = limits.max_eq = limits.max_msix =
            0xFFFFFFFF;
      },
      channels(2));
}

TEST_F(CommandsTest, D45_DeviceIdOfDeviceScopedCommands) {
  const wire::DeviceId listed{wire::DeviceType::kMana, 1};
  ASSERT_EQ(probe(), 0);
  ASSERT_EQ(open(0), 0);
  ASSERT_EQ(stop(0), 0);
  for (const auto& request : device->requests) {
    const u32 code = static_cast<u32>(request.command);
    const bool scoped = code >= 0x20000 || request.command == Command::kRegisterDevice ||
                        request.command == Command::kCreateQueue ||
                        request.command == Command::kDisableQueue;
    if (scoped)
      EXPECT_EQ(request.as<wire::RequestHeader>().device, listed) << code;
  }
}

TEST_F(CommandsTest, D4_DoorbellOfTheDeviceInsideTheBar) {
  for (u32 page : {3u, 0xFFFFu, 0xFFFFFFFFu})
    EXPECT_LT((probe_with<wire::RegisterDeviceResponse>(
                  Command::kRegisterDevice, [=](auto& answer) { answer.doorbell_id = page; })),
              0);
}

TEST_F(CommandsTest, D46_RegionsAreDestroyedIfAndOnlyIfNobodyTookThem) {
  ASSERT_EQ(probe(), 0);
  // One region for an EQ, two for an object. The EQ stays when the objects fail.
  for (const auto& [command, regions, eqs] :
       {std::tuple{Command::kCreateQueue, 1u, 0u}, std::tuple{Command::kCreateWqObject, 2u, 1u}}) {
    device->requests.clear();
    device->fault("hwc " + std::to_string(static_cast<u32>(command)) + " status x1");
    EXPECT_LT(open(0), 0);
    EXPECT_EQ(count(Command::kDestroyDmaRegion), regions);
    EXPECT_EQ(device->control("objects"), R"({"hwc":1,"regions":)" + std::to_string(eqs) +
                                              R"(,"eqs":)" + std::to_string(eqs) +
                                              R"(,"cqs":0,"sqs":0,"rqs":0,"registered":1})");
  }
  device->requests.clear();
  ASSERT_EQ(open(0), 0);
  ASSERT_EQ(stop(0), 0);
  EXPECT_EQ(count(Command::kDestroyDmaRegion), 0u);
}

TEST_F(CommandsTest, D47_InvalidHandlesAndIds) {
  ASSERT_EQ(probe(), 0);
  device->edit<wire::CreateDmaRegionResponse>(Command::kCreateDmaRegion,
                                              [](auto& answer) { answer.region = 0; });
  EXPECT_EQ(open(0), -71);
  using Created = wire::CreateWqObjectResponse;
  device->edit<Created>(Command::kCreateWqObject, [](Created& answer) { answer.object = ~0ull; });
  EXPECT_EQ(open(0), -71);
  for (u32 id : {0x00FFFFFFu, 0xFFFFFFFFu, 0x00010000u}) {
    device->edit<Created>(Command::kCreateWqObject, [=](Created& answer) { answer.cq_id = id; });
    EXPECT_LT(open(0), 0) << id;
  }
  device->edit<Created>(Command::kCreateWqObject,
                        [](Created& answer) { answer.wq_id = 0x01000000; });
  EXPECT_LT(open(0), 0);
  // The same id for all.
  device->edit<Created>(Command::kCreateWqObject, [](Created& answer) { answer.cq_id = 40; });
  EXPECT_LT(open(0), 0);
  device->edit<wire::CreateQueueResponse>(Command::kCreateQueue,
                                          [](auto& answer) { answer.queue_id = 0x10000; });
  EXPECT_LT(open(0), 0);
  device->edit_response = nullptr;
  remove();
}

TEST_F(CommandsTest, D48_AdapterMtu) {
  using Configuration = wire::QueryDevConfigResponse;
  for (u16 mtu : {0, 14, 81})
    EXPECT_EQ((probe_with<Configuration>(Command::kQueryDevConfig,
                                         [=](auto& answer) { answer.adapter_mtu = mtu; })),
              -71);
  const auto max_mtu = [this](u32 expected) {
    return [this, expected] { EXPECT_EQ(netdev(0)->config.max_mtu, expected); };
  };
  good<Configuration>(
      Command::kQueryDevConfig, [](auto& answer) { answer.adapter_mtu = 82; }, max_mtu(68));
  for (u16 version : {2, 3, 4})
    good<Configuration>(
        Command::kQueryDevConfig, [=](auto& answer) { answer.header.response.version = version; },
        max_mtu(9000));
  // A version 1 answer has no MTU, whatever stands there.
  good<Configuration>(
      Command::kQueryDevConfig, [](auto& answer) { answer.header.response.version = 1; },
      max_mtu(1500));
}

TEST_F(CommandsTest, D49_Vports) {
  EXPECT_EQ((probe_with<wire::QueryDevConfigResponse>(
                Command::kQueryDevConfig, [](auto& answer) { answer.vport_count = 0; })),
            -71);
  // More than there are: the model refuses the third, after at most 256 questions.
  EXPECT_LT((probe_with<wire::QueryDevConfigResponse>(
                Command::kQueryDevConfig, [](auto& answer) { answer.vport_count = 0xFFFF; })),
            0);
  using Vport = wire::QueryVportConfigResponse;
  const auto bad = [&](std::function<void(Vport&)> change) {
    EXPECT_EQ((probe_with<Vport>(Command::kQueryVportConfig, change)), -71);
  };
  bad([](Vport& vport) { vport.max_sq = 0; });
  bad([](Vport& vport) { vport.max_rq = 0; });
  bad([](Vport& vport) { vport.vport = ~0ull; });
  bad([](Vport& vport) { vport.mac[0] = 1; });
  bad([](Vport& vport) { std::memset(vport.mac, 0, 6); });
  bad([](Vport& vport) { std::memset(vport.mac, 0xFF, 6); });
  for (auto [entries, expected] : {std::pair{0u, 64u},
                                   {1u, 1u},
                                   {3u, 64u},
                                   {128u, 128u},
                                   {512u, 512u},
                                   {1024u, 64u},
                                   {0xFFFFFFFFu, 64u}})
    good<Vport>(
        Command::kQueryVportConfig,
        [entries = entries](Vport& vport) { vport.indirection_entries = entries; },
        [this, expected = expected] { EXPECT_EQ(mana_port_rss_entries(port(0)), expected); });
}

TEST_F(CommandsTest, D50_ConfigVportTxFirstAndItsOffset) {
  ASSERT_EQ(probe(), 0);
  using Configured = wire::ConfigVportTxResponse;
  device->edit<Configured>(Command::kConfigVportTx,
                           [](auto& answer) { answer.vport_offset = 4096; });
  device->requests.clear();
  EXPECT_EQ(open(0), -71);
  EXPECT_EQ(count(Command::kCreateWqObject), 0u);
  device->edit<Configured>(Command::kConfigVportTx,
                           [](auto& answer) { answer.vport_offset = 4095; });
  device->requests.clear();
  EXPECT_EQ(open(0), 0);
  EXPECT_EQ(device->requests.front().command, Command::kConfigVportTx);
}

TEST_F(CommandsTest, D26_RingsOfQueuesArePowersOfTwo) {
  ASSERT_EQ(probe(), 0);
  for (u32 ring : {129u, 1000u})
    EXPECT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), ring, ring, nullptr); }), -22);
  for (u32 ring : {128u, 256u, 1024u, 8192u}) {
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), ring, ring, nullptr); }), 0);
    ASSERT_EQ(open(0), 0);
    ASSERT_EQ(stop(0), 0);
  }
  for (const auto& request : device->requests_of(Command::kCreateWqObject)) {
    const auto message = request.as<wire::CreateWqObjectRequest>();
    EXPECT_TRUE(is_power_of_two(message.wq_bytes));
    EXPECT_TRUE(is_power_of_two(message.cq_bytes));
    EXPECT_GE(message.wq_bytes, 4096u);
    EXPECT_GE(message.cq_bytes, 4096u);
    // D-62: a CQE for the smallest WQE there is.
    EXPECT_GE(message.cq_bytes / 64, message.wq_bytes / 32);
  }
  for (const auto& request : device->requests_of(Command::kCreateDmaRegion)) {
    const auto message = request.as<wire::CreateDmaRegionRequest>();
    EXPECT_EQ(message.length, message.page_count * 4096ull);
    EXPECT_EQ(message.addresses_here, message.page_count);
    EXPECT_EQ(message.first_page_offset, 0u);
    EXPECT_EQ(message.page_type, 0u);
  }
}

}  // namespace
}  // namespace mana::test
