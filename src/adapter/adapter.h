// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "adapter/views.h"
#include "hwc/channel.h"
#include "hwc/commands.h"
#include "hwc/event_queue.h"
#include "port/port.h"
#include "shim/entry.h"

namespace mana::adapter {

// The composition root: one bound PCI function with its channel, its device and its ports.
//
// Members are in the order in which probe makes them, so their destruction is its reversal. What
// can fail on the way down, because the device has a say in it, is in remove().
class Adapter : NonCopyable {
 public:
  // Data sheet 10.1. Logs one line that names the failed step and its reason; leaves nothing
  // behind.
  static Result<kern::Box<Adapter>> probe(pci_dev* pdev);
  ~Adapter();

  // For reboot and kexec: the device stops, everything else stays as it is.
  void shutdown();

  // Around a power transition or a reset by somebody else. A resume that fails leaves the ports
  // without a link, to be removed or resumed again.
  void suspend();
  Result<void> resume();

  // --- devlink; process context without RTNL (health.cc) ---
  void versions(shim_versions& versions) const;
  Result<void> diagnose(shim_reporter which, const kern::Text& text) const;
  Result<void> dump(shim_reporter which, const kern::Text& text) const;
  Result<void> recover(shim_reporter which, netlink_ext_ack* ack);

  // The function without its ports; under RTNL.
  void describe(const kern::Text& text) const;

 private:
  template <typename T>
  friend class kern::Box;

  Adapter(kern::PciFunction function, kern::Bar bar, gdma::RegisterMap map)
      : function_{mana::move(function)}, bar_{mana::move(bar)}, map_{map.moved_to(bar_)} {}

  // The channel, the device and what belongs to it; *step names what is being done.
  Result<hwc::DeviceConfig> start_device(const char** step);
  // The rest of probe, and of resume.
  Result<void> bring_up(const char** step);
  Result<void> restart(const char** step);
  Result<void> create_ports();
  void stop_device();
  void silence();

  static void notice(void* context, hwc::Notice notice, u32 value);  // any context
  static void eq_overrun(void* context);                             // likewise
  void handle_notices();

  kern::PciFunction function_;
  kern::Bar bar_;
  gdma::RegisterMap map_;
  hwc::Diagnosis diagnosis_;
  hwc::Quarantine quarantine_;
  kern::MsixVectors vectors_;
  kern::Box<hwc::HardwareChannel> channel_;
  hwc::MaxResources limits_{};
  bool moderation_ = false;  // of interrupts: offered
  hwc::Device device_;
  bool registered_ = false;
  gdma::CqTable cqs_;
  hwc::EventQueueSet eqs_{{.function = function_,
                           .device = device_,
                           .cqs = cqs_,
                           .quarantine = quarantine_,
                           .overrun = eq_overrun,
                           .overrun_context = this}};
  kern::Box<port::PortContext> port_context_;
  shim_devlink* devlink_ = nullptr;

  // What interrupts leave for handle_notices(): bit masks by vPort.
  static constexpr u32 kMaskWords = wire::kMaxVports / 64;
  kern::Atomic<u64> link_changed_[kMaskWords];
  kern::Atomic<u64> link_down_[kMaskWords];
  kern::Atomic<bool> reset_requested_{false};
  kern::Atomic<bool> channel_failed_{false};
  kern::Atomic<bool> channel_reported_{false};  // to devlink, and not recovered yet

  kern::Array<kern::Box<port::Port>> ports_;
  kern::Atomic<u32> ports_ready_{0};  // how many of them notices may reach
  kern::Work<Adapter, &Adapter::handle_notices> notices_;
  Views views_;
};

}  // namespace mana::adapter
