// SPDX-License-Identifier: GPL-2.0
// src/port/port_ethtool.cc, port_dump.cc, port_self_test.cc: what ethtool asks for, and the lines
// that a port's life leaves in the kernel's log.
#include <algorithm>

#include "driver_test.h"

namespace mana::test {
namespace {

using wire::Command;

class EthtoolTest : public DriverTest {
 protected:
  std::vector<u32> dump(u32 index) {
    std::vector<u32> words(mana_port_dump_words(port(index)), 0);
    under_rtnl([&] { return mana_port_dump(port(index), words.data()), 0; });
    return words;
  }

  // True if it passed.
  bool self_test(u32 index) {
    std::fill(std::begin(results), std::end(results), 99);
    return under_rtnl([&] { return mana_port_self_test(port(index), results); });
  }

  void expect_results(u64 registers, u64 channel, u64 interrupts, u64 loopback) {
    EXPECT_EQ(results[SHIM_TEST_REGISTERS], registers);
    EXPECT_EQ(results[SHIM_TEST_CHANNEL], channel);
    EXPECT_EQ(results[SHIM_TEST_INTERRUPTS], interrupts);
    EXPECT_EQ(results[SHIM_TEST_LOOPBACK], loopback);
  }

  u64 results[SHIM_SELF_TESTS];
};

TEST_F(EthtoolTest, Firmware) {
  start();
  ASSERT_EQ(probe(), 0);
  char text[32];
  mana_port_firmware(port(0), text, sizeof(text));
  const u32 version = static_cast<u32>(device->read(wire::reg::kVersion, 4));
  EXPECT_EQ(std::string{text}, "registers " + std::to_string(version >> 24) + "." +
                                   std::to_string(version >> 16 & 0xFF) + "." +
                                   std::to_string(version & 0xFFFF) + ", protocol 1");
  // Never beyond what there is room for.
  std::memset(text, 'x', sizeof(text));
  mana_port_firmware(port(0), text, 8);
  EXPECT_EQ(std::string{text}, "registe");
  EXPECT_EQ(text[8], 'x');
}

TEST_F(EthtoolTest, MacStatisticsOfTwoPorts) {
  bring_up(2);
  EXPECT_EQ(traffic(), 8u);
  shim_mac_stats mac{};
  shim_link_stats link{};
  under_rtnl([&] { return mana_port_mac_stats(port(1), &mac), 0; });
  mana_port_get_stats(port(1), &link);
  EXPECT_EQ(mac.rx_frames, 4u);
  EXPECT_EQ(mac.tx_frames, 4u);
  EXPECT_EQ(mac.rx_octets, link.rx_bytes);
  EXPECT_EQ(mac.tx_octets, link.tx_bytes);
  EXPECT_FALSE(mac.knows_kinds);
  device->fault("rx type 4 x3");  // truncated
  EXPECT_EQ(traffic(), 5u);
  mac = {};
  under_rtnl([&] { return mana_port_mac_stats(port(0), &mac), 0; });
  shim_mac_stats other{};
  under_rtnl([&] { return mana_port_mac_stats(port(1), &other), 0; });
  EXPECT_EQ(mac.rx_too_long + other.rx_too_long, 3u);
}

TEST_F(EthtoolTest, MacStatisticsOfTheOnlyPort) {
  config.ports = 1;
  bring_up(1);
  device->fault("hwc 0x20002 patch 80 5");
  device->fault("hwc 0x20002 patch 96 6");
  device->fault("hwc 0x20002 patch 216 7");
  device->fault("hwc 0x20002 patch 232 8");
  shim_mac_stats mac{};
  under_rtnl([&] { return mana_port_mac_stats(port(0), &mac), 0; });
  EXPECT_TRUE(mac.knows_kinds);
  EXPECT_EQ(mac.rx_broadcast, 5u);
  EXPECT_EQ(mac.rx_multicast, 6u);
  EXPECT_EQ(mac.tx_broadcast, 7u);
  EXPECT_EQ(mac.tx_multicast, 8u);
}

// --- the register dump ---

TEST_F(EthtoolTest, DumpOfARunningPort) {
  bring_up(2);
  EXPECT_EQ(traffic(), 8u);
  kernel.mmio.clear();
  const std::vector<u32> words = dump(1);
  ASSERT_EQ(words.size(), 10 + 22 + 2 * 9u);
  const auto word_of = [&](u32 offset) { return static_cast<u32>(device->read(offset, 4)); };
  EXPECT_EQ(words[0], word_of(wire::reg::kVersion));
  EXPECT_EQ(words[2], word_of(wire::reg::kDoorbellOffset));
  EXPECT_EQ(words[4], word_of(wire::reg::kDoorbellSize));
  EXPECT_EQ(words[6], word_of(wire::reg::kSmcOffset));
  EXPECT_EQ(words[8], word_of(wire::reg::kSmcSize));
  for (u32 reserved : {1u, 5u, 9u})
    EXPECT_EQ(words[reserved], 0u);
  EXPECT_EQ(words[10], 1u | 2u | 4u);
  EXPECT_EQ(words[11], 1u);
  EXPECT_EQ(words[18], 2u);
  EXPECT_EQ(words[19], 2u);
  EXPECT_EQ(words[20], 512u);
  EXPECT_EQ(words[21], 256u);
  EXPECT_EQ(words[22], 1500u);
  EXPECT_EQ(words[23], 9000u);
  EXPECT_EQ(words[31], 2u);
  u32 sent = 0, received = 0;
  for (u32 queue = 0; queue < 2; queue++) {
    const u32* of = &words[32 + queue * 9];
    EXPECT_EQ(of[3], of[4]);
    EXPECT_GE(of[7] - of[8], 511u - 31);  // the device hears of consumed slots 32 at a time
    EXPECT_LE(of[7] - of[8], 511u);
    sent += of[3];
    received += of[8];
  }
  EXPECT_GE(sent, 4u);
  EXPECT_EQ(received, 4u);
  // Registers of the map are read, and nothing else is touched.
  EXPECT_FALSE(kernel.mmio.empty());
  for (const Mmio& access : kernel.mmio) {
    EXPECT_FALSE(access.is_write);
    EXPECT_LT(access.offset, wire::reg::kMapSize);
  }
}

TEST_F(EthtoolTest, DumpOfAPortThatIsDown) {
  start();
  ASSERT_EQ(probe(), 0);
  device->requests.clear();
  const std::vector<u32> words = dump(0);
  EXPECT_EQ(words[10], 4u);
  EXPECT_EQ(words[31], 0u);
  for (size_t i = 32; i < words.size(); i++)
    EXPECT_EQ(words[i], 0u);
  EXPECT_TRUE(device->requests.empty());
}

TEST_F(EthtoolTest, DumpOfADeviceThatIsGone) {
  bring_up(1);
  device->fault("removed");
  EXPECT_EQ(dump(0)[0], 0xFFFFFFFFu);
  mana_adapter_suspend(adapter);
  EXPECT_LT(mana_adapter_resume(adapter), 0);
  EXPECT_EQ(dump(0)[10] & (8u | 16u), 8u | 16u);
}

// --- the self test ---

TEST_F(EthtoolTest, SelfTestOfAPortThatIsUp) {
  bring_up(2);
  device->requests.clear();
  EXPECT_TRUE(self_test(0));
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_PASSED);
  EXPECT_EQ(device->requests_of(Command::kGenerateTestEqe).size(), 2u);  // one for each EQ
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(EthtoolTest, SelfTestWithoutAPortToTalkTo) {
  bring_up(1);
  EXPECT_TRUE(self_test(0));
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_SKIPPED);
}

TEST_F(EthtoolTest, SelfTestOfAPortThatIsDown) {
  bring_up(1);
  EXPECT_TRUE(self_test(1));
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_SKIPPED, SHIM_TEST_SKIPPED);
}

