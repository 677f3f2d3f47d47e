// SPDX-License-Identifier: GPL-2.0
// Configuration, control lines, lifecycles.
#include "scripted_driver.h"

namespace mana::test {
namespace {

class Device : public ScriptedDriver {};

TEST_F(Device, UnknownAbiVersion) {
  EXPECT_EQ(vnic_model_get(VNIC_ABI_VERSION + 1), nullptr);
  EXPECT_EQ(vnic_model_get(0), nullptr);
}

TEST_F(Device, BadConfigurations) {
  const auto refused = [&](auto&& change) {
    config = default_config();
    change(config);
    start();
    const bool no = model_ == nullptr && !error.empty();
    if (model_)
      stop();
    EXPECT_EQ(host.live_allocations, 0u);
    return no;
  };
  EXPECT_TRUE(refused([](auto& c) { c.ports = 0; }));
  EXPECT_TRUE(refused([](auto& c) { c.ports = 17; }));
  EXPECT_TRUE(refused([](auto& c) { c.queues = 0; }));
  EXPECT_TRUE(refused([](auto& c) { c.queues = 17; }));
  EXPECT_TRUE(refused([](auto& c) { c.mtu = 1499; }));
  EXPECT_TRUE(refused([](auto& c) { c.mtu = 9217; }));
  EXPECT_TRUE(refused([](auto& c) { c.mac[0] = 1; }));
  EXPECT_TRUE(refused([](auto& c) { c.size = 8; }));
  EXPECT_FALSE(refused([](auto& c) { c.mtu = 9216; }));
}

TEST_F(Device, NoMemory) {
  for (size_t n = 1; n <= 3; n++) {
    host.fail_allocation = n;
    start();
    EXPECT_EQ(model_, nullptr);
    EXPECT_NE(error, "");
  }
}

TEST_F(Device, MacAddressesCount) {
  config.ports = 3;
  const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0xFF, 0xFF};
  std::memcpy(config.mac, mac, 6);
  bring_up();
  EXPECT_EQ(configure_port(0).mac, (Bytes{0x52, 0x54, 0x00, 0x12, 0xFF, 0xFF}));
  EXPECT_EQ(configure_port(1).mac, (Bytes{0x52, 0x54, 0x00, 0x13, 0x00, 0x00}));
  EXPECT_EQ(configure_port(2).mac, (Bytes{0x52, 0x54, 0x00, 0x13, 0x00, 0x01}));
}

TEST_F(Device, ControlLines) {
  start();
  EXPECT_EQ(control("objects"),
            R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  EXPECT_NE(control("help").find("fault hwc"), std::string::npos);
  for (const char* bad : {"", "nonsense", "fault", "fault nonsense", "fault link",
                          "fault link 9 up", "fault link 0 sideways", "fault timeout"})
    EXPECT_EQ(control(bad), "<failed>") << bad;
  // A short buffer is filled and terminated, not overrun.
  char reply[20];
  std::memset(reply, 'x', sizeof(reply));
  EXPECT_TRUE(ops_->control(model_, "stats", reply, 10));
  EXPECT_EQ(std::strlen(reply), 9u);
  EXPECT_EQ(reply[10], 'x');
  EXPECT_TRUE(ops_->control(model_, "stats", reply, 0));
}

TEST_F(Device, StatsAreJson) {
  open_two_ports();
  const std::string json = control("stats");
  int depth = 0;
  for (const char c : json)
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
  EXPECT_EQ(depth, 0);
  EXPECT_EQ(json.front(), '{');
  EXPECT_EQ(json.back(), '}');
  EXPECT_EQ(json.find(",,"), std::string::npos);
  EXPECT_EQ(json.find("{,"), std::string::npos);
}

TEST_F(Device, M62_AfterAResetRequest) {
  bring_up(wire::driver_cap::kSelfReset);
  a = open_port(0);
  EXPECT_EQ(control("fault reset-request"), "ok");
  // A driver that goes away at once.
  EXPECT_EQ(destroy(), 0x82u);
  device_id = {};
  bring_up(wire::driver_cap::kSelfReset);
  EXPECT_EQ(control("fault reset-request"), "ok");
  // One that resets the function.
  ops_->reset(model_);
  device_id = {};
  open_two_ports();
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_TRUE(next_received(b));
}

TEST_F(Device, M60_RunIsBounded) {
  open_two_ports();
  // As many packets as a ring holds: no single run() sends them all, and none is lost.
  a.sqs[0] = *create_queue(wire::WqType::kSq, a, 32768, 65536);
  for (int i = 0; i < 1024; i++)
    a.sqs[0].wq.post(make_wqe(tx_wqe(a, a.sqs[0], make_packet({}), {})));
  ring_sq(a.sqs[0].wq);
  int runs = 0;
  while (host.scheduled) {
    host.scheduled = false;
    ops_->run(model_);
    runs++;
  }
  EXPECT_GT(runs, 4);
  EXPECT_LT(runs, 64);
  for (int i = 0; i < 1024; i++)
    ASSERT_EQ(next_tx_type(a.sqs[0]), 32) << i;
}

TEST_F(Device, LogsAreWords) {
  open_two_ports();
  destroy();
  ops_->reset(model_);
  for (const auto& line : host.log)
    EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace mana::test
