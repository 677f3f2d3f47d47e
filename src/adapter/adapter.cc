// SPDX-License-Identifier: GPL-2.0
#include "adapter/adapter.h"

#include "shim/log.h"
#include "shim/netdev.h"
#include "shim/trace.h"
#include "shim/version.h"
#include "wire/registers.h"

namespace mana::adapter {

namespace {

// More vectors than queue pairs of a port are of no use; one more is the channel's.
constexpr u32 kMinVectors = 2;
constexpr u32 kMaxVectors = 1 + port::Port::kMaxChannels;

// What the lookup table of completion events may grow to, whatever the device announces (D-68).
constexpr u32 kMaxCqTable = 65'536;

void log_probe_failure(pci_dev* pdev, const char* step, const char* reason, Errno error) {
  shim_log(shim_pci_device(pdev), SHIM_LOG_ERROR, "probe failed while %s: %s (error %d)\n", step,
           reason, -static_cast<s32>(error));
}

}  // namespace

Result<kern::Box<Adapter>> Adapter::probe(pci_dev* pdev) {
  auto function = kern::PciFunction::enable(pdev);
  if (!function) {
    log_probe_failure(pdev, "enabling the function", "PCI refused", function.error());
    return function.error();
  }
  auto bar = kern::Bar::map(*function);
  if (!bar) {
    log_probe_failure(pdev, "mapping BAR 0", "it is missing or cannot be mapped", bar.error());
    return bar.error();
  }
  const char* reason = "";
  auto map = gdma::RegisterMap::read(*bar, &reason);
  if (!map) {
    log_probe_failure(pdev, "reading the registers", reason, map.error());
    return map.error();
  }
  auto adapter =
      kern::Box<Adapter>::create(function->node(), mana::move(*function), mana::move(*bar), *map);
  if (!adapter) {
    log_probe_failure(pdev, "starting", "out of memory", adapter.error());
    return adapter.error();
  }

  const char* step = "starting";
  if (auto up = adapter.value()->bring_up(&step); !up) {
    const auto text = adapter.value()->diagnosis_.text();
    log_probe_failure(pdev, step, text.bytes, up.error());
    return up.error();
  }
  return adapter;
}

Result<void> Adapter::bring_up(const char** step) {
  *step = "allocating interrupt vectors";
  diagnosis_.set("PCI refused MSI-X vectors");
  TRY(notices_.init(*this));
  vectors_ = TRY(kern::MsixVectors::allocate(function_, kMinVectors, kMaxVectors));
  const hwc::DeviceConfig config = TRY(start_device(step));

  // Before those who report to it. Without memory there is no devlink, which is no reason to fail.
  devlink_ = shim_devlink_create(function_.get(), reinterpret_cast<mana_adapter*>(this));
  *step = "creating the ports";
  port_context_ = TRY(kern::Box<port::PortContext>::create(
      function_.node(), port::PortContext{.function = function_,
                                          .map = map_,
                                          .device = device_,
                                          .eqs = eqs_,
                                          .cqs = cqs_,
                                          .quarantine = quarantine_,
                                          .limits = limits_,
                                          .config = config,
                                          .moderation = moderation_,
                                          .ports = ports_,
                                          .ports_ready = ports_ready_,
                                          .devlink = devlink_}));
  TRY(create_ports());
  TRY(views_.create(function_.name(), *this, ports_));
  shim_devlink_register(devlink_);

  const u32 version = map_.version();
  shim_trace_function(function_.device(), "probe", 0);
  shim_log(function_.device(), SHIM_LOG_INFO,
           "driver %s, registers %u.%u.%u, protocol %llu: %u ports of up to %u queues, MTU up to "
           "%u, %u vectors\n",
           MANA_VERSION, wire::reg::VersionMajor::get(version),
           wire::reg::VersionMinor::get(version), wire::reg::VersionMicro::get(version),
           wire::kGdmaProtocol, config.vports, ports_[0]->max_channels(), config.max_frame - 14,
           vectors_.count());
  return {};
}

Result<hwc::DeviceConfig> Adapter::start_device(const char** step) {
  const int node = function_.node();
  *step = "establishing the hardware channel";
  diagnosis_.set("out of memory");
  channel_ = TRY(hwc::HardwareChannel::create(function_, bar_, map_, diagnosis_, quarantine_,
                                              {.notify = notice, .context = this}));

  *step = "negotiating the protocol";
  const u64 pf_caps = TRY(hwc::verify_version(*channel_));
  moderation_ = pf_caps & wire::pf_cap::kCqModeration;
  if (pf_caps & wire::pf_cap::kQueryHwcTimeout)
    (void)hwc::query_timeout(*channel_);  // optional: without an answer the default stays
  if (channel_->failed())
    return Errno::kNoDevice;

  *step = "querying resources";
  limits_ = TRY(hwc::query_max_resources(*channel_));
  const wire::DeviceId id = TRY(hwc::find_mana_device(*channel_));

  *step = "registering the MANA device";
  device_ = TRY(hwc::register_device(*channel_, map_, id));
  registered_ = true;

  *step = "setting up event queues";
  diagnosis_.set("out of memory");
  cqs_ = TRY(gdma::CqTable::create(min(channel_->max_cqs(), kMaxCqTable), node));
  const u32 usable = min(vectors_.count(), limits_.msix) - 1;  // vector 0 is the channel's
  TRY(eqs_.init(min(usable, limits_.eqs)));

  *step = "querying the device configuration";
  return hwc::query_device_config(device_);
}

Result<void> Adapter::create_ports() {
  diagnosis_.set("the netdev could not be registered");
  ports_ =
      TRY(kern::Array<kern::Box<port::Port>>::create(port_context_->config.vports, kern::kAnyNode));
  for (u32 i = 0; i < ports_.size(); i++) {
    ports_[i] = TRY(port::Port::create(*port_context_, i));
    ports_ready_.store_release(i + 1);
  }
  notices_.queue();  // those that came before their port
  return {};
}

Adapter::~Adapter() {
  shim_trace_function(function_.device(), "remove", 0);
  const bool served = ports_ready_.load() != 0;  // else a probe failed, and says so itself
  // First those who look at the rest.
  shim_devlink_unregister(devlink_);
  views_.remove();
  silence();
  shim_rtnl_lock();
  ports_ready_.store(0);
  shim_rtnl_unlock();
  ports_ = {};
  stop_device();
  if (served)
    shim_log(function_.device(), SHIM_LOG_INFO, "removed\n");
  shim_devlink_destroy(devlink_);
}

void Adapter::stop_device() {
  if (!channel_)
    return;
  eqs_.clear();
  if (mana::exchange(registered_, false))
    (void)hwc::deregister_device(device_);
  if (channel_->stop()) {
    quarantine_.release_all();
    return;
  }
  // D-11: nobody releases the quarantine any more.
  shim_log(function_.device(), SHIM_LOG_ERROR,
           "the device did not confirm that it stopped (%u objects held back): leaking its memory "
           "rather than risking corruption\n",
           quarantine_.count());
  channel_->abandon(quarantine_);
}

// Nobody may queue work that is being cancelled.
void Adapter::silence() {
  if (channel_)
    channel_->mute();
  notices_.cancel();
}

void Adapter::shutdown() {
  shim_trace_function(function_.device(), "shutdown", 0);
  shim_log(function_.device(), SHIM_LOG_INFO, "stopping the device for shutdown\n");
  silence();
  shim_rtnl_lock();
  for (auto& port : ports_)
    port->quiesce();
  shim_rtnl_unlock();
  stop_device();
}

void Adapter::suspend() {
  shim_log(function_.device(), SHIM_LOG_INFO, "stopping the device for suspend or reset\n");
  silence();
  shim_rtnl_lock();
  for (auto& port : ports_)
    port->suspend();
  shim_rtnl_unlock();
  stop_device();
  shim_rtnl_lock();  // views look at the channel
  channel_ = {};
  shim_rtnl_unlock();
  device_ = {};
  shim_trace_function(function_.device(), "suspend", 0);
}

Result<void> Adapter::resume() {
  // What a resume that failed half-way left.
  silence();
  if (channel_)
    suspend();
  const char* step = "starting";
  auto up = restart(&step);
  shim_trace_function(function_.device(), "resume", up.to_errno());
  if (up && channel_reported_.exchange(false))
    shim_devlink_recovered(devlink_, SHIM_REPORTER_HWC);
  if (!up) {
    const auto text = diagnosis_.text();
    shim_log(function_.device(), SHIM_LOG_ERROR, "resume failed while %s: %s (error %d)\n", step,
             text.bytes, -static_cast<s32>(up.error()));
  } else {
    shim_log(function_.device(), SHIM_LOG_INFO, "the device is back, with %u ports\n",
             ports_.size());
  }
  return up;
}

Result<void> Adapter::restart(const char** step) {
  diagnosis_.set("out of memory");
  TRY(notices_.init(*this));
  for (u32 i = 0; i < kMaskWords; i++) {
    link_changed_[i].store(0);
    link_down_[i].store(0);
  }
  const hwc::DeviceConfig config = TRY(start_device(step));

  *step = "opening the ports";
  if (config.vports != ports_.size()) {  // D-66
    diagnosis_.set("the number of vPorts changed, now there are", config.vports);
    return Errno::kProtocol;
  }
  port_context_->limits = limits_;
  port_context_->config = config;
  port_context_->moderation = moderation_;
  shim_rtnl_lock();
  Result<void> first_failure;
  for (auto& port : ports_)
    if (auto resumed = port->resume(); !resumed && first_failure)
      first_failure = resumed;
  shim_rtnl_unlock();
  return first_failure;
}

// --- notices ----------------------------------------------------------------------------------

void Adapter::notice(void* context, hwc::Notice notice, u32 value) {
  auto& adapter = *static_cast<Adapter*>(context);
  switch (notice) {
    case hwc::Notice::kResetRequest:
      adapter.reset_requested_.store(true);
      adapter.channel_failed_.store(true);
      break;
    case hwc::Notice::kFailed: adapter.channel_failed_.store(true); break;
    case hwc::Notice::kLinkUp:
    case hwc::Notice::kLinkDown: {
      if (value >= wire::kMaxVports)  // D-67
        return;
      const u64 bit = 1ull << (value % 64);
      auto& down = adapter.link_down_[value / 64];
      if (notice == hwc::Notice::kLinkDown)
        down.fetch_or(bit);
      else
        down.fetch_and(~bit);
      adapter.link_changed_[value / 64].fetch_or(bit);
      break;
    }
  }
  adapter.notices_.queue();
}

// The queue may be shared by all ports. They go away only after a grace period that began when
// ports_ready_ was cleared, so none disappears under this interrupt.
void Adapter::eq_overrun(void* context) {
  auto& adapter = *static_cast<Adapter*>(context);
  const u32 ready = adapter.ports_ready_.load_acquire();
  for (u32 i = 0; i < ready; i++)
    adapter.ports_[i]->request_recovery();
}

void Adapter::handle_notices() {
  const u32 ready = ports_ready_.load_acquire();
  const bool reset = reset_requested_.exchange(false);
  if (reset) {
    shim_trace_function(function_.device(), "reset_request", 0);
    shim_log(function_.device(), SHIM_LOG_WARNING,
             "the device asks for a reset and is out of service; reload the driver to use it "
             "again\n");
  }
  if (channel_failed_.exchange(false) && !channel_reported_.exchange(true))
    shim_devlink_report(devlink_, SHIM_REPORTER_HWC, "the hardware channel failed");
  for (u32 i = 0; i < ready; i++) {
    const u64 bit = 1ull << (i % 64);
    if (reset)
      ports_[i]->device_lost();
    if (link_changed_[i / 64].fetch_and(~bit) & bit)
      ports_[i]->set_link(!(link_down_[i / 64].load() & bit));
  }
}

}  // namespace mana::adapter
