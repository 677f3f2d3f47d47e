// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class GdmaCommands : public ScriptedDriver {
 protected:
  void SetUp() override {
    start();
    ASSERT_TRUE(establish());
  }
  std::string objects() { return control("objects"); }
};

TEST_F(GdmaCommands, M32_AllOthersAreUnsupported) {
  for (const uint32_t code : {0u, 6u, 14u, 22u, 24u, 29u, 30u, 31u, 32u, 96u, 97u, 0x20000u,
                              0x20009u, 0x2000Du, 0x27801u, 0x28000u, 0x30001u, 0xFFFFFFFFu})
    EXPECT_EQ(command(static_cast<Command>(code)).status, 0xFFFFFFFFu) << code;
}

TEST_F(GdmaCommands, M32_ShortRequestsFail) {
  bring_up();
  for (const Command code : {Command::kVerifyVfDriverVersion,
                             Command::kGenerateTestEqe,
                             Command::kGenerateResetRequestEqe,
                             Command::kCreateQueue,
                             Command::kDisableQueue,
                             Command::kCreateDmaRegion,
                             Command::kDmaRegionAddPages,
                             Command::kDestroyDmaRegion,
                             Command::kChangeMsixForEq,
                             Command::kQueryHwcTimeout,
                             Command::kQueryDevConfig,
                             Command::kQueryGfStat,
                             Command::kConfigVportTx,
                             Command::kCreateWqObject,
                             Command::kDestroyWqObject,
                             Command::kFenceRq,
                             Command::kConfigVportRx,
                             Command::kQueryVportConfig,
                             Command::kQueryLinkConfig,
                             Command::kSetBwClamp,
                             Command::kQueryPhyStat}) {
    const std::string before = objects();
    const Response response = command(code);
    EXPECT_TRUE(response.arrived);
    EXPECT_NE(response.status, 0u) << static_cast<uint32_t>(code);
    EXPECT_EQ(response.cqe.length, 32u) << "a failure is its header";
    EXPECT_EQ(objects(), before);
  }
}

TEST_F(GdmaCommands, M33_ProtocolAndFlags) {
  wire::VerifyVersionRequest message = {};
  message.protocol_min = 1;
  message.protocol_max = 5;
  auto answer = command(Command::kVerifyVfDriverVersion, message).as<wire::VerifyVersionResponse>();
  EXPECT_EQ(answer.protocol, 1u);
  EXPECT_EQ(answer.pf_caps[0], wire::pf_cap::kQueryHwcTimeout);
  EXPECT_EQ(answer.pf_caps[1] | answer.pf_caps[2] | answer.pf_caps[3], 0u);
  message.driver_caps[0] = wire::driver_cap::kSelfReset;
  answer = command(Command::kVerifyVfDriverVersion, message).as<wire::VerifyVersionResponse>();
  EXPECT_EQ(answer.pf_caps[0], wire::pf_cap::kQueryHwcTimeout | wire::pf_cap::kSelfReset);
  message.protocol_min = 2;
  EXPECT_FALSE(command(Command::kVerifyVfDriverVersion, message).ok());
}

TEST_F(GdmaCommands, M32_QueryMaxResources) {
  const auto answer = command(Command::kQueryMaxResources).as<wire::QueryMaxResourcesResponse>();
  EXPECT_EQ(answer.max_sq, 256u);
  EXPECT_EQ(answer.max_rq, 256u);
  EXPECT_EQ(answer.max_cq, 512u);
  EXPECT_EQ(answer.max_eq, 64u);
  EXPECT_EQ(answer.max_msix, geometry.msix_vectors);
}

TEST_F(GdmaCommands, M34_DeviceList) {
  const Response response = command(Command::kListDevices);
  const auto list = response.as<wire::ListDevicesResponse>();
  EXPECT_EQ(list.count, 2u);
  EXPECT_EQ(list.devices[0].type, wire::DeviceType::kHwc);
  EXPECT_EQ(list.devices[0].instance, 0);
  EXPECT_EQ(list.devices[1].type, wire::DeviceType::kMana);
  for (int i = 2; i < 64; i++)
    EXPECT_EQ(list.devices[i], wire::DeviceId{});
}

