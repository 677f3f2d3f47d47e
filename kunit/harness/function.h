// SPDX-License-Identifier: GPL-2.0
// A PCI function in software and what is behind it.
#pragma once

#include "base/utility.h"
#include "kunit/harness/test.h"
#include "kunit/shim/function.h"
#include "kunit/shim/iommu.h"

namespace mana::kunit {

// What is behind BAR 0. Every method is called with the function's lock held and interrupts off.
class BusDevice : NonCopyable {
 public:
  virtual u64 read(u64 offset, u32 size) = 0;
  virtual void write(u64 offset, u64 value, u32 size) = 0;
  virtual void run() {}
  virtual void reset() {}  // function level
  virtual u64 bar_bytes() const { return 0x10000; }

  // Set before the first call.
  kunit_function* function = nullptr;

 protected:
  ~BusDevice() = default;
};

// Numbers of objects of the harness that live now; the audit wants them to be none.
extern u32 live_functions;

class Function : NonCopyable {
 public:
  struct Config {
    u32 vectors = 8;
    bool bind = false;  // let the driver core bind the driver
  };
  Function(BusDevice& device, const Config& config);
  explicit Function(BusDevice& device) : Function(device, Config{}) {}
  ~Function();

  explicit operator bool() const { return function_ != nullptr; }
  kunit_function* get() const { return function_; }
  pci_dev* pdev() const { return kunit_function_pdev(function_); }
  ::device* dev() const;

  void settle(u32 milliseconds = 5000) const {
    if (!kunit_function_settle(function_, milliseconds))
      FAIL("the device does not come to rest in %u ms", milliseconds);
  }

 private:
  kunit_function* function_;
};

// Nothing of the device runs while this lives.
class StillFunction : NonCopyable {
 public:
  explicit StillFunction(const Function& function)
      : function_{function.get()}, flags_{kunit_function_lock(function_)} {}
  ~StillFunction() { kunit_function_unlock(function_, flags_); }

 private:
  kunit_function* function_;
  unsigned long flags_;
};

}  // namespace mana::kunit
