// SPDX-License-Identifier: GPL-2.0
// An enabled function with a scripted device behind it, and the driver's hardware channel on that:
// what cases of the management path start with.
#pragma once

#include "hwc/channel.h"
#include "hwc/commands.h"
#include "kunit/harness/scripted_device.h"

namespace mana::kunit {

class ScriptedChannel : NonCopyable {
 public:
  struct Config {
    kunit_pace pace = KUNIT_PACE_LATER;
    u32 vectors = 4;
    bool create = true;  // bring the channel up; a failure of that is one of the case
  };
  explicit ScriptedChannel(const Config& config);
  ScriptedChannel() : ScriptedChannel{Config{}} {}
  // Stops and frees what there is; nothing may be left.
  ~ScriptedChannel();

  explicit operator bool() const { return parts_ != nullptr; }
  ScriptedDevice& device() const;
  const Function& function() const;
  const kern::PciFunction& pci() const;
  const kern::Bar& bar() const;
  const gdma::RegisterMap& map() const;
  hwc::Diagnosis& diagnosis() const;
  hwc::Quarantine& quarantine() const;
  bool has_channel() const;
  hwc::HardwareChannel& channel() const;

  Errno create() const;  // 0, and there is a channel; or there is none
  // Ends the channel with a well-behaved device; false if that did not work.
  bool destroy() const;
  // The channel's owner gives up: what may still be written to goes to the quarantine.
  void abandon() const;

  // A request of 40 bytes for an answer of up to 48.
  struct Answer {
    wire::ResponseHeader header;
    u64 values[2];
  };
  static constexpr wire::Command kCommand = wire::Command::kQueryMaxResources;
  static constexpr wire::DeviceId kDevice{wire::DeviceType::kMana, 7};
  Result<Answer> ask(u32 minimum = 0, bool more_entries = false) const;
  Errno ask_error() const {
    const auto answer = ask();
    return answer ? Errno{0} : answer.error();
  }

  // A good answer to it.
  static constexpr u32 kAnswerBytes = sizeof(Answer);
  static constexpr u64 kPattern = 0x1111111111111111;
  static ScriptedDevice::Answer& good_answer(ScriptedDevice& device,
                                             const wire::RequestHeader& asked,
                                             u64 value = kPattern);
  // Asks, and gets it.
  bool answered() const;
  // Asks, and nothing comes.
  Errno ask_in_vain() const;
  // Asks, with `change` applied to the header of a good answer.
  template <typename Change>
  Errno ask_changed(Change change) const {
    const auto answer = [&](const ScriptedDevice::Request& request) {
      auto& message = good_answer(device(), request.header());
      change(message.header());
      device().respond(message);
    };
    device().on_request = answer;
    const Errno error = ask_error();
    device().on_request = nullptr;
    return error;
  }

  // Calls it while the device is still: it may use the device.
  template <typename F>
  void still(F f) const {
    const StillFunction still{function()};
    f();
  }
  void settle() const { function().settle(); }
  u32 coherent() const { return kunit_dma_coherent(function().get()); }
  u64 resets() const { return kunit_function_resets(function().get()); }

  // What the channel's owner was told.
  static constexpr u32 kMaxNotices = 8;
  struct Told {
    hwc::Notice notice;
    u32 value;
  };
  u32 told_count() const;
  Told told(u32 n) const;

 private:
  struct Parts;

  Parts* parts_ = nullptr;
};

// Milliseconds of the machine's time since it was made.
class Stopwatch {
 public:
  u64 ms() const { return (kunit_now_ns() - start_) / 1'000'000; }

 private:
  u64 start_ = kunit_now_ns();
};

}  // namespace mana::kunit
