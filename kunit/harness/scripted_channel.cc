// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/scripted_channel.h"

#include "base/new.h"
#include "shim/memory.h"

namespace mana::kunit {

// In the order in which a driver would make them.
struct ScriptedChannel::Parts {
  explicit Parts(u32 vector_count)
      : function{device, {.vectors = vector_count}},
        pci{function ? kern::PciFunction::enable(function.pdev()) : Errno::kNoDevice},
        bar{pci ? kern::Bar::map(*pci) : Errno::kNoDevice},
        map{bar ? gdma::RegisterMap::read(*bar, &reason) : Errno::kNoDevice} {}

  ScriptedDevice device;
  Function function;
  const char* reason = "";
  Result<kern::PciFunction> pci;
  Result<kern::Bar> bar;
  Result<gdma::RegisterMap> map;
  kern::MsixVectors vectors;
  hwc::Diagnosis diagnosis;
  hwc::Quarantine quarantine;
  kern::Box<hwc::HardwareChannel> channel;
  Told told[kMaxNotices] = {};
  u32 told_count = 0;
};

ScriptedChannel::ScriptedChannel(const Config& config) {
  void* memory = shim_alloc(sizeof(Parts), -1);
  if (!memory) {
    FAIL("no memory for the function");
    return;
  }
  parts_ = ::new (memory) Parts{config.vectors};
  if (!parts_->map) {
    FAIL("the function does not come up: %s", parts_->reason);
    return;
  }
  auto vectors = kern::MsixVectors::allocate(pci(), 2, config.vectors);
  if (vectors)
    parts_->vectors = mana::move(*vectors);
  else
    FAIL("there are no interrupt vectors");
  kunit_function_set_pace(function().get(), config.pace);
  if (config.create)
    if (const Errno error = create(); error != Errno{0})
      FAIL("the channel does not come up: %d, %s", static_cast<s32>(error),
           diagnosis().text().bytes);
}

ScriptedChannel::~ScriptedChannel() {
  if (!parts_)
    return;
  if (!destroy())
    FAIL("the channel does not stop");
  quarantine().release_all();
  parts_->~Parts();
  shim_free(parts_);
}

ScriptedDevice& ScriptedChannel::device() const { return parts_->device; }
const Function& ScriptedChannel::function() const { return parts_->function; }
const kern::PciFunction& ScriptedChannel::pci() const { return parts_->pci.value(); }
const kern::Bar& ScriptedChannel::bar() const { return parts_->bar.value(); }
const gdma::RegisterMap& ScriptedChannel::map() const { return parts_->map.value(); }
hwc::Diagnosis& ScriptedChannel::diagnosis() const { return parts_->diagnosis; }
hwc::Quarantine& ScriptedChannel::quarantine() const { return parts_->quarantine; }
bool ScriptedChannel::has_channel() const { return static_cast<bool>(parts_->channel); }
hwc::HardwareChannel& ScriptedChannel::channel() const { return *parts_->channel; }
u32 ScriptedChannel::told_count() const { return parts_->told_count; }
ScriptedChannel::Told ScriptedChannel::told(u32 n) const { return parts_->told[n % kMaxNotices]; }

Errno ScriptedChannel::create() const {
  const auto tell = [](void* self, hwc::Notice notice, u32 value) {
    auto& parts = *static_cast<Parts*>(self);
    parts.told[parts.told_count++ % kMaxNotices] = {notice, value};
  };
  kunit_function_lock_driver(function().get());
  auto made = hwc::HardwareChannel::create(pci(), bar(), map(), diagnosis(), quarantine(),
                                           {.notify = tell, .context = parts_});
  kunit_function_unlock_driver(function().get());
  if (!made)
    return made.error();
  parts_->channel = mana::move(*made);
  return Errno{0};
}

bool ScriptedChannel::destroy() const {
  {
    const StillFunction still{function()};
    device().forget_hooks();
    device().come_back();
    device().lose_interrupts = false;
  }
  kunit_function_set_pace(function().get(), KUNIT_PACE_LATER);
  kunit_function_allow_resets(function().get(), true);
  if (!has_channel())
    return true;
  kunit_function_lock_driver(function().get());
  const bool stopped = channel().stop();
  kunit_function_unlock_driver(function().get());
  if (!stopped)
    channel().abandon(quarantine());
  parts_->channel = {};
  return stopped;
}

void ScriptedChannel::abandon() const {
  channel().abandon(quarantine());
  parts_->channel = {};
}

Result<ScriptedChannel::Answer> ScriptedChannel::ask(u32 minimum, bool more_entries) const {
  wire::HeaderOnlyRequest request{};
  return channel().call<Answer>({.command = kCommand,
                                 .device = kDevice,
                                 .response_version = 2,
                                 .minimum_response = minimum,
                                 .accept_more_entries = more_entries},
                                request);
}

ScriptedDevice::Answer& ScriptedChannel::good_answer(ScriptedDevice& device,
                                                     const wire::RequestHeader& asked, u64 value) {
  ScriptedDevice::Answer& message = device.answer(asked, 0, kAnswerBytes);
  auto& answer = message.as<Answer>();
  answer.values[0] = answer.values[1] = value;
  return message;
}

bool ScriptedChannel::answered() const {
  const auto answer = [&](const ScriptedDevice::Request& request) {
    device().respond(good_answer(device(), request.header()));
  };
  device().on_request = answer;
  const auto got = ask();
  device().on_request = nullptr;
  return got && got.value().values[0] == kPattern && got.value().values[1] == kPattern;
}

Errno ScriptedChannel::ask_in_vain() const {
  const auto silence = [](const ScriptedDevice::Request&) {};
  device().on_request = silence;
  const Errno error = ask_error();
  device().on_request = nullptr;
  return error;
}

}  // namespace mana::kunit
