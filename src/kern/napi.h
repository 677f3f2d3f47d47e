// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/napi.h"

namespace mana::kern {

// A NAPI context of a netdev whose polls go to a channel. Disabled at first; must be disabled again
// before its end.
class Napi {
 public:
  static Result<Napi> create(net_device* netdev, mana_channel* channel) {
    napi_struct* napi = shim_napi_create(netdev, channel);
    if (!napi)
      return Errno::kNoMemory;
    return Napi{napi};
  }
  Napi() = default;
  Napi(Napi&& other) : napi_{exchange(other.napi_, nullptr)} {}
  Napi& operator=(Napi&& other) {
    mana::swap(napi_, other.napi_);
    return *this;
  }
  ~Napi() {
    if (napi_)
      shim_napi_destroy(napi_);
  }

  napi_struct* get() const { return napi_; }
  void enable() const { shim_napi_enable(napi_); }
  void disable() const { shim_napi_disable(napi_); }
  void schedule() const { shim_napi_schedule(napi_); }
  bool complete(int work_done) const { return shim_napi_complete(napi_, work_done); }

 private:
  explicit Napi(napi_struct* napi) : napi_{napi} {}

  napi_struct* napi_ = nullptr;
};

}  // namespace mana::kern
