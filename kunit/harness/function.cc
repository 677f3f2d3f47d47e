// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/function.h"

#include "shim/pci.h"

namespace mana::kunit {

u32 live_functions = 0;

namespace {

BusDevice& device_of(void* device) { return *static_cast<BusDevice*>(device); }

constexpr kunit_device_ops kOps{
    .read = [](void* device, u64 offset, u32 size) { return device_of(device).read(offset, size); },
    .write = [](void* device, u64 offset, u64 value,
                u32 size) { device_of(device).write(offset, value, size); },
    .run = [](void* device) { device_of(device).run(); },
    .reset = [](void* device) { device_of(device).reset(); },
};

}  // namespace

Function::Function(BusDevice& device, const Config& config) {
  const kunit_function_config c_config{.ops = &kOps,
                                       .device = &device,
                                       .bar_bytes = device.bar_bytes(),
                                       .vectors = config.vectors,
                                       .bind = config.bind,
                                       .announce = [](void* self, kunit_function* function) {
                                         device_of(self).function = function;
                                       }};
  function_ = kunit_function_create(&c_config);
  if (function_)
    live_functions++;
  else
    FAIL("no PCI function could be made");
}

Function::~Function() {
  if (!function_)
    return;
  kunit_function_destroy(function_);
  live_functions--;
}

::device* Function::dev() const { return shim_pci_device(pdev()); }

}  // namespace mana::kunit
