// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class HardwareChannel : public ScriptedDriver {
 protected:
  void SetUp() override { start(); }

  // A request WQE with something wrong in it.
  void send_wqe_and_run(const WqeSpec& spec) {
    hwc_sq.post(make_wqe(spec));
    ring(hwc_page, wire::doorbell::kSq, wire::doorbell::work_queue(hwc_sq.id, hwc_sq.tail));
    run();
  }
  WqeSpec good_wqe(const Bytes& message) {
    host.store_bytes(request_buffer_, message);
    return {.sges = {{request_buffer_, hwc_mkey, static_cast<uint32_t>(message.size())}},
            .oob = {0, 0, 0, 0, hwc_cq.id, hwc_sq.id}};
  }
  Bytes list_devices() { return request(Command::kListDevices, wire::HeaderOnlyRequest{}); }
};

TEST_F(HardwareChannel, M10_EventsInOrderOnTheGivenVector) {
  ASSERT_TRUE(establish(7));
  ASSERT_EQ(init_events.size(), 11u);
  EXPECT_EQ(static_cast<int>(init_events[0].type()), 129);
  EXPECT_EQ(init_events[0].data[1] | init_events[0].data[2], 0u);
  for (uint32_t item = 1; item <= 9; item++) {
    EXPECT_EQ(static_cast<int>(init_events[item].type()), 130);
    EXPECT_EQ(init_events[item].data[0] >> 24, item);
    EXPECT_EQ(init_events[item].data[1] | init_events[item].data[2], 0u);
  }
  EXPECT_EQ(static_cast<int>(init_events[10].type()), 131);
  for (const auto& eqe : init_events)
    EXPECT_EQ(wire::OwnerBits::get(eqe.trailer), 1u);
  // Armed once, so announced once; the first doorbell said that all was seen.
  EXPECT_EQ(host.interrupts, std::vector<uint32_t>{7});
}

TEST_F(HardwareChannel, M11_IdsFitTheirFields) {
  bring_up();
  EXPECT_LE(hwc_eq.id, 0xFFFFu);
  EXPECT_LE(hwc_page, 0xFFFFu);
  EXPECT_LT(hwc_mkey, 1u << 24);
  EXPECT_LT(hwc_pdid, 1u << 24);
  EXPECT_LT(mkey, 1u << 24);
  EXPECT_LT(hwc_cq.id, max_cqs);
  EXPECT_LE(eq.id, 0xFFFFu);
  // However often ids are given out.
  Port port = configure_port(0);
  const uint64_t wq = host.take_pages(4096);
  const uint64_t cq = host.take_pages(4096);
  for (int i = 0; i < 1200; i++) {
    Queue queue;
    const Response response = create_wq(wire::WqType::kSq, port.handle, create_region(wq, 4096),
                                        create_region(cq, 4096), 4096, 4096, eq.id);
    ASSERT_TRUE(response.ok());
    const auto answer = response.as<wire::CreateWqObjectResponse>();
    ASSERT_LT(answer.cq_id, max_cqs);
    ASSERT_LT(answer.wq_id, 1u << 24);
    queue.object = answer.object;
    ASSERT_TRUE(destroy_queue(wire::WqType::kSq, queue).ok());
  }
}

TEST_F(HardwareChannel, M12_DepthOneAndOnePageMessages) {
  ASSERT_TRUE(establish());
  EXPECT_EQ(init_events[4].data[0] & 0xFFFFFF, 1u);
  EXPECT_EQ(init_events[5].data[0] & 0xFFFFFF, 4096u);
  EXPECT_EQ(init_events[6].data[0] & 0xFFFFFF, 4096u);
  // More requests than a ring of one page holds, so every ring wraps at 4096 bytes.
  for (int i = 0; i < 300; i++)
    ASSERT_TRUE(verify()) << i;
}

TEST_F(HardwareChannel, M13_CqAndEqStartArmed) {
  auto message = hwc_frames();
  (void)message;
  ASSERT_TRUE(establish());
  host.interrupts.clear();
  // establish() armed the EQ after the init events; the CQ was never rung.
  post_response_buffer();
  send(list_devices());
  run();
  const auto eqe = hwc_eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(eqe->type(), wire::EqeType::kCompletion);
  EXPECT_EQ(eqe->data[0], hwc_cq.id);
  EXPECT_EQ(host.interrupts.size(), 1u);
}

TEST_F(HardwareChannel, M14_BadSourceIdsGetAFailure) {
  ASSERT_TRUE(establish());
  for (const bool wrong_cq : {true, false}) {
    post_response_buffer();
    WqeSpec spec = good_wqe(list_devices());
    spec.oob[wrong_cq ? 4 : 5]++;
    send_wqe_and_run(spec);
    const Response response = collect();
    EXPECT_TRUE(response.arrived);
    EXPECT_NE(response.status, 0u);
  }
  EXPECT_TRUE(verify()) << "the channel goes on";
}