TEST_F(GdmaCommands, M35_Registration) {
  EXPECT_FALSE(command(Command::kRegisterDevice).ok()) << "no device named";
  device_id = {wire::DeviceType::kManaIb, 1};
  EXPECT_FALSE(command(Command::kRegisterDevice).ok());
  device_id = {wire::DeviceType::kMana, 1};
  EXPECT_FALSE(command(Command::kDeregisterDevice).ok()) << "not registered";
  EXPECT_FALSE(command(Command::kQueryDevConfig, wire::QueryDevConfigRequest{}).ok());
  wire::CreateQueueRequest queue = {};
  queue.type = wire::QueueType::kEq;
  EXPECT_FALSE(command(Command::kCreateQueue, queue).ok());
  EXPECT_NE(objects().find("\"registered\":0"), std::string::npos);

  EXPECT_TRUE(command(Command::kRegisterDevice).ok());
  EXPECT_FALSE(command(Command::kRegisterDevice).ok()) << "twice";
  EXPECT_NE(objects().find("\"registered\":1"), std::string::npos);
  EXPECT_TRUE(command(Command::kQueryDevConfig, wire::QueryDevConfigRequest{}).ok());
  EXPECT_TRUE(command(Command::kDeregisterDevice).ok());
  EXPECT_FALSE(command(Command::kQueryDevConfig, wire::QueryDevConfigRequest{}).ok());
  EXPECT_TRUE(command(Command::kRegisterDevice).ok()) << "and again";
}

TEST_F(GdmaCommands, M35_DeregisterTakesTheQueuesAlong) {
  bring_up();
  a = open_port(0);
  EXPECT_TRUE(command(Command::kDeregisterDevice).ok());
  EXPECT_EQ(objects(), R"({"hwc":1,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})");
  EXPECT_EQ(statistic("reclaimed"), 3u) << "SQ, RQ, EQ";
  const uint64_t ignored = statistic("ignored");
  ring_sq(a.sqs[0].wq);
  arm(eq);
  EXPECT_EQ(statistic("ignored"), ignored + 2);
  EXPECT_TRUE(register_device());
}

TEST_F(GdmaCommands, M38_TestEvents) {
  bring_up();
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = eq.id;
  EXPECT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  const auto eqe = eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(eqe->type(), wire::EqeType::kTest);
  EXPECT_EQ(eqe->data[0] | eqe->data[1] | eqe->data[2], 0u);
  for (const uint32_t bad : {0u, eq.id + 1000, 0xFFFFu, 0xFFFFFFFFu}) {
    test.eq_id = bad;
    EXPECT_FALSE(command(Command::kGenerateTestEqe, test).ok());
  }
  EXPECT_FALSE(eq.next());
}

TEST_F(GdmaCommands, M39_V12_DisableAnEq) {
  bring_up();
  a = open_port(0);
  wire::DisableQueueRequest disable = {};
  disable.type = wire::QueueType::kEq;
  disable.queue_id = eq.id;
  EXPECT_FALSE(command(Command::kDisableQueue, disable).ok()) << "CQs are attached";
  EXPECT_TRUE(destroy_queue(wire::WqType::kSq, a.sqs[0]).ok());
  EXPECT_FALSE(command(Command::kDisableQueue, disable).ok());
  EXPECT_TRUE(destroy_queue(wire::WqType::kRq, a.rqs[0]).ok());
  disable.type = wire::QueueType::kCq;
  EXPECT_FALSE(command(Command::kDisableQueue, disable).ok());
  disable.type = wire::QueueType::kEq;
  EXPECT_TRUE(command(Command::kDisableQueue, disable).ok());
  EXPECT_FALSE(command(Command::kDisableQueue, disable).ok()) << "twice";
  disable.queue_id = hwc_eq.id;
  EXPECT_FALSE(command(Command::kDisableQueue, disable).ok()) << "the channel's own";

  // Quiet afterwards.
  host.interrupts.clear();
  const auto before = host.bytes(eq.address(), 4096);
  arm(eq);
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = eq.id;
  EXPECT_FALSE(command(Command::kGenerateTestEqe, test).ok());
  EXPECT_EQ(host.bytes(eq.address(), 4096), before);
  EXPECT_EQ(host.take_interrupts(1), 0u);
}

