// SPDX-License-Identifier: GPL-2.0
// src/hwc/channel.cc: how the hardware channel comes up, on a device that does what it should, or
// anything else.
#include "hwc/channel.h"

#include <initializer_list>

#include "kunit/harness/scripted_channel.h"
#include "kunit/shim/faults.h"
#include "shim/irq.h"

namespace mana::kunit {
namespace {

using wire::EqeType;
using wire::HwcInitItem;

using Request = ScriptedDevice::Request;
using Access = ScriptedDevice::Access;
using Event = ScriptedDevice::Event;

constexpr u32 kDefaultTimeoutMs = 30'000;
// The first look at the rings without an interrupt is after 20 ms: what is faster came by one.
constexpr u64 kByInterruptMs = 15;
constexpr u64 kPromptMs = 1'000;

constexpr ScriptedChannel::Config kNotYet{.create = false};

// --- establishment ----------------------------------------------------------------------------

CASE(D10_rings_are_zero_before_establish) {
  ScriptedChannel rig{kNotYet};
  u32 rings_seen = 0, dirty = 0;
  const auto look = [&](const Access& access) {
    if (!access.is_write || access.offset != ScriptedDevice::kMailboxHeader || access.value != 1)
      return;
    u32 words[wire::smc::kWords];
    for (u32 n = 0; n < wire::smc::kWords; n++)
      words[n] = rig.device().peek<u32>(ScriptedDevice::kMailbox + 4 * n);
    const auto rings = wire::EstablishHwc::decode(words);
    EXPECT_EQ(rings.msix_vector, 0u);
    for (const u64 frame : {rings.eq_frame, rings.cq_frame, rings.rq_frame, rings.sq_frame}) {
      const auto* ring = static_cast<const u64*>(
          kunit_dma_memory(rig.function().get(), frame << wire::kPageShift));
      rings_seen += ring != nullptr;
      for (u32 n = 0; ring && n < wire::kMinRingBytes / sizeof(u64); n++)
        dirty += ring[n] != 0;
    }
  };
  rig.device().on_access = look;
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT_EQ(rings_seen, 4u);
  EXPECT_EQ(dirty, 0u);
}

// The events come inside the write that triggers ESTABLISH. Without a handler in place nobody would
// hear of them before the driver looks for itself.
CASE(D10_the_vector_is_ready_before_establish) {
  ScriptedChannel rig{{.pace = KUNIT_PACE_AT_ONCE, .create = false}};
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT_LE(watch.ms(), kByInterruptMs);
  EXPECT_GE(rig.device().event_queue(0).notified, 1u);
}

CASE(D12_each_required_item) {
  ScriptedChannel rig{kNotYet};
  for (HwcInitItem item : {HwcInitItem::kCqId, HwcInitItem::kRqId, HwcInitItem::kSqId,
                           HwcInitItem::kMaxCqs, HwcInitItem::kPdid, HwcInitItem::kGpaMkey}) {
    auto& device = rig.device();
    const u32 at = device.position_of(item);
    const Event event = device.init_event(at);
    device.erase(at);
    const Stopwatch watch;
    EXPECT_EQ(rig.create(), Errno::kProtocol);
    EXPECT_LE(watch.ms(), kPromptMs);
    EXPECT(!device.established);
    EXPECT_EQ(rig.coherent(), 0u);
    device.insert(at, event);
  }
  EXPECT_EQ(rig.create(), Errno{0});
}

CASE(D12_what_is_not_required) {
  ScriptedChannel rig{kNotYet};
  for (HwcInitItem item :
       {HwcInitItem::kQueueDepth, HwcInitItem::kMaxRequest, HwcInitItem::kMaxResponse})
    rig.device().drop_item(item);
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT(rig.answered());
}

CASE(D12_event_129_is_required) {
  ScriptedChannel rig{kNotYet};
  rig.device().erase(0);
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kProtocol);
  EXPECT_LE(watch.ms(), kPromptMs);
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(D12_event_129_after_the_end_is_too_late) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  const Event first = device.init_event(0);
  device.erase(0);
  device.insert(device.init_count, first);
  EXPECT_EQ(rig.create(), Errno::kProtocol);
}

// 129 comes first on hardware. We do not depend on it.
CASE(init_events_in_any_order) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  for (u32 n = 0, last = device.init_count - 2; n < last; n++, last--)
    mana::swap(device.init_event(n), device.init_event(last));
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT(rig.answered());
}