TEST_F(HardwareChannel, M14_WhatCannotBeAnsweredIsDropped) {
  ASSERT_TRUE(establish());
  post_response_buffer();
  const Bytes message = list_devices();

  WqeSpec spec = good_wqe(message);
  spec.sges[0].memory_key++;
  send_wqe_and_run(spec);
  EXPECT_FALSE(collect().arrived) << "a foreign key is not read";

  spec = good_wqe(message);
  spec.sges[0].address = 0xDEAD000;
  send_wqe_and_run(spec);
  EXPECT_FALSE(collect().arrived);

  spec = good_wqe(message);
  spec.sges.push_back(spec.sges[0]);
  send_wqe_and_run(spec);
  EXPECT_FALSE(collect().arrived);

  spec = good_wqe(message);
  spec.sges[0].size = 39;
  send_wqe_and_run(spec);
  EXPECT_FALSE(collect().arrived);

  send(message);
  EXPECT_TRUE(collect().ok()) << "the buffer was not used up, the channel goes on";
}

TEST_F(HardwareChannel, M14_V4_MalformedWqesDoNotStopTheChannel) {
  ASSERT_TRUE(establish());
  const Bytes message = list_devices();
  const auto check = [&](auto&& change) {
    post_response_buffer();
    WqeSpec spec = good_wqe(message);
    change(spec);
    send_wqe_and_run(spec);
    while (hwc_cq.next()) {
    }
    ASSERT_TRUE(command(Command::kListDevices).ok());
  };
  check([](WqeSpec& spec) { spec.sge_count = 255; });
  check([](WqeSpec& spec) { spec.sge_count = 0; });
  check([](WqeSpec& spec) { spec.oob_code = 3; });
  check([](WqeSpec& spec) { spec.oob_code = 2; });
  check([](WqeSpec& spec) { spec.oob_code = 7; });
  check([](WqeSpec& spec) { spec.sge_count = 30; });
}

TEST_F(HardwareChannel, M14_HeaderTypeAndVersion) {
  ASSERT_TRUE(establish());
  Bytes message = list_devices();
  message[0] = 1;
  EXPECT_NE(exchange(message).status, 0u);
  message = list_devices();
  message[8] = message[9] = 0;
  EXPECT_NE(exchange(message).status, 0u);
}

TEST_F(HardwareChannel, M15_OneCompletionOfEachKind) {
  ASSERT_TRUE(establish());
  for (uint32_t i = 0; i < 200; i++) {
    post_response_buffer();
    const Bytes message = list_devices();
    send(message);
    run();
    const auto first = hwc_cq.next();
    const auto second = hwc_cq.next();
    ASSERT_TRUE(first && second);
    ASSERT_FALSE(hwc_cq.next());
    ASSERT_NE(first->is_sq(), second->is_sq());
    wire::HwcRxCqe cqe;
    std::memcpy(&cqe, first->is_sq() ? &*second : &*first, sizeof(cqe));
    ASSERT_EQ(cqe.wqe_offset, i * 32) << "unmasked: the ring has 128 BU";
    ASSERT_EQ(cqe.length, 296u);
    ASSERT_EQ(cqe.trailer & 0xFFFFFF, hwc_rq.id);
    for (const uint32_t word : cqe.reserved_tail)
      ASSERT_EQ(word, 0u);
    ring(hwc_page, wire::doorbell::kCq,
         wire::doorbell::completion_queue(hwc_cq.id, hwc_cq.index(), true));
    while (hwc_eq.next()) {
    }
    ring(hwc_page, wire::doorbell::kEq,
         wire::doorbell::event_queue(hwc_eq.id, hwc_eq.index(), true));
  }
}

TEST_F(HardwareChannel, M16_EchoesTheRequestsIds) {
  ASSERT_TRUE(establish());
  message_id = 0x1234;
  activity_id = 0xCAFEBABE;
  Bytes message = list_devices();
  message[26] = 0x77;  // the expectation's message id is not the request's
  const Response response = exchange(message);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.header.response.message_id, 0x1234);
  EXPECT_EQ(response.header.activity_id, 0xCAFEBABEu);
  EXPECT_EQ(response.header.response.header_type, 0u);
  EXPECT_EQ(response.header.response.message_type, 3u);
  EXPECT_EQ(response.header.response.version, 1);
  EXPECT_EQ(response.header.response.size, response.cqe.length);
  EXPECT_EQ(response.header.device, device_id);
}

TEST_F(HardwareChannel, M16_UnusedBytesAreZero) {
  ASSERT_TRUE(establish());
  const Response response = command(Command::kListDevices);
  ASSERT_TRUE(response.ok());
  // The buffer was full of 0xEE.
  for (size_t i = 48; i < 296; i++)
    ASSERT_EQ(response.bytes[i], 0) << i;
}

TEST_F(HardwareChannel, M17_V7_NeverMoreThanExpectedOrPosted) {
  ASSERT_TRUE(establish());
  for (const uint32_t expected : {32u, 40u, 100u, 296u, 4096u, 0xFFFFFFFFu}) {
    Response response =
        exchange(request(Command::kListDevices, wire::HeaderOnlyRequest{}, expected));
    ASSERT_TRUE(response.ok()) << expected;
    EXPECT_EQ(response.cqe.length, std::min(expected, 296u));
    EXPECT_EQ(response.header.response.size, std::min(expected, 296u));
    const uint64_t buffer = response_buffers_.back();
    for (uint32_t i = response.cqe.length; i < 4096; i++)
      ASSERT_EQ(*host.at(buffer + i), 0xEE) << i;
  }
  for (const uint32_t posted : {32u, 33u, 200u}) {
    post_response_buffer(posted);
    send(list_devices());
    const Response response = collect();
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response.cqe.length, posted);
    EXPECT_EQ(*host.at(response_buffers_.back() + posted), 0xEE);
  }
}

