// SPDX-License-Identifier: GPL-2.0
#include "model/fabric.h"

namespace mana::model {

void Fabric::set_up() {
  const Config& config = context_.config;
  for (u32 i = 0; i < config.ports; i++) {
    Vport& vport = vports_[i];
    vport.index = i;
    vport.external = config.external(i);
    vport.offset = static_cast<u16>(config.vport_offset + i);
    // Port n adds n to the last three octets.
    u32 low = static_cast<u32>(config.mac[3]) << 16 | static_cast<u32>(config.mac[4]) << 8 |
              config.mac[5];
    low += i;
    copy_bytes(vport.mac, config.mac, 3);
    vport.mac[3] = static_cast<u8>(low >> 16);
    vport.mac[4] = static_cast<u8>(low >> 8);
    vport.mac[5] = static_cast<u8>(low);
    vport.reset();
  }
  load_.set_up(vports_);
}

void Fabric::reset() {
  for (u32 i = 0; i < count(); i++) {
    vports_[i].reset();
    switch_.flush(i);
  }
}

Vport* Fabric::find_handle(u64 handle) {
  for (u32 i = 0; i < count(); i++) {
    if (vports_[i].handle() == handle)
      return &vports_[i];
  }
  return nullptr;
}

Vport* Fabric::find_offset(u32 offset) {
  const u32 index = offset - context_.config.vport_offset;
  return index < count() ? &vports_[index] : nullptr;
}

void Fabric::send(Vport& from, Frame& frame) {
  if (!from.link_up)
    return;
  if (load_.takes(from)) {
    load_.sink(from, frame);
    return;
  }
  if (from.external) {
    const bool tagged = frame.tagged;
    if (tagged)
      frame.put_tag();
    context_.host.transmit(from.index, frame.bytes, frame.length);
    if (tagged)
      frame.take_tag();
    return;
  }
  switch_.learn(frame.bytes + 6, from.index);
  if (frame.cast() == Cast::kUnicast) {
    const u32 port = switch_.find(frame.bytes);
    if (port != L2Switch::kNoPort) {
      if (port != from.index)
        rx_.deliver(vports_[port], frame);
      return;
    }
  }
  for (u32 i = 0; i < count(); i++) {
    if (i != from.index && !vports_[i].external)
      rx_.deliver(vports_[i], frame);
  }
}

bool Fabric::receive(Vport& vport, Frame& frame) {
  if (load_.takes(vport)) {
    load_.sink(vport, frame);
    return true;
  }
  return rx_.deliver(vport, frame);
}

}  // namespace mana::model
