// SPDX-License-Identifier: GPL-2.0
// The shared-memory mailbox (SMC): eight words and who owns them (data sheet 3).
#pragma once

#include "base/utility.h"
#include "wire/mailbox.h"

namespace mana::model {

class Mailbox {
 public:
  // Any aligned read inside the mailbox, 1 to 8 bytes.
  u64 read(u32 offset, u32 size) const {
    u64 value = 0;
    copy_bytes(&value, reinterpret_cast<const u8*>(words_) + offset, size);
    return value;
  }

  // True if this write handed the mailbox to the device (M-3, M-4). Only whole words count.
  bool write(u32 offset, u64 value, u32 size) {
    if (pending_ || size < sizeof(u32))
      return false;
    copy_bytes(reinterpret_cast<u8*>(words_) + offset, &value, size);
    if (offset + size != wire::smc::kBytes)
      return false;
    // M-4: the owner bit is up before the driver can look again.
    request_header_ = words_[wire::smc::kHeaderWord];
    words_[wire::smc::kHeaderWord] |= wire::smc::OwnerIsDevice::kMask;
    pending_ = true;
    return true;
  }

  bool pending() const { return pending_; }
  u32 request_header() const { return request_header_; }
  const u32 (&words() const)[wire::smc::kWords] { return words_; }

  // M-5: the last act on a request; the owner bit of `header` is 0.
  void answer(u32 header) {
    words_[wire::smc::kHeaderWord] = header & ~wire::smc::OwnerIsDevice::kMask;
    pending_ = false;
  }

  void reset() { *this = Mailbox{}; }

 private:
  u32 words_[wire::smc::kWords] = {};
  u32 request_header_ = 0;
  bool pending_ = false;
};

}  // namespace mana::model
