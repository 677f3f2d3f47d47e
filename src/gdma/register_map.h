// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "gdma/doorbell.h"
#include "kern/pci.h"
#include "wire/registers.h"

namespace mana::gdma {

// Where mailbox and doorbell pages are in BAR 0, as the registers say and as checked (D-2 to D-4).
class RegisterMap {
 public:
  // kNoDevice: the registers read all ones. kProtocol: they do not make sense; *reason, which is a
  // literal, says why in both cases.
  static Result<RegisterMap> read(const kern::Bar& bar, const char** reason);

  u64 mailbox_offset() const { return mailbox_offset_; }
  u32 version() const { return version_; }

  // What the registers say now, for people: the bytes of BAR 0 from 0 on, with zeros where there is
  // no register. Never reads mailbox or doorbells.
  static constexpr u32 kImageWords = wire::reg::kMapSize / sizeof(u32);
  void image(u32 (&words)[kImageWords]) const;

  // Whether they still say what was checked.
  bool unchanged() const;

  // kRange if the page is not wholly inside BAR 0 (D-4).
  Result<DoorbellPage> doorbell_page(u32 id) const;

  // The same map over a BAR object that moved.
  RegisterMap moved_to(const kern::Bar& bar) const {
    RegisterMap map = *this;
    map.bar_ = &bar;
    return map;
  }

  // True if the function does not answer any more (surprise removal, or a reset under way).
  bool device_gone() const;

 private:
  RegisterMap(const kern::Bar& bar, u32 version, u64 doorbell_offset, u32 page_bytes, u64 mailbox)
      : bar_{&bar},
        doorbell_offset_{doorbell_offset},
        mailbox_offset_{mailbox},
        version_{version},
        doorbell_page_bytes_{page_bytes} {}

  const kern::Bar* bar_;
  u64 doorbell_offset_;
  u64 mailbox_offset_;
  u32 version_;
  u32 doorbell_page_bytes_;
};

}  // namespace mana::gdma
