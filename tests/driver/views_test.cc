// SPDX-License-Identifier: GPL-2.0
// src/adapter/views, src/adapter/health and src/port/port_views: what people see of the driver's
// inside. The fakes check the locks: nothing is reported or removed under RTNL.
#include "driver_test.h"

namespace mana::test {
namespace {

using ::testing::Test;

class ViewsTest : public DriverTest {
 protected:
  std::string directory() {
    const std::string path = kernel.views.begin()->first;
    return path.substr(0, path.find('/'));
  }
  std::string view(const std::string& name) { return kernel.read(directory() + "/" + name); }
  // The value in the first line with that name, after `group` if there is one.
  static std::string value(const std::string& text, const std::string& name,
                           const std::string& group = "") {
    size_t at = group.empty() ? 0 : text.find(group + "\n");
    at = at == std::string::npos ? at : text.find(" " + name + ": ", at);
    if (group.empty() && text.starts_with(name + ": "))
      at = 0;
    if (at == std::string::npos)
      return "missing";
    const size_t begin = text.find(": ", at) + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

TEST_F(ViewsTest, FilesComeAndGoWithTheFunction) {
  bring_up(2);
  EXPECT_EQ(kernel.views.size(), 7u);
  const std::string function = view("function");
  EXPECT_NE(function.find("ports: 2\n"), std::string::npos) << function;
  EXPECT_EQ(value(function, "state", "channel"), "up") << function;
  remove();
  EXPECT_TRUE(kernel.views.empty());
}

TEST_F(ViewsTest, QueuesFollowTraffic) {
  bring_up(2);
  EXPECT_EQ(traffic(), 8u);
  const std::string queues = view("port0/queues");
  EXPECT_EQ(value(queues, "producer", "tx"), "4") << queues;  // four small packets
  EXPECT_EQ(value(queues, "rung", "tx"), "4");
  EXPECT_EQ(value(queues, "consumer", "tx"), "4");
  // Four buffers were replaced, and wait for more to be posted with one doorbell.
  EXPECT_EQ(value(queues, "used", "rx"), "507");
  EXPECT_EQ(value(queues, "next", "completions"), "empty");
  EXPECT_EQ(value(queues, "armed", "completions"), "yes");
  const std::string rings = view("port0/rings");
  EXPECT_NE(rings.find("before producer"), std::string::npos);
  EXPECT_LT(rings.size(), 64'000u);
}

TEST_F(ViewsTest, APortThatIsDownHasNoQueues) {
  bring_up(2);
  EXPECT_EQ(stop(0), 0);
  EXPECT_EQ(view("port0/queues"), "");
  EXPECT_NE(view("port0/settings").find("channels_live: 0\n"), std::string::npos);
  EXPECT_NE(view("port1/queues"), "");
}

TEST_F(ViewsTest, SuspendedThereIsNoChannel) {
  bring_up(1);
  mana_adapter_suspend(adapter);
  EXPECT_EQ(value(view("function"), "state", "channel"), "absent");
  EXPECT_EQ(view("port0/queues"), "");
  EXPECT_EQ(mana_adapter_resume(adapter), 0);
  EXPECT_EQ(value(view("function"), "state", "channel"), "up");
  EXPECT_TRUE(kernel.health.empty());
}

TEST_F(ViewsTest, ABrokenReceiveQueueIsReportedOnceAndRecovers) {
  bring_up(2);
  device->fault("rx wq x1");
  (void)traffic(1);
  kernel.settle();
  EXPECT_EQ(kernel.health,
            (std::vector<std::string>{"2 a receive queue is broken", "2 recovered"}));
}

TEST_F(ViewsTest, AHangingTransmitQueueIsReported) {
  bring_up(1);
  mana_port_tx_timeout(port(0), 0);
  kernel.settle();
  EXPECT_EQ(kernel.health, (std::vector<std::string>{"1 a transmit queue hangs", "1 recovered"}));
}

TEST_F(ViewsTest, D65_AFailedChannelIsReportedOnce) {
  bring_up(2);
  EXPECT_EQ(stop(1), 0);
  device->fault("hwc any silent");
  EXPECT_NE(open(1), 0);
  EXPECT_NE(open(1), 0);
  kernel.settle();
  EXPECT_EQ(kernel.health, (std::vector<std::string>{"0 the hardware channel failed"}));
  const std::string function = view("function");
  EXPECT_EQ(value(function, "state", "channel"), "failed");
  EXPECT_NE(value(function, "reason", "channel"), "missing") << function;
  netlink_ext_ack ack{};
  EXPECT_EQ(mana_adapter_recover(adapter, SHIM_REPORTER_HWC, &ack), -95);
  EXPECT_NE(ack.sentence, nullptr);
}

TEST_F(ViewsTest, SomebodyAsksForRepair) {
  bring_up(2);
  netlink_ext_ack ack{};
  EXPECT_EQ(mana_adapter_recover(adapter, SHIM_REPORTER_TX, &ack), 0);
  EXPECT_EQ(traffic(1), 2u);
  shim_text text;
  EXPECT_EQ(mana_adapter_diagnose(adapter, SHIM_REPORTER_TX, &text), 0);
  EXPECT_NE(text.lines.find("recoveries: 1\n"), std::string::npos) << text.lines;
  EXPECT_EQ(text.lines.find(" rq:"), std::string::npos);
  EXPECT_EQ(mana_adapter_dump(adapter, SHIM_REPORTER_RX, &text), 0);
  EXPECT_NE(text.lines.find("at consumer"), std::string::npos);
}

}  // namespace
}  // namespace mana::test
