// SPDX-License-Identifier: GPL-2.0
// src/port/port_coalesce.cc, moderator.cc and rx_burst.h: interrupt moderation, and completions of
// several packets.
#include <algorithm>
#include <array>

#include "driver_test.h"

namespace mana::test {
namespace {

using wire::Command;

constexpr int kInvalid = -22;
constexpr int kNotSupported = -95;
constexpr shim_coalesce kOff{};

bool operator==(const shim_moderation& a, const shim_moderation& b) {
  return a.usecs == b.usecs && a.frames == b.frames && a.adaptive == b.adaptive;
}

// --- interrupts -------------------------------------------------------------------------------

class ModerationTest : public DriverTest {
 protected:
  void SetUp() override { config.options = "moderation=64"; }

  int set(const shim_coalesce& wanted, u32 index = 0) {
    netlink_ext_ack ack;
    const int code = under_rtnl([&] { return mana_port_set_coalesce(port(index), &wanted, &ack); });
    sentence = ack.sentence ? ack.sentence : "";
    return code;
  }
  shim_coalesce now(u32 index = 0) {
    shim_coalesce coalesce{};
    under_rtnl([&] { return mana_port_get_coalesce(port(index), &coalesce), 0; });
    return coalesce;
  }
  // Writes to the moderation register since the last call: CQ, period, count.
  std::vector<std::array<u32, 3>> rung() {
    std::vector<std::array<u32, 3>> all;
    for (const Mmio& access : kernel.mmio)
      if (access.is_write && access.offset >= 0x1000 &&
          access.offset % 4096 == wire::doorbell::kCqModeration) {
        using namespace wire::doorbell;
        EXPECT_EQ(access.offset / 4096, 2u) << "the page of the device";
        EXPECT_TRUE(ModerationPeriodValid::get(access.value));
        EXPECT_TRUE(ModerationCountValid::get(access.value));
        all.push_back({static_cast<u32>(QueueId::get(access.value)),
                       static_cast<u32>(ModerationPeriod::get(access.value)),
                       static_cast<u32>(ModerationCount::get(access.value))});
      }
    kernel.mmio.clear();
    return all;
  }
  // The CQs of the port's SQs (even) and RQs (odd), as they were created.
  void bring_up_watched() {
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    ASSERT_EQ(open(0), 0);
    device->edit_response = nullptr;
    ASSERT_EQ(open(1), 0);
    kernel.settle();
    kernel.mmio.clear();
  }
  // What is still held back when traffic() looks arrives later.
  void moderated_traffic() {
    const u64 before = stat(0, "rx_0_packets");
    traffic();
    kernel.pass(5);
    take_received(0);
    take_received(1);
    EXPECT_EQ(stat(0, "rx_0_packets") - before, 4u);
  }
  u64 device_number(const std::string& name) {
    const std::string text = device->control("stats");
    const size_t at = text.find("\"" + name + "\":");
    return at == std::string::npos
               ? ~0ull
               : std::strtoull(text.c_str() + at + name.size() + 3, nullptr, 10);
  }
  std::vector<wire::CreateWqObjectRequestV3> created() {
    std::vector<wire::CreateWqObjectRequestV3> all;
    for (const auto& request : device->requests_of(Command::kCreateWqObject))
      all.push_back(request.as<wire::CreateWqObjectRequestV3>());
    device->requests.clear();
    return all;
  }

