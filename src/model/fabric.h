// SPDX-License-Identifier: GPL-2.0
// All vPorts of a device and what connects them: the switch, and the backends at the host.
#pragma once

#include "model/l2_switch.h"
#include "model/load.h"

namespace mana::model {

class Fabric : NonCopyable {
 public:
  explicit Fabric(Context& context) : context_{context}, rx_{context} {}

  void set_up();
  // DESTROY_HWC and FLR: what drivers configured is gone.
  void reset();

  Vport& vport(u32 index) { return vports_[index]; }
  u32 count() const { return context_.config.ports; }
  // Null if no vPort has it.
  Vport* find_handle(u64 handle);
  Vport* find_offset(u32 offset);
  RxEngine& rx() { return rx_; }
  Load& load() { return load_; }

  // A finished frame (checksums final) leaves a vPort. The frame may be changed on the way.
  void send(Vport& from, Frame& frame);
  // A frame comes in from a port's backend.
  bool receive(Vport& vport, Frame& frame);
  // A port stopped receiving: nobody lives behind it any more.
  void flush(const Vport& vport) { switch_.flush(vport.index); }

 private:
  Context& context_;
  RxEngine rx_;
  Load load_{context_, rx_};
  L2Switch switch_;
  Vport vports_[kMaxPorts];
};

}  // namespace mana::model
