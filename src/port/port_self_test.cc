// SPDX-License-Identifier: GPL-2.0
// The self test (ethtool -t). It disturbs nothing: traffic goes on, and every wait has a bound.
#include "port/port.h"
#include "shim/log.h"

namespace mana::port {

namespace {

constexpr u32 kEventMs = 1'000;
constexpr u32 kLoopbackMs = 500;

}  // namespace

bool Port::self_test(u64* results) {
  constexpr const char* kSteps[] = {"self test of the registers",
                                    "self test of the hardware channel",
                                    "self test of the interrupts", "self test by loopback"};
  static_assert(sizeof(kSteps) / sizeof(kSteps[0]) == SHIM_SELF_TESTS);
  // After a resume that failed there is no channel, and nothing that could be asked.
  bool passed = context_.device.channel != nullptr;
  for (u32 number = 0; number < SHIM_SELF_TESTS; number++) {
    bool skipped = false;
    results[number] = SHIM_TEST_FAILED;
    if (!context_.device.channel)
      continue;
    auto done = test(number, skipped);
    if (done) {
      results[number] = skipped ? SHIM_TEST_SKIPPED : SHIM_TEST_PASSED;
    } else {
      log_failure(kSteps[number], done.error());
      passed = false;
    }
  }
  return passed;
}

Result<void> Port::test(u32 number, bool& skipped) {
  hwc::Diagnosis& diagnosis = channel().diagnosis();
  switch (number) {
    case SHIM_TEST_REGISTERS:
      if (context_.map.unchanged())
        return {};
      diagnosis.set("the registers do not say any more what they said at probe");
      return Errno::kIo;
    case SHIM_TEST_CHANNEL: TRY(hwc::query_max_resources(channel())); return {};
    case SHIM_TEST_INTERRUPTS:
      skipped = !running();
      return skipped ? Result<void>{} : context_.eqs.test(kEventMs);
    default: return test_loopback(skipped);
  }
}

// To another port of the function if one is up, else to itself. A switch may keep ports apart, and
// need not return a frame to where it came from: a frame that is sent and does not come back says
// nothing, a frame that is refused does.
Result<void> Port::test_loopback(bool& skipped) {
  skipped = true;
  if (live_channels_.load() == 0 || !link_up_.load() || lost_.load())
    return {};
  const Port* target = this;
  const u32 ready = context_.ports_ready.load_acquire();
  for (u32 i = 0; i < ready; i++) {
    const Port* other = context_.ports[i].get();
    if (other != this && other->live_channels_.load() != 0 && other->link_up_.load())
      target = other;
  }
  const s32 code = shim_loopback(netdev_, target->netdev_, kLoopbackMs);
  skipped = code == -static_cast<s32>(Errno::kTimedOut);
  if (code == 0 || skipped)
    return {};
  channel().diagnosis().set("the stack did not take the frame");
  return Result<>::from_errno(code);
}

}  // namespace mana::port