  std::string sentence;
};

TEST_F(ModerationTest, OffUnlessSomebodyAsks) {
  bring_up_watched();
  EXPECT_EQ(traffic(), 8u);
  EXPECT_EQ(rung().size(), 0u);
  for (const auto& request : created()) {
    EXPECT_EQ(request.header.request.version, 3);
    EXPECT_EQ(request.moderate, 0);
    EXPECT_EQ(request.moderation_period | request.moderation_count, 0);
    EXPECT_EQ(request.allow_wqe_chain, 0);
    EXPECT_EQ(request.reserved, 0);
  }
  EXPECT_TRUE(now().rx == kOff.rx && now().tx == kOff.tx);
  EXPECT_TRUE(kernel.dims.empty());
  EXPECT_EQ(device_number("moderated_cqs"), 0u);
}

TEST_F(ModerationTest, D42_NothingOfItWithoutTheDevicesCapability) {
  config.options = "";
  bring_up_watched();
  for (const auto& request : device->requests_of(Command::kCreateWqObject)) {
    EXPECT_EQ(request.bytes.size(), 88u);
    EXPECT_EQ(request.as<wire::RequestHeader>().request.version, 1);
  }
  EXPECT_EQ(set(kOff), 0) << "which is what it has";
  EXPECT_EQ(set({.rx = {.usecs = 10}}), kNotSupported);
  EXPECT_NE(sentence.find("does not offer"), std::string::npos);
  EXPECT_EQ(set({.tx = {.adaptive = true}}), kNotSupported);
  EXPECT_TRUE(now().rx == kOff.rx && now().tx == kOff.tx);
  EXPECT_EQ(rung().size(), 0u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(ModerationTest, ChangesAreToldToTheQueuesOfThatDirection) {
  bring_up_watched();
  ASSERT_EQ(objects.size(), 4u);
  const size_t commands = device->requests.size();
  EXPECT_EQ(set({.rx = {.usecs = 50, .frames = 8}}), 0);
  EXPECT_EQ(rung(), (std::vector<std::array<u32, 3>>{{objects[1].cq_id, 50, 8},
                                                     {objects[3].cq_id, 50, 8}}));
  EXPECT_EQ(set({.rx = {.usecs = 50, .frames = 8}, .tx = {.usecs = 1023, .frames = 255}}), 0);
  EXPECT_EQ(rung(), (std::vector<std::array<u32, 3>>{{objects[0].cq_id, 1023, 255},
                                                     {objects[2].cq_id, 1023, 255}}));
  EXPECT_EQ(set({.rx = {.usecs = 50, .frames = 8}, .tx = {.usecs = 1023, .frames = 255}}), 0);
  EXPECT_EQ(rung().size(), 0u) << "no change";
  EXPECT_TRUE((now().tx == shim_moderation{.usecs = 1023, .frames = 255}));
  EXPECT_TRUE(now(1).rx == kOff.rx) << "another port";
  EXPECT_EQ(set(kOff), 0);
  EXPECT_EQ(rung().size(), 4u);
  EXPECT_EQ(device->requests.size(), commands) << "no command is needed";
  EXPECT_EQ(device_number("moderated_cqs"), 0u);
}

TEST_F(ModerationTest, NewQueuesBeginWithIt) {
  bring_up_watched();
  EXPECT_EQ(set({.rx = {.usecs = 50, .frames = 8}, .tx = {.usecs = 20}}), 0);
  const auto expect_created = [&] {
    const auto requests = created();
    ASSERT_EQ(requests.size(), 4u);
    for (const auto& request : requests) {
      const bool rx = request.base.wq_type == wire::WqType::kRq;
      EXPECT_EQ(request.moderate, 1);
      EXPECT_EQ(request.moderation_period, rx ? 50 : 20);
      EXPECT_EQ(request.moderation_count, rx ? 8 : 0);
    }
  };
  created();
  rung();
  EXPECT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), 256, 256, nullptr); }), 0);
  expect_created();
  ASSERT_EQ(stop(0), 0);
  EXPECT_EQ(device_number("moderated_cqs"), 0u);
  EXPECT_EQ(set({.rx = {.usecs = 51}, .tx = {.usecs = 20}}), 0);
  EXPECT_EQ(set({.rx = {.usecs = 50, .frames = 8}, .tx = {.usecs = 20}}), 0);
  ASSERT_EQ(open(0), 0);
  expect_created();
  EXPECT_EQ(rung().size(), 0u);
}

TEST_F(ModerationTest, RefusedValuesChangeNothing) {
  bring_up_watched();
  const shim_coalesce before{.rx = {.usecs = 30, .frames = 4}, .tx = {.usecs = 40}};
  EXPECT_EQ(set(before), 0);
  rung();
  const shim_moderation bad[] = {{.usecs = 1024},
                                 {.usecs = 0xFFFFFFFF},
                                 {.usecs = 10, .frames = 256},
                                 {.usecs = 10, .frames = 0xFFFFFFFF},
                                 {.usecs = 0, .frames = 2},
                                 {.usecs = 1024, .adaptive = true}};
  for (const shim_moderation& moderation : bad)
    for (const bool rx : {true, false}) {
      shim_coalesce wanted = before;
      (rx ? wanted.rx : wanted.tx) = moderation;
      EXPECT_EQ(set(wanted), kInvalid) << moderation.usecs << " " << moderation.frames;
      EXPECT_FALSE(sentence.empty());
      EXPECT_TRUE(now().rx == before.rx && now().tx == before.tx);
    }
  EXPECT_EQ(rung().size(), 0u);
  EXPECT_EQ(set({.rx = {.usecs = 0, .frames = 1}}), 0) << "one frame is no waiting";
}

