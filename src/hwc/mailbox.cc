// SPDX-License-Identifier: GPL-2.0
#include "hwc/mailbox.h"

#include "shim/sync.h"
#include "wire/registers.h"

namespace mana::hwc {

namespace smc = wire::smc;

Result<u32> Mailbox::wait_for_possession(const char* on_timeout) const {
  const u64 deadline = shim_now_ms() + kTimeoutMs;
  for (;;) {
    // The clock is read first: a thread that slept too long still looks at the mailbox once more.
    const bool late = shim_now_ms() > deadline;
    const u32 header = read(smc::kHeaderWord);
    if (header == wire::reg::kAllOnes) {  // D-8; we never ask for reset_vf
      diagnosis_->set("the mailbox reads all ones: the device is gone or in reset");
      return Errno::kNoDevice;
    }
    if (!smc::OwnerIsDevice::get(header))
      return header;
    if (late) {  // D-9
      diagnosis_->set(on_timeout, kTimeoutMs);
      return Errno::kTimedOut;
    }
    shim_sleep_ms(1);
  }
}

Result<void> Mailbox::check_response(u32 request, u32 response) const {
  if (!smc::IsResponse::get(response) ||
      smc::MessageType::get(response) != smc::MessageType::get(request) ||
      smc::Version::get(response) > smc::Version::get(request)) {
    diagnosis_->set("the mailbox answered with an unexpected header,", response);
    return Errno::kProtocol;
  }
  if (smc::Status::get(response) != 0) {
    diagnosis_->set("the mailbox request was refused with status", smc::Status::get(response));
    return Errno::kIo;
  }
  return {};
}

Result<void> Mailbox::establish_hwc(const wire::EstablishHwc& rings) {
  u32 words[smc::kWords];
  rings.encode(words);

  // D-5: possession first, the trigger word last. MMIO writes stay in program order.
  TRY(wait_for_possession("the device never released the mailbox, ms waited:"));
  for (u32 word = 0; word < smc::kWords; word++)
    write(word, words[word]);
  const u32 response = TRY(wait_for_possession("the mailbox never answered, ms waited:"));
  return check_response(words[smc::kHeaderWord], response);
}

Result<void> Mailbox::destroy_hwc() {
  const u32 request = smc::request_header(smc::Type::kDestroyHwc, smc::kDestroyVersion);

  TRY(wait_for_possession("the device never released the mailbox, ms waited:"));
  write(smc::kHeaderWord, request);
  const u32 response = TRY(wait_for_possession("the mailbox never answered, ms waited:"));
  return check_response(request, response);
}

}  // namespace mana::hwc
