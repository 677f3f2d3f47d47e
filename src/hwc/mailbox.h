// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "hwc/diagnosis.h"
#include "kern/pci.h"
#include "wire/mailbox.h"

namespace mana::hwc {

// The driver's side of the shared-memory mailbox (data sheet 3). Process context; one caller at a
// time.
class Mailbox {
 public:
  // For possession and for the response, each. The device answers within microseconds; a host that
  // is being serviced takes seconds.
  static constexpr u32 kTimeoutMs = 10'000;

  // `offset` of a mailbox that lies wholly inside the BAR.
  Mailbox(const kern::Bar& bar, u64 offset, Diagnosis& diagnosis)
      : bar_{&bar}, offset_{offset}, diagnosis_{&diagnosis} {}

  // kTimedOut: no answer; kNoDevice: the registers read all ones; kProtocol: a bad answer;
  // kIo: the device refused. The diagnosis says more.
  Result<void> establish_hwc(const wire::EstablishHwc& rings);
  Result<void> destroy_hwc();

 private:
  u32 read(u32 word) const { return bar_->read32(offset_ + word * sizeof(u32)); }
  void write(u32 word, u32 value) const { bar_->write32(offset_ + word * sizeof(u32), value); }

  // Waits until the device does not own the mailbox: the header it left behind.
  Result<u32> wait_for_possession(const char* on_timeout) const;
  Result<void> check_response(u32 request, u32 response) const;

  const kern::Bar* bar_;
  u64 offset_;
  Diagnosis* diagnosis_;
};

}  // namespace mana::hwc