TEST_F(ModerationTest, FewerInterruptsForTheSamePackets) {
  config.queues = 1;
  bring_up_watched();
  EXPECT_EQ(set({.rx = {.usecs = 900, .frames = 4}}, 1), 0);
  const u64 before = device_number("events_by_count");
  size_t arrived = 0;
  for (u32 i = 0; i < 8; i++)
    arrived += send(0, skb_of(kernel, {.sequence = i}), 1).size();
  EXPECT_EQ(arrived, 8u);
  EXPECT_EQ(device_number("events_by_count") - before, 2u);
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 0u) << "it waits";
  kernel.pass(1);
  EXPECT_EQ(take_received(1).size(), 1u);
  EXPECT_EQ(device_number("events_by_time"), 1u);
  EXPECT_EQ(set(kOff, 1), 0);
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u);
}

TEST_F(ModerationTest, D66_ADeviceThatCameBackWithoutIt) {
  bring_up_watched();
  EXPECT_EQ(set({.rx = {.usecs = 30}}), 0);
  mana_adapter_suspend(adapter);
  device->reset();
  device->requests.clear();
  device->edit<wire::VerifyVersionResponse>(Command::kVerifyVfDriverVersion, [](auto& answer) {
    answer.pf_caps[0] &= ~wire::pf_cap::kCqModeration;
  });
  EXPECT_EQ(mana_adapter_resume(adapter), 0);
  device->edit_response = nullptr;
  for (const auto& request : created())
    EXPECT_EQ(request.header.request.version, 1);
  EXPECT_TRUE(now().rx == kOff.rx);
  EXPECT_EQ(traffic(), 8u);
}

// --- adaptive -----------------------------------------------------------------------------------

TEST_F(ModerationTest, AdaptiveFollowsTheTraffic) {
  config.queues = 1;
  bring_up_watched();
  EXPECT_EQ(set({.rx = {.adaptive = true}}), 0);
  ASSERT_EQ(kernel.dims.size(), 1u);
  EXPECT_EQ(rung(), (std::vector<std::array<u32, 3>>{{objects[1].cq_id, 1, 255}}))
      << "the first profile, within the device's limits";
  FakeKernel::Dim& dim = kernel.dims.begin()->second;
  EXPECT_FALSE(dim.tx);
  moderated_traffic();
  EXPECT_GE(dim.samples, 4u);
  EXPECT_EQ(dim.packets, 4u);
  EXPECT_EQ(dim.bytes, stat(0, "rx_0_bytes"));
  rung();
  const shim_wait wait{.usecs = 64, .frames = 256};
  mana_moderator_adapt(dim.moderator, &wait);
  EXPECT_EQ(rung(), (std::vector<std::array<u32, 3>>{{objects[1].cq_id, 64, 255}}));
  EXPECT_TRUE((now().rx == shim_moderation{.adaptive = true})) << "what was set, not what is";

  EXPECT_EQ(set({.rx = {.usecs = 5}}), 0);
  EXPECT_TRUE(dim.cancelled);
  EXPECT_EQ(rung(), (std::vector<std::array<u32, 3>>{{objects[1].cq_id, 5, 0}}));
  const u32 samples = dim.samples;
  moderated_traffic();
  EXPECT_EQ(dim.samples, samples);
}

TEST_F(ModerationTest, AdaptiveOfBothDirectionsSurvivesNewQueues) {
  config.queues = 1;
  bring_up_watched();
  EXPECT_EQ(set({.rx = {.usecs = 7, .adaptive = true}, .tx = {.adaptive = true}}), 0);
  EXPECT_EQ(kernel.dims.size(), 2u);
  created();
  ASSERT_EQ(stop(0), 0);
  for (const auto& [storage, dim] : kernel.dims)
    EXPECT_TRUE(dim.cancelled);
  kernel.dims.clear();
  ASSERT_EQ(open(0), 0);
  ASSERT_EQ(kernel.dims.size(), 2u);
  for (const auto& request : created()) {
    EXPECT_EQ(request.moderation_period, 1);
    EXPECT_EQ(request.moderation_count, request.base.wq_type == wire::WqType::kRq ? 255 : 128);
  }
  moderated_traffic();
  for (const auto& [storage, dim] : kernel.dims) {
    EXPECT_FALSE(dim.cancelled);
    EXPECT_GT(dim.samples, 0u);
    EXPECT_EQ(dim.packets, stat(0, dim.tx ? "tx_0_packets" : "rx_0_packets"));
  }
}