TEST_F(HardwareChannel, M17_V7_NoRoomForAHeader) {
  ASSERT_TRUE(establish());
  post_response_buffer();
  for (const uint32_t expected : {0u, 31u}) {
    send(request(Command::kListDevices, wire::HeaderOnlyRequest{}, expected));
    EXPECT_FALSE(collect().arrived);
  }
  send(list_devices());
  EXPECT_TRUE(collect().ok());
  // A posted buffer that is too small is used up; the answer takes the next one.
  post_response_buffer(31);
  send(list_devices());
  EXPECT_FALSE(collect().arrived);
  post_response_buffer();
  EXPECT_TRUE(collect().ok());
}

TEST_F(HardwareChannel, M18_GenericCommandsAcceptEitherDeviceId) {
  ASSERT_TRUE(establish());
  for (const wire::DeviceId id :
       {wire::DeviceId{wire::DeviceType::kNone, 0}, wire::DeviceId{wire::DeviceType::kHwc, 0}}) {
    device_id = id;
    EXPECT_TRUE(verify());
    EXPECT_TRUE(command(Command::kQueryMaxResources).ok());
    EXPECT_TRUE(command(Command::kListDevices).ok());
    EXPECT_NE(create_region(host.take_pages(4096), 4096), 0u);
  }
  device_id = {static_cast<wire::DeviceType>(9), 9};
  EXPECT_FALSE(command(Command::kListDevices).ok());
}

TEST_F(HardwareChannel, M19_WaitsForAResponseBuffer) {
  ASSERT_TRUE(establish());
  send(list_devices());
  run();
  EXPECT_FALSE(hwc_cq.next());
  EXPECT_EQ(statistic("commands"), 0u);
  post_response_buffer();
  EXPECT_TRUE(collect().ok());
}

TEST_F(HardwareChannel, M19_InOrder) {
  ASSERT_TRUE(establish());
  const uint64_t other = request_buffer_ + 4096;
  for (int i = 0; i < 3; i++)
    post_response_buffer();
  const uint64_t addresses[] = {request_buffer_, other, request_buffer_ + 1024};
  for (uint16_t i = 0; i < 3; i++) {
    message_id = i;
    const Bytes message = list_devices();
    host.store_bytes(addresses[i], message);
    hwc_sq.post(make_wqe({.sges = {{addresses[i], hwc_mkey, static_cast<uint32_t>(message.size())}},
                          .oob = {0, 0, 0, 0, hwc_cq.id, hwc_sq.id}}));
  }
  ring(hwc_page, wire::doorbell::kSq, wire::doorbell::work_queue(hwc_sq.id, hwc_sq.tail));
  for (uint16_t i = 0; i < 3; i++)
    EXPECT_EQ(collect().header.response.message_id, i);
}

TEST_F(HardwareChannel, V6_TheSmallerLengthCounts) {
  ASSERT_TRUE(establish());
  // The message claims more than the SGE holds: the tail is not read, the layout is short.
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = hwc_eq.id;
  Bytes message = request(Command::kGenerateTestEqe, test);
  post_response_buffer();
  send(message, 40);
  EXPECT_NE(collect().status, 0u);
  // The message claims less.
  message[12] = 40;
  EXPECT_NE(exchange(message).status, 0u);
  // Absurd sizes.
  for (const uint32_t size : {0u, 39u, 4097u, 0xFFFFFFFFu}) {
    std::memcpy(&message[12], &size, 4);
    const Response response = exchange(message);
    EXPECT_TRUE(response.arrived);
    EXPECT_NE(response.status, 0u) << size;
  }
  message = request(Command::kGenerateTestEqe, test);
  post_response_buffer();
  send(message, 0x80000000);
  EXPECT_NE(collect().status, 0u);
  EXPECT_TRUE(verify());
}

TEST_F(HardwareChannel, V15_TheRequestIsCopiedOnce) {
  ASSERT_TRUE(establish());
  post_response_buffer();
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = hwc_eq.id;
  send(request(Command::kGenerateTestEqe, test));
  size_t reads_of_request = 0;
  size_t reads_of_wqe = 0;
  host.on_access = [&](const FakeHost::Access& access) {
    if (access.is_write || access.is_interrupt)
      return;
    reads_of_request += access.address / 4096 == request_buffer_ / 4096;
    reads_of_wqe += access.address / 4096 == hwc_sq.address() / 4096;
  };
  EXPECT_TRUE(collect().ok());
  host.on_access = nullptr;
  EXPECT_EQ(reads_of_request, 1u);
  EXPECT_EQ(reads_of_wqe, 1u);
}

}  // namespace
}  // namespace mana::test
