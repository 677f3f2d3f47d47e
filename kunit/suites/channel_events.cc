// SPDX-License-Identifier: GPL-2.0
// src/hwc/channel.cc: what the hardware channel makes of interrupts, of events, and of a device
// that leaves; and its end.
#include "hwc/channel.h"

#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/harness/scripted_channel.h"

namespace mana::kunit {
namespace {

using wire::EqeType;

using Request = ScriptedDevice::Request;
using Access = ScriptedDevice::Access;

// The first look at the rings without an interrupt is after 20 ms: what is faster came by one.
constexpr u64 kByInterruptMs = 19;
constexpr u64 kPromptMs = 1'000;

constexpr ScriptedChannel::Config kNotYet{.create = false};
constexpr ScriptedChannel::Config kAtOnce{.pace = KUNIT_PACE_AT_ONCE};

// --- events -----------------------------------------------------------------------------------

CASE(an_answer_comes_by_interrupt) {
  ScriptedChannel rig;
  const Stopwatch watch;
  for (u32 n = 0; n < 10; n++)
    EXPECT(rig.answered());
  EXPECT_LE(watch.ms(), 10 * kByInterruptMs);
}

CASE(D37_lost_interrupts_cost_a_delay) {
  ScriptedChannel rig{kNotYet};
  rig.device().lose_interrupts = true;
  const Stopwatch start;
  ASSERT_EQ(rig.create(), Errno{0});
  EXPECT_LE(start.ms(), 500u);
  for (u32 n = 0; n < 5; n++) {
    const Stopwatch watch;
    EXPECT(rig.answered());
    EXPECT_LE(watch.ms(), 100u);
  }
  EXPECT_EQ(rig.resets(), 0u);
}

CASE(D37_the_queues_are_armed_after_each_pass) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto& eq = device.event_queue(0);
  // More than eight laps.
  for (u32 n = 0; n < 300; n++) {
    rig.still([&] {
      for (u32 k = 0; k < 8; k++)
        device.push_event(EqeType::kTest, 0);
    });
    const Stopwatch watch;
    while (!kern::read_once(eq.armed) && watch.ms() < 100)
      shim_sleep_ms(1);
    ASSERT(eq.armed);
  }
  EXPECT_GE(eq.head / eq.entries, 9u);
  // The CQ too: its events are how an answer is heard of.
  for (u32 n = 0; n < 300; n++) {
    const Stopwatch watch;
    ASSERT(rig.answered());
    ASSERT(watch.ms() <= kByInterruptMs);
  }
  EXPECT_GE(device.cq_head() / 64, 9u);
}

CASE(D39_an_overrun_of_the_eq_latches) {
  for (u32 owner : {2u, 3u, 4u, 5u, 6u, 7u}) {
    ScriptedChannel rig;
    auto& device = rig.device();
    ASSERT(device.event_queue(0).head < 512);  // lap 1: 0 is empty, 1 is next
    rig.still([&] {
      device.event_owner = static_cast<s32>(owner);
      device.push_event(EqeType::kTest, 0);
    });
    rig.settle();
    EXPECT(rig.channel().failed());
    EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
    device.event_owner = -1;
  }
}

CASE(D39_an_overrun_of_the_cq_releases_the_waiter) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto overrun = [&](const Request&) {
    device.cqe_owner = 6;
    device.push_cqe(true, ScriptedDevice::kSq);
  };
  device.on_request = overrun;
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), kPromptMs);
  EXPECT(rig.channel().failed());
  device.cqe_owner = -1;
}

// As many entries as the rings hold, in front of the answer.
CASE(D40_full_rings) {
  ScriptedChannel rig{kAtOnce};
  auto& device = rig.device();
  const auto flood = [&](const Request& request) {
    for (u32 n = 0; n < 200; n++)
      device.push_event(static_cast<EqeType>(0x42), n);
    for (u32 n = 0; n < 50; n++)
      device.push_cqe(true, 0x77);
    device.respond(ScriptedChannel::good_answer(device, request.header()));
  };
  device.on_request = flood;
  for (u32 n = 0; n < 5; n++)
    EXPECT_EQ(rig.ask_error(), Errno{0});
  EXPECT(!rig.channel().failed());
}

CASE(D39_more_than_the_rings_hold) {
  for (bool events : {true, false}) {
    ScriptedChannel rig{kAtOnce};
    auto& device = rig.device();
    const auto flood = [&](const Request& request) {
      for (u32 n = 0; events && n < 300; n++)
        device.push_event(static_cast<EqeType>(0x42), n);
      for (u32 n = 0; !events && n < 100; n++)
        device.push_cqe(true, 0x77);
      device.respond(ScriptedChannel::good_answer(device, request.header()));
    };
    device.on_request = flood;
    const Stopwatch watch;
    const Errno error = rig.ask_error();
    if (!events)  // the answer itself is in the CQ
      EXPECT_EQ(error, Errno::kNoDevice);
    EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
    EXPECT_LE(watch.ms(), kPromptMs);
  }
}