// --- completions --------------------------------------------------------------------------------

class CoalescingTest : public DriverTest {
 protected:
  void SetUp() override {
    config.queues = 1;
    config.options = "coalescing=8";
  }
  void up() {
    start();
    ASSERT_EQ(probe(), 0);
    watch();
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(1), 128, 256, nullptr); }), 0);
    ASSERT_EQ(open(1), 0);
    ASSERT_EQ(open(0), 0);
    kernel.settle();
  }
  int set(u32 packets) {
    return under_rtnl([&] { return mana_port_set_rx_coalescing(port(1), packets); });
  }
  // `count` frames that reach the device at the same moment; those that arrive, in order.
  std::vector<Bytes> burst(u32 count, u32 payload = 100) {
    device->stalled = true;
    for (u32 i = 0; i < count; i++) {
      sk_buff* skb = skb_of(kernel, {.payload = payload + i, .sequence = i});
      if (!transmit(0, skb)) {
        kernel.free_skb(skb);
        ADD_FAILURE() << "the queue is full";
      }
    }
    device->stalled = false;
    kernel.settle();
    kernel.pass(1);  // the window ends
    return take_received(1);
  }
  static std::vector<Bytes> expected(u32 count, u32 payload = 100) {
    std::vector<Bytes> all;
    for (u32 i = 0; i < count; i++)
      all.push_back(make_packet({.payload = payload + i, .sequence = i}));
    return all;
  }
  void expect_burst(u32 count) { EXPECT_EQ(burst(count), expected(count)); }
  wire::ConfigVportRxRequest last_steering(u16* version = nullptr) {
    const auto request = device->requests_of(Command::kConfigVportRx).back();
    if (version)
      *version = request.as<wire::RequestHeader>().request.version;
    return request.as<wire::ConfigVportRxRequest>();
  }
  u64 shared() { return stat(1, "rx_0_shared_cqe"); }
  u64 coalesced() { return device->port_statistic(1, "rx_coalesced"); }
};

TEST_F(CoalescingTest, D59_OffUnlessSomebodyAsks) {
  up();
  expect_burst(9);
  EXPECT_EQ(coalesced(), 0u);
  EXPECT_EQ(mana_port_rx_coalescing(port(1)), 0u);
}

TEST_F(CoalescingTest, D59_UpToFour) {
  up();
  ASSERT_EQ(set(4), 0);
  u16 version = 0;
  const auto message = last_steering(&version);
  EXPECT_EQ(version, 2);
  EXPECT_EQ(message.coalesce_4, 1);
  EXPECT_EQ(message.coalesce_8, 0);
  EXPECT_EQ(message.rx_enable, wire::TriState::kUnchanged);
  EXPECT_EQ(message.rss_enable, wire::TriState::kUnchanged);
  EXPECT_EQ(message.update_table | message.update_hash_key | message.update_default_object, 0);
  for (u32 i = 0; i < 100; i++)
    expect_burst(1 + i % 11);
  EXPECT_GT(coalesced(), 400u);
  EXPECT_EQ(shared(), coalesced());
  EXPECT_EQ(stat(1, "rx_0_packets"), device->port_statistic(1, "rx_packets"));
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
  EXPECT_EQ(device->port_statistic(1, "rx_dropped_no_wqe"), 0u) << "one WQE for each packet";
}

TEST_F(CoalescingTest, D59_UpToEight) {
  up();
  ASSERT_EQ(set(8), 0);
  u16 version = 0;
  EXPECT_EQ(last_steering(&version).coalesce_8, 1);
  EXPECT_EQ(version, 5);
  EXPECT_EQ(last_steering().coalesce_4, 0);
  EXPECT_EQ(last_steering().hash_types, wire::hash::kDefault);
  for (u32 i = 0; i < 100; i++)
    expect_burst(1 + i % 19);
  EXPECT_EQ(shared(), coalesced());
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
  // Switched off in the version that it was switched on.
  ASSERT_EQ(set(0), 0);
  EXPECT_EQ(last_steering(&version).coalesce_8, 0);
  EXPECT_EQ(version, 5);
  const u64 before = coalesced();
  expect_burst(9);
  EXPECT_EQ(coalesced(), before);
}