// The last of each counts; that they differ is the device's affair.
CASE(init_events_twice) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  const u32 items = device.init_count - 2;
  for (u32 n = 0; n < items; n++) {
    const Event event = device.init_event(1 + 2 * n);
    device.insert(1 + 2 * n, {event.type, event.value ^ 0x40});
  }
  device.insert(0, {EqeType::kHwcEqIdDoorbell, 2 << 16 | 0x44});
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT_EQ(rig.channel().max_cqs(), 128u);
  EXPECT(rig.answered());
}

CASE(D4_the_doorbell_page_is_inside_the_bar) {
  ScriptedChannel rig{kNotYet};
  for (u32 page : {ScriptedDevice::kDoorbellPages, 4u, 0x8000u, 0xFFFFu}) {
    rig.device().init_event(0).value = page << 16 | ScriptedDevice::kEq;
    EXPECT_EQ(rig.create(), Errno::kProtocol);
  }
  rig.device().init_event(0).value =
      (ScriptedDevice::kDoorbellPages - 1) << 16 | ScriptedDevice::kEq;
  EXPECT_EQ(rig.create(), Errno{0});
}

// Entries in the CQ before there is a doorbell page to answer them on.
CASE(D4_completions_before_there_is_a_doorbell) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.erase(0);
  device.erase(device.init_count - 1);
  const auto push = [&] {
    device.push_cqe(true, 0);
    device.push_cqe(false, 0, 0, 64);
    device.push_event(EqeType::kHwcInitDone, 0);
  };
  rig.still([&] { device.after(100, push); });
  EXPECT_EQ(rig.create(), Errno::kProtocol);
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(D13_the_cq_id_is_below_the_maximum) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  for (u32 maximum : {0u, 1u, ScriptedDevice::kCq}) {
    device.set_item(HwcInitItem::kMaxCqs, maximum);
    EXPECT_EQ(rig.create(), Errno::kProtocol);
  }
  device.set_item(HwcInitItem::kMaxCqs, ScriptedDevice::kCq + 1);
  EXPECT_EQ(rig.create(), Errno{0});
}