// A new event for each time that the driver arms the queue: it never comes to rest, and the request
// is answered all the same.
CASE(D40_events_without_end) {
  ScriptedChannel rig;
  auto& device = rig.device();
  u32 left = 2'000;
  wire::RequestHeader asked{};
  const auto again = [&](const Access& access) {
    if (access.is_write && access.offset == ScriptedDevice::kDoorbells + wire::doorbell::kEq &&
        left > 0) {
      left--;
      device.push_event(static_cast<EqeType>(0x42), 0);
    }
  };
  const auto reply = [&] { device.respond(ScriptedChannel::good_answer(device, asked)); };
  const auto take = [&](const Request& request) {
    asked = request.header();
    device.push_event(static_cast<EqeType>(0x42), 0);
    device.after(20, reply);
  };
  device.on_access = again;
  device.on_request = take;
  EXPECT_EQ(rig.ask_error(), Errno{0});
  device.on_access = nullptr;
  EXPECT_LE(left, 1'900u);
}

CASE(D65_a_reset_request_releases_the_waiter) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto ask = [&](const Request&) { device.push_event(EqeType::kVfResetRequest, 1); };
  device.on_request = ask;
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), kByInterruptMs);
  ASSERT_EQ(rig.told_count(), 1u);
  EXPECT(rig.told(0).notice == hwc::Notice::kResetRequest);
  const u32 sent = device.request_count;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_EQ(device.request_count, sent);
}

CASE(D65_a_device_that_vanishes_releases_the_waiter) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto vanish = [&](const Request&) { device.vanish(); };
  device.on_request = vanish;
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), kPromptMs);
  const u32 sent = device.request_count;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_EQ(device.request_count, sent);
}

CASE(failing_releases_the_waiter) {
  ScriptedChannel rig;
  auto& device = rig.device();
  auto fail = [&] {
    while (kern::read_once(device.request_count) < 2)
      shim_sleep_ms(1);
    rig.channel().fail();
  };
  const auto silence = [](const Request&) {};
  device.on_request = silence;
  Thread other{fail};
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), kPromptMs);
  other.join();
}

CASE(link_events_reach_the_owner) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 value : {2u << 24 | 3, 3u << 24 | 0xFFFFFF, 99u << 24 | 1, 0u, 4u << 24})
    rig.still([&] { device.push_event(EqeType::kReconfigurationData, value); });
  rig.settle();
  ASSERT_EQ(rig.told_count(), 2u);
  EXPECT(rig.told(0).notice == hwc::Notice::kLinkUp);
  EXPECT_EQ(rig.told(0).value, 3u);
  EXPECT(rig.told(1).notice == hwc::Notice::kLinkDown);
  EXPECT_EQ(rig.told(1).value, 0xFFFFFFu);
  rig.channel().mute();
  rig.still([&] {
    device.push_event(EqeType::kReconfigurationData, 2 << 24 | 3);
    device.push_event(EqeType::kVfResetRequest, 0);
  });
  rig.settle();
  EXPECT_EQ(rig.told_count(), 2u);
  EXPECT(rig.channel().failed());
}

// --- end --------------------------------------------------------------------------------------

CASE(nothing_is_sent_after_the_end) {
  ScriptedChannel rig;
  kunit_function_lock_driver(rig.function().get());
  EXPECT(rig.channel().stop());
  EXPECT_EQ(rig.device().last_mailbox_request, 2u);
  const u32 mailbox = rig.device().mailbox_requests;
  const u32 sent = rig.device().request_count;
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT(rig.channel().stop());  // once is enough
  kunit_function_unlock_driver(rig.function().get());
  EXPECT_EQ(rig.device().mailbox_requests, mailbox);
  EXPECT_EQ(rig.device().request_count, sent);
  EXPECT_EQ(rig.resets(), 0u);
}

CASE(a_channel_after_a_channel) {
  ScriptedChannel rig;
  for (u32 n = 0; n < 5; n++) {
    EXPECT(rig.answered());
    EXPECT(rig.destroy());
    EXPECT_EQ(rig.coherent(), 0u);
    ASSERT_EQ(rig.create(), Errno{0});
  }
  EXPECT_EQ(rig.resets(), 0u);
}

constexpr mana_case kCases[] = {
    LIST(an_answer_comes_by_interrupt),
    LIST(D37_lost_interrupts_cost_a_delay),
    LIST(D37_the_queues_are_armed_after_each_pass),
    LIST(D39_an_overrun_of_the_eq_latches),
    LIST(D39_an_overrun_of_the_cq_releases_the_waiter),
    LIST(D40_full_rings),
    LIST(D39_more_than_the_rings_hold),
    LIST(D40_events_without_end),
    LIST(D65_a_reset_request_releases_the_waiter),
    LIST(D65_a_device_that_vanishes_releases_the_waiter),
    LIST(failing_releases_the_waiter),
    LIST(link_events_reach_the_owner),
    LIST(nothing_is_sent_after_the_end),
    LIST(a_channel_after_a_channel),
};

}  // namespace

MANA_SUITE(channel_events, kCases)

}  // namespace mana::kunit