TEST_F(CoalescingTest, D59_EveryFollowingMessageSaysItAgain) {
  up();
  ASSERT_EQ(set(4), 0);
  std::vector<u32> table(mana_port_rss_entries(port(1)), 0);
  const shim_rss rss{.table = table.data(), .key = nullptr};
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_rss(port(1), &rss, nullptr); }), 0);
  EXPECT_EQ(last_steering().coalesce_4, 1);
  expect_burst(8);
  EXPECT_EQ(coalesced(), 8u);
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(1), 256, 256, nullptr); }), 0);
  expect_burst(8);
  EXPECT_EQ(coalesced(), 16u);
  ASSERT_EQ(stop(1), 0);
  ASSERT_EQ(open(1), 0);
  kernel.settle();
  expect_burst(8);
  EXPECT_EQ(coalesced(), 24u);
  device->fault("rx wq x1");
  burst(1);
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
  expect_burst(8);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
}

TEST_F(CoalescingTest, D59_OnlyTypesThatWereNegotiated) {
  up();
  u64 recoveries = 0;
  const auto expect_error = [&](const char* type) {
    device->fault(std::string{"rx type "} + type + " x1");
    EXPECT_EQ(burst(1).size(), 0u);
    kernel.pass(1'000);
    EXPECT_EQ(stat(1, "queue_recoveries"), ++recoveries) << type;
    expect_burst(3);
  };
  ASSERT_EQ(set(4), 0);
  expect_error("5");
  // One that would make sense if it were asked for.
  device->edit_write = [](u64, u8* bytes, u32 length) {
    wire::RxCqe cqe{};
    std::memcpy(static_cast<void*>(&cqe), bytes, std::min<size_t>(length, sizeof(cqe)));
    if (length != 63 || cqe.type() != wire::RxCqeType::kOk)
      return;
    cqe.dw0 = wire::RxCqe::Type::replace(cqe.dw0, 7);
    cqe.pairs[0] = {.length_even = cqe.packets[0].length};
    std::memcpy(bytes, &cqe, 63);
  };
  EXPECT_EQ(burst(1).size(), 0u);
  device->edit_write = nullptr;
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), ++recoveries);
  ASSERT_EQ(set(0), 0);
  expect_error("2");
  expect_error("7");
  ASSERT_EQ(set(8), 0);
  expect_error("6");
  EXPECT_EQ(stat(1, "rx_coalesced_err"), 3u);
}

TEST_F(CoalescingTest, D40_ABudgetMayEndInTheMiddle) {
  up();
  ASSERT_EQ(set(8), 0);
  for (const int budget : {1, 3, 5, 7}) {
    kernel.budget = budget;  // the fake checks each poll's
    expect_burst(30);
  }
  ASSERT_EQ(set(4), 0);
  kernel.budget = 3;
  expect_burst(30);
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
}

TEST_F(CoalescingTest, FramesOfSeveralBuffersToo) {
  up();
  ASSERT_EQ(under_rtnl([&] { return mana_port_set_rx_scatter(port(1), true); }), 0);
  for (u32 index : {0, 1})
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_mtu(port(index), 9000, nullptr); }), 0);
  ASSERT_EQ(set(8), 0);
  for (const u32 payload : {100u, 5'000u, 8'800u})
    for (u32 i = 0; i < 20; i++)
      EXPECT_EQ(burst(1 + i % 11, payload), expected(1 + i % 11, payload));
  kernel.budget = 3;
  EXPECT_EQ(burst(13, 8'000), expected(13, 8'000));
  EXPECT_GT(coalesced(), 200u);
  EXPECT_EQ(shared(), coalesced());
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
  EXPECT_EQ(device->port_statistic(1, "rx_dropped_no_wqe"), 0u);
}