CASE(D13_the_end_of_the_events_never_comes) {
  ScriptedChannel rig{kNotYet};
  rig.device().erase(rig.device().init_count - 1);
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kTimedOut);
  EXPECT_GE(watch.ms(), 5'000u);
  EXPECT_LE(watch.ms(), 60'000u);
  EXPECT(!rig.device().established);
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(D13_no_events_at_all) {
  ScriptedChannel rig{kNotYet};
  rig.device().init_count = 0;
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kTimedOut);
  EXPECT_LE(watch.ms(), 60'000u);
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(init_events_that_take_their_time) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  u32 next = 0;
  const u32 count = device.init_count;
  Event late[16];
  for (u32 n = 0; n < count; n++)
    late[n] = device.init_event(n);
  device.init_count = 0;
  const auto push = [&](auto& self) -> void {
    device.push_event(late[next].type, late[next].value);
    if (++next < count)
      device.after(700, self);
  };
  struct Again {
    decltype(push)& function;
    void operator()() const { function(*this); }
  } again{push};
  rig.still([&] { device.after(700, again); });
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno{0});
  EXPECT_GE(watch.ms(), 700u * count);
  EXPECT(rig.answered());
}

CASE(D14_later_init_events_change_nothing) {
  ScriptedChannel rig;
  auto& device = rig.device();
  rig.still([&] {
    device.push_event(EqeType::kHwcEqIdDoorbell, 2 << 16 | 0x55);
    for (u32 item = 1; item <= 11; item++)
      device.push_event(EqeType::kHwcInitData, item << 24 | 0x000280);
    device.push_event(EqeType::kHwcInitDone, 0);
  });
  rig.settle();
  EXPECT_EQ(rig.channel().max_cqs(), 128u);
  u32 foreign = 0;
  const auto look = [&](const Access& access) {
    const u64 id = access.value & 0xFFFFFF;
    foreign += access.is_write && (access.offset - ScriptedDevice::kDoorbells >= 0x1000 ||
                                   (id != ScriptedDevice::kEq && id != ScriptedDevice::kCq &&
                                    id != ScriptedDevice::kSq && id != ScriptedDevice::kRq));
  };
  device.on_access = look;
  EXPECT(rig.answered());
  rig.settle();
  device.on_access = nullptr;
  EXPECT_EQ(foreign, 0u);
}

CASE(D15_unknown_items_and_events_during_establishment) {
  for (u32 half : {0u, 128u}) {  // the queue has 256 entries
    ScriptedChannel rig{kNotYet};
    auto& device = rig.device();
    for (u32 type = half; type < half + 128; type++)
      if (type != static_cast<u32>(EqeType::kVfResetRequest) &&
          (type < static_cast<u32>(EqeType::kHwcEqIdDoorbell) ||
           type > static_cast<u32>(EqeType::kHwcInitDone)))
        device.insert(1, {static_cast<EqeType>(type), 0xFFFFFFFF});
    for (u32 item : {0u, 12u, 0x7Fu, 0xFFu})
      device.insert(2, {EqeType::kHwcInitData, item << 24 | 0x123456});
    EXPECT_EQ(rig.create(), Errno{0});
    EXPECT(rig.answered());
  }
}

CASE(D15_unknown_events_later) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 type = 0; type < 256; type++) {
    if (type != static_cast<u32>(EqeType::kVfResetRequest))
      rig.still([&] { device.push_event(static_cast<EqeType>(type), 0x05FFFFFF); });
    if (type % 64 == 63)
      rig.settle();
  }
  EXPECT(!rig.channel().failed());
  EXPECT(rig.answered());
}

CASE(D39_an_overrun_during_establishment) {
  ScriptedChannel rig{kNotYet};
  rig.device().event_owner = 4;
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kProtocol);
  EXPECT_LE(watch.ms(), kPromptMs);
  EXPECT_EQ(rig.coherent(), 0u);
}

// More events than the EQ has room for, before the driver looks.
CASE(D39_more_init_events_than_the_queue_holds) {
  ScriptedChannel rig{{.pace = KUNIT_PACE_AT_ONCE, .create = false}};
  auto& device = rig.device();
  device.lose_interrupts = true;  // nothing is read while they are written
  while (device.init_count < 300)
    device.insert(1, ScriptedDevice::item_event(HwcInitItem::kQueueDepth, 1));
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kProtocol);
  EXPECT_LE(watch.ms(), kPromptMs);
}

CASE(D65_a_reset_request_during_establishment) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.init_event(device.init_count - 1) = {EqeType::kVfResetRequest, 0};
  const Stopwatch watch;
  EXPECT_NE(rig.create(), Errno{0});
  EXPECT_LE(watch.ms(), kPromptMs);
  EXPECT_EQ(rig.told_count(), 1u);
  EXPECT_EQ(rig.device().request_count, 0u);
}

CASE(D65_a_device_that_vanishes_during_establishment) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.erase(device.init_count - 1);
  const auto vanish = [&] { device.vanish(); };
  rig.still([&] { device.after(300, vanish); });
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), 300 + kPromptMs);
}

// What fails before the device was told about the rings leaves no trace.
CASE(every_allocation_of_the_channel) {
  ScriptedChannel rig{kNotYet};
  u32 failures = 0;
  for (u32 n = 1; n < 200; n++) {
    kunit_fail_allocation(n);
    const Errno error = rig.create();
    const bool reached = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    if (!reached) {
      EXPECT_EQ(error, Errno{0});
      break;
    }
    if (error == Errno{0}) {  // the kernel had a second way
      EXPECT(rig.destroy());
      continue;
    }
    failures++;
    EXPECT_EQ(error, Errno::kNoMemory);
    EXPECT_EQ(rig.coherent(), 0u);
    EXPECT_EQ(rig.quarantine().count(), 0u);
  }
  // The object and six pieces of DMA memory; what the kernel allocates on the way is counted with
  // them, and not the same each time.
  EXPECT_GE(failures, 4u);
  EXPECT(rig.has_channel());
}

