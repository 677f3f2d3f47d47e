// SPDX-License-Identifier: GPL-2.0
// The C interface of include/vnic/device_model.h. Each function is one line into Device.
#include "model/device.h"

using mana::model::Device;
using mana::model::TextWriter;

namespace {

Device* device_of(vnic_model* model) { return reinterpret_cast<Device*>(model); }

vnic_model* abi_create(const vnic_host* host, const vnic_config* config, vnic_geometry* geometry,
                       char* error, size_t error_size) {
  TextWriter writer{error, error_size};
  Device* device = Device::create(*host, *config, writer);
  if (device) {
    geometry->msix_vectors = mana::model::kMsixVectors;
    geometry->bar0_size = mana::model::kBar0Size;
  }
  return reinterpret_cast<vnic_model*>(device);
}

void abi_destroy(vnic_model* model) { Device::destroy(device_of(model)); }
void abi_reset(vnic_model* model) { device_of(model)->reset(); }

uint64_t abi_read(vnic_model* model, uint64_t offset, uint32_t size) {
  return device_of(model)->read(offset, size);
}
void abi_write(vnic_model* model, uint64_t offset, uint64_t value, uint32_t size) {
  device_of(model)->write(offset, value, size);
}
void abi_run(vnic_model* model) { device_of(model)->run(); }

bool abi_receive(vnic_model* model, uint32_t port, const void* frame, size_t length) {
  return device_of(model)->receive(port, frame, length);
}
void abi_set_link(vnic_model* model, uint32_t port, bool up) {
  device_of(model)->set_link(port, up);
}

bool abi_control(vnic_model* model, const char* command, char* reply, size_t reply_size) {
  TextWriter writer{reply, reply_size};
  return device_of(model)->control(command, writer);
}

constexpr vnic_model_ops kOps = {
    .abi_version = VNIC_ABI_VERSION,
    .size = sizeof(vnic_model_ops),
    .name = "mana reference model",
    .create = abi_create,
    .destroy = abi_destroy,
    .reset = abi_reset,
    .read = abi_read,
    .write = abi_write,
    .run = abi_run,
    .receive = abi_receive,
    .set_link = abi_set_link,
    .control = abi_control,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const vnic_model_ops* vnic_model_get(
    uint32_t host_abi_version) {
  return host_abi_version == VNIC_ABI_VERSION ? &kOps : nullptr;
}