TEST_F(CoalescingTest, D58_LengthsThatCannotBe) {
  up();
  for (const u32 packets : {4u, 8u}) {
    ASSERT_EQ(set(packets), 0);
    const u64 bad = stat(1, "rx_0_bad_length");
    // The third of four: its buffer is used up, the others arrive.
    device->fault("rx length 60000 x1 skip 2");
    const auto frames = burst(4);
    auto wanted = expected(4);
    wanted.erase(wanted.begin() + 2);
    EXPECT_EQ(frames, wanted);
    EXPECT_EQ(stat(1, "rx_0_bad_length"), bad + 1);
    EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
    expect_burst(9);
  }
}

// Nobody knows how many WQEs that is.
TEST_F(CoalescingTest, D59_ACompletionOfNoPackets) {
  up();
  u64 recoveries = 0;
  for (const u32 packets : {4u, 8u}) {
    ASSERT_EQ(set(packets), 0);
    device->fault("rx length 0 x1");
    EXPECT_EQ(burst(4).size(), 0u);
    kernel.pass(1'000);
    EXPECT_EQ(stat(1, "queue_recoveries"), ++recoveries);
    expect_burst(9);
  }
  EXPECT_EQ(stat(1, "rx_coalesced_err"), 2u);
}

TEST_F(CoalescingTest, D36_MorePacketsThanBuffers) {
  up();
  ASSERT_EQ(set(4), 0);
  wire::RxCqe lie{};
  lie.dw0 = 0x42;
  for (wire::RxPacketInfo& info : lie.packets)
    info.length = 64;
  lie.trailer = objects[1].wq_id;
  wire::Cqe cqe;
  std::memcpy(&cqe, &lie, sizeof(cqe));
  // 512 packets, and 127 buffers. In one poll, that cannot post any in between.
  kernel.budget = 1000;
  for (u32 i = 0; i < 128; i++)
    forge_cqe(objects[1], 1 + i, cqe);  // behind a fence
  poll_all();
  EXPECT_LE(kernel.received.size(), 128u);
  kernel.free_received();
  kernel.budget = 64;
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
  expect_burst(9);
}

TEST_F(CoalescingTest, ADeviceThatCannot) {
  config.options = "";
  up();
  EXPECT_EQ(set(4), kNotSupported);
  EXPECT_EQ(set(8), kNotSupported);
  EXPECT_TRUE(kernel.logged("does not coalesce"));
  EXPECT_EQ(mana_port_rx_coalescing(port(1)), 0u);
  EXPECT_EQ(last_steering().coalesce_4 | last_steering().coalesce_8, 0);
  expect_burst(9);
  // And nothing is accepted that was not agreed on.
  device->fault("rx type 2 x1");
  EXPECT_EQ(burst(1).size(), 0u);
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
}

TEST_F(CoalescingTest, ADeviceThatRefuses) {
  up();
  ASSERT_EQ(set(4), 0);
  device->fault("hwc 0x20007 status 1 x1");
  EXPECT_EQ(set(8), -5);
  EXPECT_EQ(mana_port_rx_coalescing(port(1)), 4u);
  EXPECT_EQ(last_steering().coalesce_4, 1) << "the old setting, again";
  EXPECT_EQ(last_steering().coalesce_8, 0);
  expect_burst(8);
  EXPECT_EQ(coalesced(), 8u);
  EXPECT_EQ(stat(1, "queue_recoveries"), 0u);
}

TEST_F(CoalescingTest, D66_ADeviceThatCameBackWithoutIt) {
  up();
  ASSERT_EQ(set(4), 0);
  mana_adapter_suspend(adapter);
  device->reset();
  device->edit<wire::ConfigVportRxResponse>(
      Command::kConfigVportRx, [](auto& answer) { answer.header.response.version = 1; });
  EXPECT_EQ(mana_adapter_resume(adapter), 0);
  device->edit_response = nullptr;
  EXPECT_EQ(mana_port_rx_coalescing(port(1)), 0u);
  EXPECT_TRUE(kernel.logged("does not coalesce packets any more"));
  device->fault("rx type 2 x1");
  burst(1);
  kernel.pass(1'000);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
}

TEST_F(CoalescingTest, APortThatIsDownCannotAsk) {
  up();
  ASSERT_EQ(stop(1), 0);
  EXPECT_EQ(set(4), -100);
  EXPECT_EQ(mana_port_rx_coalescing(port(1)), 0u);
  EXPECT_EQ(set(0), 0);
}

}  // namespace
}  // namespace mana::test