TEST_F(EthtoolTest, SelfTestNoticesRegisters) {
  bring_up(2);
  device->fault("register 0x10 8192");
  EXPECT_FALSE(self_test(0));
  expect_results(SHIM_TEST_FAILED, SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_PASSED);
  EXPECT_TRUE(kernel.logged("self test of the registers failed"));
}

TEST_F(EthtoolTest, SelfTestNoticesACommandThatIsRefused) {
  bring_up(2);
  device->fault("hwc 2 status");
  EXPECT_FALSE(self_test(0));
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_FAILED, SHIM_TEST_PASSED, SHIM_TEST_PASSED);
  EXPECT_TRUE(kernel.logged("QUERY_MAX_RESOURCES"));
}

TEST_F(EthtoolTest, SelfTestNoticesAnEventThatDoesNotCome) {
  bring_up(2);
  device->edit_write = [](u64, u8* bytes, u32 length) {
    if (length == wire::Eqe::kSize - 1 && bytes[12] == static_cast<u8>(wire::EqeType::kTest))
      bytes[12] = static_cast<u8>(wire::EqeType::kSocService);
  };
  const u64 before = kernel.now_ms;
  EXPECT_FALSE(self_test(0));
  device->edit_write = nullptr;
  EXPECT_LE(kernel.now_ms - before, 3'000u);
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_FAILED, SHIM_TEST_PASSED);
  EXPECT_TRUE(kernel.logged("the test event never arrived, vector"));
}

