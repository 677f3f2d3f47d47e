// SPDX-License-Identifier: GPL-2.0
#include "gdma/register_map.h"

#include "wire/mailbox.h"
#include "wire/registers.h"

namespace mana::gdma {

namespace reg = wire::reg;

Result<RegisterMap> RegisterMap::read(const kern::Bar& bar, const char** reason) {
  if (bar.size() < reg::kMapSize) {
    *reason = "BAR 0 is too small for the register map";
    return Errno::kProtocol;
  }
  const u32 version = bar.read32(reg::kVersion);
  if (version == reg::kAllOnes) {  // D-2
    *reason = "the registers read all ones: the device is gone or in reset";
    return Errno::kNoDevice;
  }
  const u64 doorbells = bar.read64(reg::kDoorbellOffset);
  const u32 page_bytes = reg::DoorbellPageSize::get(bar.read32(reg::kDoorbellSize));
  const u64 mailbox = bar.read64(reg::kSmcOffset);
  const u32 mailbox_bytes = reg::MailboxSize::get(bar.read32(reg::kSmcSize));

  // D-3. Subtractions cannot wrap: each is guarded by the comparison before it.
  if (page_bytes < wire::doorbell::kMinPageSize || !is_power_of_two(page_bytes))
    *reason = "the doorbell page size is not a power of two of at least 4096 bytes";
  else if (doorbells % sizeof(u64) || doorbells > bar.size() || bar.size() - doorbells < page_bytes)
    *reason = "the doorbell pages are not inside BAR 0";
  else if (mailbox_bytes != wire::smc::kBytes)
    *reason = "the mailbox is not 32 bytes long";
  else if (mailbox % sizeof(u32) || mailbox > bar.size() ||
           bar.size() - mailbox < wire::smc::kBytes)
    *reason = "the mailbox is misaligned or not inside BAR 0";
  else
    return RegisterMap{bar, version, doorbells, page_bytes, mailbox};
  return Errno::kProtocol;
}

Result<DoorbellPage> RegisterMap::doorbell_page(u32 id) const {
  // The zone starts inside the BAR, so this division bounds the id before anything can overflow.
  if (id >= (bar_->size() - doorbell_offset_) / doorbell_page_bytes_)
    return Errno::kRange;
  return DoorbellPage{bar_->at(doorbell_offset_ + u64{doorbell_page_bytes_} * id), id};
}

void RegisterMap::image(u32 (&words)[kImageWords]) const {
  clear_bytes(words, sizeof(words));
  constexpr u32 kNarrow[] = {reg::kVersion, reg::kDoorbellSize, reg::kSmcSize};
  constexpr u32 kWide[] = {reg::kDoorbellOffset, reg::kSmcOffset};
  for (u32 offset : kNarrow)
    words[offset / sizeof(u32)] = bar_->read32(offset);
  for (u32 offset : kWide) {
    const u64 value = bar_->read64(offset);
    words[offset / sizeof(u32)] = static_cast<u32>(value);
    words[offset / sizeof(u32) + 1] = static_cast<u32>(value >> 32);
  }
}

bool RegisterMap::unchanged() const {
  const char* reason = "";
  const auto now = read(*bar_, &reason);
  return now && now.value().version_ == version_ &&
         now.value().doorbell_offset_ == doorbell_offset_ &&
         now.value().doorbell_page_bytes_ == doorbell_page_bytes_ &&
         now.value().mailbox_offset_ == mailbox_offset_;
}

bool RegisterMap::device_gone() const { return bar_->read32(reg::kVersion) == reg::kAllOnes; }

}  // namespace mana::gdma