CASE(an_interrupt_that_somebody_has) {
  ScriptedChannel rig{kNotYet};
  const auto somebody = kern::Array<u8>::create(4096, kern::kAnyNode);
  auto* other = reinterpret_cast<mana_hwc*>(somebody.value().data());
  ASSERT_EQ(shim_irq_request_hwc(rig.pci().get(), 0, "somebody", other), 0);
  EXPECT_EQ(rig.create(), Errno::kBusy);
  EXPECT_EQ(rig.device().mailbox_requests, 0u);
  EXPECT_EQ(rig.coherent(), 0u);
  shim_irq_free_hwc(rig.pci().get(), 0, other);
  EXPECT_EQ(rig.create(), Errno{0});
}

CASE(the_test_event_never_comes) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    device.respond(device.answer(request.header()));
  };
  device.on_request = answer;
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kTimedOut);
  EXPECT_LE(watch.ms(), kDefaultTimeoutMs + 1'000);
  EXPECT(!device.established);
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(the_test_event_before_and_after_its_answer) {
  for (bool before : {true, false}) {
    ScriptedChannel rig{kNotYet};
    auto& device = rig.device();
    const auto event = [&] { device.push_event(EqeType::kTest, 0); };
    const auto answer = [&](const Request& request) {
      EXPECT_EQ(static_cast<u32>(request.command), 10u);
      EXPECT_EQ(request.bytes, 44u);
      EXPECT_EQ(request.at<u32>(40), ScriptedDevice::kEq);
      if (before)
        event();
      device.respond(device.answer(request.header()));
      if (!before)
        device.after(5'000, event);
    };
    device.on_request = answer;
    EXPECT_EQ(rig.create(), Errno{0});
    EXPECT_EQ(device.request_count, 1u);
  }
}

CASE(D65_a_device_that_vanishes_before_the_test_event) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  const auto vanish = [&] { device.vanish(); };
  const auto answer = [&](const Request& request) {
    device.respond(device.answer(request.header()));
    device.after(300, vanish);
  };
  device.on_request = answer;
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), 300 + kPromptMs);
}

CASE(D65_a_reset_request_instead_of_the_test_event) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    device.respond(device.answer(request.header()));
    device.push_event(EqeType::kVfResetRequest, 0);
  };
  device.on_request = answer;
  const Stopwatch watch;
  EXPECT_EQ(rig.create(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), kPromptMs);
}

constexpr mana_case kCases[] = {
    LIST(D10_rings_are_zero_before_establish),
    LIST(D10_the_vector_is_ready_before_establish),
    LIST(D12_each_required_item),
    LIST(D12_what_is_not_required),
    LIST(D12_event_129_is_required),
    LIST(D12_event_129_after_the_end_is_too_late),
    LIST(init_events_in_any_order),
    LIST(init_events_twice),
    LIST(D4_the_doorbell_page_is_inside_the_bar),
    LIST(D4_completions_before_there_is_a_doorbell),
    LIST(D13_the_cq_id_is_below_the_maximum),
    LIST(D13_the_end_of_the_events_never_comes),
    LIST(D13_no_events_at_all),
    LIST(init_events_that_take_their_time),
    LIST(D14_later_init_events_change_nothing),
    LIST(D15_unknown_items_and_events_during_establishment),
    LIST(D15_unknown_events_later),
    LIST(D39_an_overrun_during_establishment),
    LIST(D39_more_init_events_than_the_queue_holds),
    LIST(D65_a_reset_request_during_establishment),
    LIST(D65_a_device_that_vanishes_during_establishment),
    LIST(every_allocation_of_the_channel),
    LIST(an_interrupt_that_somebody_has),
    LIST(the_test_event_never_comes),
    LIST(the_test_event_before_and_after_its_answer),
    LIST(D65_a_device_that_vanishes_before_the_test_event),
    LIST(D65_a_reset_request_instead_of_the_test_event),
};

}  // namespace

MANA_SUITE(channel_start, kCases)

}  // namespace mana::kunit
