// SPDX-License-Identifier: GPL-2.0
// src/hwc/quarantine.h, and what fills it when the channel ends: memory that the device knows is
// freed only when the device is known to have stopped (D-11, D-65).
#include "hwc/quarantine.h"

#include <initializer_list>

#include "kunit/harness/scripted_channel.h"
#include "kunit/shim/faults.h"
#include "shim/irq.h"

namespace mana::kunit {
namespace {

using wire::EqeType;

// Rings, request and response buffer.
constexpr u32 kPieces = 6;
constexpr u64 kStopMs = 2 * hwc::Mailbox::kTimeoutMs + 2'000;
constexpr ScriptedChannel::Config kNotYet{.create = false};

// Knows where it is, and counts its ends.
class Witness {
 public:
  explicit Witness(u32* ends) : ends_{ends} {}
  Witness(Witness&& other) : ends_{mana::exchange(other.ends_, nullptr)} { last = this; }
  ~Witness() {
    if (ends_)
      ++*ends_;
  }

  static Witness* last;  // that was moved to

 private:
  u32* ends_;
};
Witness* Witness::last = nullptr;

CASE(D65_holds_until_released) {
  u32 ends = 0;
  hwc::Quarantine quarantine;
  for (u32 n = 0; n < 100; n++)
    quarantine.hold(Witness{&ends});
  EXPECT_EQ(quarantine.count(), 100u);
  EXPECT_EQ(ends, 0u);
  quarantine.release_all();
  EXPECT_EQ(quarantine.count(), 0u);
  EXPECT_EQ(ends, 100u);
  quarantine.release_all();
  EXPECT_EQ(ends, 100u);
  quarantine.hold(Witness{&ends});
  EXPECT_EQ(quarantine.count(), 1u);
  quarantine.release_all();
  EXPECT_EQ(ends, 101u);
}

CASE(D65_holds_any_owner) {
  const ScriptedChannel rig{kNotYet};
  u32 ends = 0;
  hwc::Quarantine quarantine;
  auto memory = kern::DmaCoherent::allocate(rig.pci().device(), 4096);
  auto box = kern::Box<Witness>::create(kern::kAnyNode, Witness{&ends});
  auto array = kern::Array<u64>::create(5000, kern::kAnyNode);
  ASSERT(memory && box && array);
  quarantine.hold(mana::move(*memory));
  quarantine.hold(mana::move(*box));
  quarantine.hold(mana::move(*array));
  EXPECT(!memory.value());
  EXPECT_EQ(rig.coherent(), 1u);
  EXPECT_EQ(ends, 0u);
  quarantine.release_all();
  EXPECT_EQ(rig.coherent(), 0u);
  EXPECT_EQ(ends, 1u);
}

// The end of the quarantine is not the end of what it holds.
CASE(D11_leaks_rather_than_frees) {
  u32 ends = 0;
  {
    hwc::Quarantine quarantine;
    quarantine.hold(Witness{&ends});
  }
  EXPECT_EQ(ends, 0u);
  // Found again by the one who knows where it was: behind the book-keeping's two words.
  shim_free(reinterpret_cast<u8*>(Witness::last) - 2 * sizeof(void*));
}

CASE(D11_without_memory_for_the_books_leaks_at_once) {
  const ScriptedChannel rig{kNotYet};
  auto memory = kern::DmaCoherent::allocate(rig.pci().device(), 4096);
  ASSERT(memory);
  u8* const data = memory.value().data();
  const u64 address = memory.value().address();
  hwc::Quarantine quarantine;
  kunit_fail_allocation(1);
  quarantine.hold(mana::move(*memory));
  EXPECT_EQ(kunit_fail_allocation_left(), 0u);
  kunit_fail_allocation(0);
  EXPECT_EQ(quarantine.count(), 1u);
  EXPECT(!memory.value());
  EXPECT_EQ(rig.coherent(), 1u);
  quarantine.release_all();
  EXPECT_EQ(rig.coherent(), 1u);
  shim_dma_free(rig.pci().device(), 4096, data, address);
}

// --- the end of a channel ---------------------------------------------------------------------

bool stop(const ScriptedChannel& rig) {
  kunit_function_lock_driver(rig.function().get());
  const bool stopped = rig.channel().stop();
  kunit_function_unlock_driver(rig.function().get());
  return stopped;
}

// The vector is nobody's.
bool vector_is_free(const ScriptedChannel& rig) {
  const auto somebody = kern::Array<u8>::create(4096, kern::kAnyNode);
  auto* other = reinterpret_cast<mana_hwc*>(somebody.value().data());
  if (shim_irq_request_hwc(rig.pci().get(), 0, "somebody", other) != 0)
    return false;
  shim_irq_free_hwc(rig.pci().get(), 0, other);
  return true;
}

CASE(D11_nothing_is_freed_before_destroy_was_answered) {
  ScriptedChannel rig;
  auto& device = rig.device();
  u32 at_request = 0, at_answer = 0;
  const auto reply = [&] {
    at_answer = rig.coherent();
    device.established = false;
    device.poke<u32>(ScriptedDevice::kMailboxHeader, 0x82);
  };
  const auto busy = [&](u32) {
    at_request = rig.coherent();
    device.push_event(EqeType::kTest, 0);  // and it still writes
    device.after(5'000, reply);
    return ScriptedDevice::kStillBusy;
  };
  device.mailbox_answer = busy;
  EXPECT(stop(rig));
  EXPECT_EQ(at_request, kPieces);
  EXPECT_EQ(at_answer, kPieces);
  EXPECT_EQ(rig.resets(), 0u);
}

CASE(D11_a_reset_does_what_destroy_does_not) {
  for (u32 answer : {0x182u, ScriptedDevice::kStillBusy, 0x02u, 0xFFFFFFFFu}) {
    ScriptedChannel rig;
    const auto give = [=](u32) { return answer; };
    rig.device().mailbox_answer = give;
    const Stopwatch watch;
    EXPECT(stop(rig));
    EXPECT_LE(watch.ms(), kStopMs);
    EXPECT_EQ(rig.resets(), 1u);
    EXPECT(stop(rig));
    EXPECT_EQ(rig.resets(), 1u);
    EXPECT_EQ(rig.quarantine().count(), 0u);
  }
}

CASE(D11_what_neither_destroy_nor_reset_ended) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto refuse = [](u32) { return 0x182u; };
  device.mailbox_answer = refuse;
  kunit_function_allow_resets(rig.function().get(), false);
  EXPECT(!stop(rig));
  EXPECT(!stop(rig));
  rig.abandon();
  EXPECT_EQ(rig.coherent(), kPieces);
  EXPECT_EQ(rig.quarantine().count(), kPieces);
  EXPECT(vector_is_free(rig));
  // The device goes on, and nobody else has that memory.
  rig.still([&] {
    for (u32 n = 0; n < 300; n++)
      device.push_event(EqeType::kTest, 0);
    for (u32 n = 0; n < 70; n++)
      device.push_cqe(true, ScriptedDevice::kSq);
    device.put(device.answer({}, 0, 4096));
  });
  EXPECT_EQ(kunit_dma_faults(rig.function().get()), 0u);
  rig.quarantine().release_all();
  EXPECT_EQ(rig.coherent(), 0u);
}

CASE(D11_a_channel_that_did_not_come_up_and_does_not_go_away) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.erase(device.init_count - 1);
  const auto answer = [](u32 header) {
    return header == 1 ? ScriptedDevice::success(header) : 0x182u;
  };
  device.mailbox_answer = answer;
  kunit_function_allow_resets(rig.function().get(), false);
  EXPECT_EQ(rig.create(), Errno::kTimedOut);
  EXPECT_TEXT(rig.diagnosis().text().bytes,
              "the device never finished the channel's init events, ms waited: 0x2710");
  EXPECT_EQ(rig.quarantine().count(), kPieces);
  EXPECT_EQ(rig.coherent(), kPieces);
  EXPECT(vector_is_free(rig));
  rig.still([&] { device.push_event(EqeType::kHwcInitDone, 0); });
  EXPECT_EQ(kunit_dma_faults(rig.function().get()), 0u);
}

// The device was told where the rings are, whether it said so or not.
CASE(D11_an_establish_without_an_answer) {
  for (bool resets : {true, false}) {
    ScriptedChannel rig{kNotYet};
    const auto silence = [](u32) { return ScriptedDevice::kStillBusy; };
    rig.device().mailbox_answer = silence;
    kunit_function_allow_resets(rig.function().get(), resets);
    const Stopwatch watch;
    EXPECT_EQ(rig.create(), Errno::kTimedOut);
    EXPECT_LE(watch.ms(), hwc::Mailbox::kTimeoutMs + kStopMs);
    EXPECT_TEXT(rig.diagnosis().text().bytes, "the mailbox never answered, ms waited: 0x2710");
    EXPECT_EQ(rig.coherent(), resets ? 0u : kPieces);
    EXPECT_EQ(rig.quarantine().count(), resets ? 0u : kPieces);
    EXPECT_EQ(rig.resets(), resets ? 1u : 0u);
  }
}

CASE(D11_an_establish_that_was_refused) {
  ScriptedChannel rig{kNotYet};
  const auto refuse = [](u32 header) {
    return ScriptedDevice::success(header) | (header == 1 ? 0x300 : 0);
  };
  rig.device().mailbox_answer = refuse;
  EXPECT_EQ(rig.create(), Errno::kIo);
  // It may know the rings all the same.
  EXPECT_EQ(rig.device().last_mailbox_request, 2u);
  EXPECT_EQ(rig.coherent(), 0u);
  EXPECT_EQ(rig.resets(), 0u);
}

CASE(D65_a_timeout_frees_nothing) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader asked{};
  const auto take = [&](const ScriptedDevice::Request& request) { asked = request.header(); };
  device.on_request = take;
  EXPECT_EQ(rig.ask_error(), Errno::kTimedOut);
  EXPECT_EQ(rig.coherent(), kPieces);
  // The late answer finds its buffer.
  rig.still([&] { device.respond(ScriptedChannel::good_answer(device, asked)); });
  rig.settle();
  EXPECT_EQ(kunit_dma_faults(rig.function().get()), 0u);
}

