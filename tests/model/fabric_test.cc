// SPDX-License-Identifier: GPL-2.0
// The switch, the backends, and links.
#include "scripted_driver.h"

#include "model/l2_switch.h"

namespace mana::test {
namespace {

class Fabric : public ScriptedDriver {
 protected:
  void open(uint32_t count, uint32_t external = 0) {
    config.ports = count;
    config.external_ports = external;
    bring_up();
    for (uint32_t i = 0; i < count; i++)
      ports.push_back(open_port(i));
  }
  // A bit for each port that received something.
  uint32_t receivers() {
    uint32_t mask = 0;
    for (auto& port : ports) {
      while (next_received(port))
        mask |= 1u << port.index;
    }
    return mask;
  }
  uint32_t send(uint32_t from, uint8_t source, uint8_t destination) {
    EXPECT_EQ(send_frame(ports[from], make_packet({.source = source, .destination = destination})),
              32);
    return receivers();
  }

  std::vector<Port> ports;
};

TEST_F(Fabric, LearnsAndFloods) {
  open(4);
  EXPECT_EQ(send(0, 10, 11), 0b1110u) << "unknown unicast";
  EXPECT_EQ(send(1, 11, 10), 0b0001u) << "learned";
  EXPECT_EQ(send(0, 10, 11), 0b0010u);
  EXPECT_EQ(send(2, 12, 0xFF), 0b1011u) << "broadcast";
  EXPECT_EQ(send(3, 13, 12), 0b0100u);
  EXPECT_EQ(send(2, 10, 11), 0b0010u) << "a station that moved";
  EXPECT_EQ(send(1, 11, 10), 0b0100u);
}

TEST_F(Fabric, NeverBackToTheIngressPort) {
  open(2);
  EXPECT_EQ(send(0, 10, 11), 0b10u);
  EXPECT_EQ(send(0, 11, 10), 0u) << "both live behind port 0";
  EXPECT_EQ(send(0, 10, 0xFF), 0b10u);
}

TEST_F(Fabric, APortThatStopsReceivingIsForgotten) {
  open(3);
  send(0, 10, 11);
  send(1, 11, 10);
  ASSERT_TRUE(steer(ports[1], wire::TriState::kOff).ok());
  EXPECT_EQ(send(0, 10, 11), 0b100u) << "flooded again";
}

TEST_F(Fabric, ExternalPorts) {
  open(3, 0b100);
  EXPECT_EQ(send(0, 10, 0xFF), 0b010u) << "not on the switch";
  EXPECT_TRUE(host.transmitted.empty());
  EXPECT_EQ(send(2, 12, 10), 0u);
  ASSERT_EQ(host.transmitted.size(), 1u);
  EXPECT_EQ(host.transmitted[0].port, 2u);
  EXPECT_EQ(host.transmitted[0].frame, make_packet({.source = 12, .destination = 10}));

  EXPECT_TRUE(receive(2, make_packet({})));
  EXPECT_EQ(receivers(), 0b100u);
  EXPECT_TRUE(receive(2, make_packet({.tag = 77})));
  const auto received = next_received(ports[2]);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->frame, make_packet({}));
  EXPECT_EQ(wire::RxCqe::VlanId::get(received->cqe.flags), 77u);
}

TEST_F(Fabric, ReceiveRefusesNonsense) {
  open(1, 1);
  EXPECT_FALSE(receive(1, make_packet({})));
  EXPECT_FALSE(receive(0xFFFFFFFF, make_packet({})));
  EXPECT_FALSE(receive(0, Bytes(13)));
  EXPECT_FALSE(receive(0, Bytes(1519)));
  EXPECT_FALSE(receive(0, Bytes(100000)));
  EXPECT_TRUE(receive(0, Bytes(14)));
  EXPECT_TRUE(receive(0, Bytes(1514)));
}

TEST_F(Fabric, ReceiveFromInsideTransmitIsDropped) {
  open(1, 1);
  host.on_access = [&](const FakeHost::Access& access) {
    if (!access.is_write && !access.is_interrupt)
      EXPECT_FALSE(receive(0, make_packet({})));
  };
  EXPECT_EQ(send_frame(ports[0], make_packet({})), 32);
  host.on_access = nullptr;
}

TEST_F(Fabric, M61_LinkEventsOnlyForThoseWhoUnderstand) {
  open(2);
  ops_->set_link(model_, 1, false);
  EXPECT_FALSE(hwc_eq.next());
  EXPECT_EQ(send(0, 10, 0xFF), 0u) << "the wire is down all the same";
  EXPECT_EQ(port_statistic(1, "rx_dropped_link_down"), 1u);
  EXPECT_EQ(send(1, 11, 0xFF), 0u);

  device_id = {};
  ASSERT_TRUE(verify(wire::driver_cap::kVportLinkState));
  EXPECT_EQ(control("fault link 1 up"), "ok");
  ops_->set_link(model_, 1, true);  // no change
  ops_->set_link(model_, 0, false);
  auto eqe = hwc_eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(static_cast<int>(eqe->type()), 133);
  EXPECT_EQ(eqe->data[0], 2u << 24 | 1);
  eqe = hwc_eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(eqe->data[0], 3u << 24 | 0);
  EXPECT_FALSE(hwc_eq.next());
  EXPECT_EQ(control("fault timeout 500"), "<failed>") << "bit 3 was not advertised";
  ops_->set_link(model_, 99, false);
}

TEST_F(Fabric, M61_TimeoutEvents) {
  start();
  ASSERT_TRUE(establish());
  ASSERT_TRUE(verify(wire::driver_cap::kHwcTimeoutReconfiguration));
  EXPECT_EQ(control("fault timeout 500"), "ok");
  const auto eqe = hwc_eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(eqe->data[0], 1u << 24 | 500);
}

TEST(L2Switch, KeepsMostOfManyAddresses) {
  auto table = std::make_unique<model::L2Switch>();
  for (uint32_t i = 0; i < 400; i++) {
    const u8 mac[6] = {2, 0, 0, 0, static_cast<u8>(i >> 8), static_cast<u8>(i)};
    table->learn(mac, i % 16);
  }
  int found = 0;
  for (uint32_t i = 0; i < 400; i++) {
    const u8 mac[6] = {2, 0, 0, 0, static_cast<u8>(i >> 8), static_cast<u8>(i)};
    const u32 port = table->find(mac);
    EXPECT_TRUE(port == i % 16 || port == model::L2Switch::kNoPort);
    found += port == i % 16;
  }
  EXPECT_GT(found, 300);
  // M60: any number of addresses fits.
  for (uint32_t i = 0; i < 100000; i++) {
    const u8 mac[6] = {2, static_cast<u8>(i), static_cast<u8>(i >> 8), static_cast<u8>(i >> 16), 1,
                       1};
    table->learn(mac, i % 16);
  }
}

TEST(L2Switch, GroupAddressesAreNotLearned) {
  auto table = std::make_unique<model::L2Switch>();
  const u8 group[6] = {1, 0, 0, 0, 0, 1};
  const u8 zero[6] = {};
  table->learn(group, 3);
  table->learn(zero, 3);
  EXPECT_EQ(table->find(group), model::L2Switch::kNoPort);
  EXPECT_EQ(table->find(zero), model::L2Switch::kNoPort);
}

}  // namespace
}  // namespace mana::test
