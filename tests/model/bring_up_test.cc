// SPDX-License-Identifier: GPL-2.0
// The data sheet's minimal bring-up transcript (Appendix D), line by line.
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class BringUp : public ScriptedDriver {};

TEST_F(BringUp, AppendixD_Transcript) {
  config.ports = 1;
  config.queues = 1;
  start();

  // 1
  EXPECT_EQ(read(0x08, 8), 0x1000u);
  EXPECT_EQ(read32(0x10), 0x1000u);
  EXPECT_EQ(read(0x18, 8), 0x28u);
  // 2, 3
  ASSERT_TRUE(establish());
  ASSERT_EQ(init_events.size(), 11u);
  EXPECT_EQ(init_events.front().type(), wire::EqeType::kHwcEqIdDoorbell);
  EXPECT_EQ(init_events.back().type(), wire::EqeType::kHwcInitDone);
  EXPECT_GE(host.take_interrupts(0), 1u);

  // 4, 5
  post_response_buffer();
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = hwc_eq.id;
  send(request(Command::kGenerateTestEqe, test, 32));
  run();
  bool tested = false;
  while (auto eqe = hwc_eq.next())
    tested |= eqe->type() == wire::EqeType::kTest;
  EXPECT_TRUE(tested);
  Response response = collect();
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 32u);
  EXPECT_EQ(request(Command::kGenerateTestEqe, test, 32).size(), 44u);

  // 6
  wire::VerifyVersionRequest verify = {};
  verify.protocol_min = verify.protocol_max = 1;
  response = exchange(request(Command::kVerifyVfDriverVersion, verify, 72));
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 72u);
  EXPECT_EQ(response.as<wire::VerifyVersionResponse>().protocol, 1u);
  // 7
  response = command(Command::kQueryMaxResources);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 72u);
  EXPECT_GE(response.as<wire::QueryMaxResourcesResponse>().max_msix, 2u);
  // 8
  response = command(Command::kListDevices);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 296u);
  // 9
  device_id = response.as<wire::ListDevicesResponse>().devices[1];
  response = command(Command::kRegisterDevice);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 44u);
  pdid = response.as<wire::RegisterDeviceResponse>().pdid;
  mkey = response.as<wire::RegisterDeviceResponse>().gpa_mkey;
  page_ = response.as<wire::RegisterDeviceResponse>().doorbell_id;

  // 10: an EQ of eight pages, its own vector
  auto ring = create_eq(1, 32768);
  ASSERT_TRUE(ring);
  eq = *ring;
  test.eq_id = eq.id;
  ASSERT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  EXPECT_EQ(type_of(eq.next()), 64);
  EXPECT_EQ(host.take_interrupts(1), 1u);
  arm(eq);

  // 11
  response = command(Command::kQueryDevConfig, wire::QueryDevConfigRequest{}, 2);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 80u);
  EXPECT_EQ(response.header.response.version, 2u);
  EXPECT_EQ(response.as<wire::QueryDevConfigResponse>().vport_count, 1u);
  EXPECT_GE(response.as<wire::QueryDevConfigResponse>().adapter_mtu, 1514u);

  // 12 to 16
  frame_buffer_ = host.take_pages(65536);
  Port port = open_port(0);
  ASSERT_EQ(port.sqs.size(), 1u);
  arm(port.sqs[0].cq);
  arm(port.rqs[0].cq);
  EXPECT_EQ(host.take_interrupts(1), 0u);

  // 17
  ASSERT_TRUE(fence(port.rqs[0]).ok());
  EXPECT_EQ(type_of(eq.next()), 3);
  auto received = next_received(port);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->cqe.type(), wire::RxCqeType::kFence);
  EXPECT_EQ(host.take_interrupts(1), 1u);
  arm(eq);
  arm(port.rqs[0].cq);

  // 18: a port alone on its switch sends into the void, which is a success
  EXPECT_EQ(send_frame(port, make_packet({})), 32);
  EXPECT_EQ(type_of(eq.next()), 3);
  EXPECT_EQ(host.take_interrupts(1), 1u);

  // 19, 20
  ASSERT_TRUE(steer(port, wire::TriState::kOff).ok());
  ASSERT_TRUE(fence(port.rqs[0]).ok());
  EXPECT_TRUE(destroy_queue(wire::WqType::kRq, port.rqs[0]).ok());
  EXPECT_TRUE(destroy_queue(wire::WqType::kSq, port.sqs[0]).ok());

  // 21
  EXPECT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  wire::DisableQueueRequest disable = {};
  disable.type = wire::QueueType::kEq;
  disable.queue_id = eq.id;
  disable.id_allocated_on_creation = 1;
  EXPECT_TRUE(command(Command::kDisableQueue, disable).ok());
  // 22
  EXPECT_TRUE(command(Command::kDeregisterDevice).ok());
  EXPECT_EQ(control("objects"),
            R"({"hwc":1,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  // 23
  mailbox_word(7, 2);
  run();
  EXPECT_EQ(mailbox_word(7), 0x82u);
  EXPECT_EQ(control("objects"),
            R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  EXPECT_EQ(statistic("reclaimed"), 0u);
  EXPECT_EQ(statistic("ignored"), 0u);
}

}  // namespace
}  // namespace mana::test