TEST_F(GdmaCommands, M37_CreateQueueChecksWhatItIsTold) {
  bring_up();
  wire::CreateQueueRequest good = {};
  good.type = wire::QueueType::kEq;
  good.pdid = pdid;
  good.doorbell_id = page_;
  good.queue_bytes = 4096;
  good.region = create_region(host.take_pages(4096), 4096);
  const auto refused = [&](auto&& change) {
    auto message = good;
    change(message);
    return !command(Command::kCreateQueue, message).ok();
  };
  for (const wire::QueueType type :
       {wire::QueueType::kSq, wire::QueueType::kRq, wire::QueueType::kCq})
    EXPECT_TRUE(refused([&](auto& m) { m.type = type; }));
  EXPECT_TRUE(refused([](auto& m) { m.pdid++; }));
  EXPECT_TRUE(refused([](auto& m) { m.doorbell_id++; }));
  EXPECT_TRUE(refused([&](auto& m) { m.msix_index = geometry.msix_vectors; }));
  EXPECT_TRUE(refused([](auto& m) { m.region = 0; }));
  EXPECT_TRUE(refused([](auto& m) { m.region = ~0ull; }));
  EXPECT_TRUE(refused([](auto& m) { m.queue_bytes = 0; }));
  EXPECT_FALSE(refused([](auto&) {}));
}

TEST_F(GdmaCommands, M37_SixtyFourEqs) {
  bring_up();  // one
  for (uint32_t i = 1; i < 64; i++)
    ASSERT_TRUE(create_eq(i)) << i;
  EXPECT_FALSE(create_eq(0));
}

TEST_F(GdmaCommands, M32_ChangeMsixForEq) {
  bring_up();
  wire::ChangeMsixForEqRequest change = {};
  change.eq_id = eq.id;
  change.msix_index = 9;
  EXPECT_TRUE(command(Command::kChangeMsixForEq, change).ok());
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = eq.id;
  EXPECT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  EXPECT_EQ(host.take_interrupts(9), 1u);
  EXPECT_EQ(host.take_interrupts(1), 0u);
  change.msix_index = geometry.msix_vectors;
  EXPECT_FALSE(command(Command::kChangeMsixForEq, change).ok());
  change.msix_index = 1;
  change.eq_id = 0xFFFFFFFF;
  EXPECT_FALSE(command(Command::kChangeMsixForEq, change).ok());
}

TEST_F(GdmaCommands, M32_QueryHwcTimeout) {
  wire::QueryHwcTimeoutRequest message = {};
  const auto granted = [&](uint32_t proposed) {
    message.timeout_ms = proposed;
    return command(Command::kQueryHwcTimeout, message)
        .as<wire::QueryHwcTimeoutResponse>()
        .timeout_ms;
  };
  EXPECT_EQ(granted(15000), 15000u);
  EXPECT_GT(granted(0), 0u);
  EXPECT_GE(granted(1), 1000u);
  EXPECT_LE(granted(0xFFFFFFFF), 60000u);
}

TEST_F(GdmaCommands, M61_ResetRequestOnlyForThoseWhoUnderstand) {
  bring_up();
  wire::GenerateResetRequestEqeRequest message = {};
  message.eq_id = hwc_eq.id;
  message.event_data = 1;
  EXPECT_FALSE(command(Command::kGenerateResetRequestEqe, message).ok());
  EXPECT_EQ(control("fault reset-request"), "<failed>");
  device_id = {};
  ASSERT_TRUE(verify(wire::driver_cap::kSelfReset));
  EXPECT_TRUE(command(Command::kGenerateResetRequestEqe, message).ok());
  EXPECT_EQ(control("fault reset-request 1"), "ok");
  const auto eqe = hwc_eq.next();
  ASSERT_TRUE(eqe);
  EXPECT_EQ(static_cast<int>(eqe->type()), 135);
  EXPECT_EQ(eqe->data[0], 1u);
}

TEST_F(GdmaCommands, V10_HandlesOfTheWrongKind) {
  bring_up();
  a = open_port(0);
  const uint64_t region = create_region(host.take_pages(4096), 4096);
  wire::DestroyDmaRegionRequest destroy_region = {};
  for (const uint64_t bad :
       {a.sqs[0].object, a.handle, 0ul, ~0ul, region + 1, region ^ 1ul << 32}) {
    destroy_region.region = bad;
    EXPECT_FALSE(command(Command::kDestroyDmaRegion, destroy_region).ok()) << bad;
  }
  destroy_region.region = a.sqs[0].wq_region;
  EXPECT_FALSE(command(Command::kDestroyDmaRegion, destroy_region).ok()) << "in use";
}

}  // namespace
}  // namespace mana::test