TEST_F(EthtoolTest, SelfTestNoticesAFrameThatIsNotSent) {
  bring_up(2);
  kernel.fail_kind[static_cast<int>(Failing::kSkb)] = 1;
  EXPECT_FALSE(self_test(0));
  expect_results(SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_PASSED, SHIM_TEST_FAILED);
}

TEST_F(EthtoolTest, SelfTestOfADeviceThatIsGone) {
  bring_up(2);
  device->fault("removed");
  const u64 before = kernel.now_ms;
  EXPECT_FALSE(self_test(0));
  EXPECT_LE(kernel.now_ms - before, 2'000u);
  EXPECT_EQ(results[SHIM_TEST_REGISTERS], u64{SHIM_TEST_FAILED});
  EXPECT_EQ(results[SHIM_TEST_CHANNEL], u64{SHIM_TEST_FAILED});
  EXPECT_EQ(results[SHIM_TEST_INTERRUPTS], u64{SHIM_TEST_FAILED});
  mana_adapter_suspend(adapter);
  EXPECT_FALSE(self_test(0));
}

// --- the log ---

TEST_F(EthtoolTest, EachEventOfALifeLeavesOneLine) {
  const auto lines = [&](const std::string& part) {
    return std::count_if(kernel.log.begin(), kernel.log.end(), [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  };
  bring_up(2);
  EXPECT_EQ(lines("2 ports of up to 2 queues, MTU up to 9000"), 1);
  device->set_link(0, false);
  kernel.settle();
  EXPECT_EQ(lines("link down"), 1);
  device->set_link(0, true);
  kernel.settle();
  EXPECT_EQ(lines("link up, "), 1);
  EXPECT_EQ(traffic(), 8u);
  mana_adapter_suspend(adapter);
  EXPECT_EQ(lines("suspend or reset"), 1);
  ASSERT_EQ(mana_adapter_resume(adapter), 0);
  EXPECT_EQ(lines("the device is back, with 2 ports"), 1);
  remove();
  EXPECT_EQ(lines("removed"), 1);
}

TEST_F(EthtoolTest, ARefusalWithoutAPlaceForASentenceIsLogged) {
  start();
  ASSERT_EQ(probe(), 0);
  kernel.log.clear();
  EXPECT_LT(under_rtnl([&] { return mana_port_set_channels(port(0), 3, nullptr); }), 0);
  EXPECT_TRUE(kernel.logged("refused: "));
  kernel.log.clear();
  netlink_ext_ack ack;
  EXPECT_LT(under_rtnl([&] { return mana_port_set_channels(port(0), 3, &ack); }), 0);
  EXPECT_FALSE(kernel.logged("refused: "));
}

}  // namespace
}  // namespace mana::test