CASE(D65_a_reset_request_frees_nothing) {
  ScriptedChannel rig;
  rig.still([&] { rig.device().push_event(EqeType::kVfResetRequest, 0); });
  rig.settle();
  EXPECT(rig.channel().failed());
  EXPECT_EQ(rig.coherent(), kPieces);
  EXPECT(stop(rig));
  EXPECT_EQ(rig.coherent(), kPieces);  // they are the channel's still, and may be freed now
}

// Gone, but for its configuration space: the reset is what is believed.
CASE(D65_a_device_that_is_gone) {
  for (bool resets : {true, false}) {
    ScriptedChannel rig;
    rig.still([&] { rig.device().vanish(); });
    kunit_function_allow_resets(rig.function().get(), resets);
    const Stopwatch watch;
    EXPECT_EQ(stop(rig), resets);
    EXPECT_LE(watch.ms(), 2'000u);
    EXPECT_EQ(rig.coherent(), kPieces);
  }
}

constexpr mana_case kCases[] = {
    LIST(D65_holds_until_released),
    LIST(D65_holds_any_owner),
    LIST(D11_leaks_rather_than_frees),
    LIST(D11_without_memory_for_the_books_leaks_at_once),
    LIST(D11_nothing_is_freed_before_destroy_was_answered),
    LIST(D11_a_reset_does_what_destroy_does_not),
    LIST(D11_what_neither_destroy_nor_reset_ended),
    LIST(D11_a_channel_that_did_not_come_up_and_does_not_go_away),
    LIST(D11_an_establish_without_an_answer),
    LIST(D11_an_establish_that_was_refused),
    LIST(D65_a_timeout_frees_nothing),
    LIST(D65_a_reset_request_frees_nothing),
    LIST(D65_a_device_that_is_gone),
};

}  // namespace

MANA_SUITE(quarantine, kCases)

}  // namespace mana::kunit
