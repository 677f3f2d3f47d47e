// SPDX-License-Identifier: GPL-2.0
// A device that is nothing but registers: they keep what is written, and the last accesses are
// remembered.
#pragma once

#include "kunit/harness/function.h"
#include "wire/registers.h"

namespace mana::kunit {

class RegisterFile final : public BusDevice {
 public:
  struct Access {
    u64 offset;
    u64 value;
    u32 size;
    bool is_write;
  };

  // Registers that a driver accepts: doorbell pages from 0x1000 on, the mailbox behind the map.
  explicit RegisterFile(u64 bar_bytes = 0x4000) : bar_bytes_{bar_bytes} {
    poke(wire::reg::kVersion, 0x01000001);
    poke(wire::reg::kDoorbellOffset, 0x1000);
    poke(wire::reg::kDoorbellSize, 0x1000);
    poke(wire::reg::kSmcOffset, wire::reg::kMapSize);
    poke(wire::reg::kSmcSize, 32);
  }

  u64 read(u64 offset, u32 size) override {
    u64 value = 0;
    if (offset + size <= sizeof(bytes_))
      __builtin_memcpy(&value, bytes_ + offset, size);
    note({offset, value, size, false});
    return value;
  }
  void write(u64 offset, u64 value, u32 size) override {
    if (offset + size <= sizeof(bytes_))
      __builtin_memcpy(bytes_ + offset, &value, size);
    note({offset, value, size, true});
  }
  u64 bar_bytes() const override { return bar_bytes_; }

  // All 64 bits from `offset` on; behind what a narrow register needs there is nothing else.
  void poke(u64 offset, u64 value) { __builtin_memcpy(bytes_ + offset, &value, sizeof(value)); }

  u32 count() const { return count_; }
  // The n-th access since creation, of the last kRemembered.
  const Access& access(u32 n) const { return accesses_[n % kRemembered]; }

 private:
  static constexpr u32 kRemembered = 8;

  void note(const Access& access) { accesses_[count_++ % kRemembered] = access; }

  u64 bar_bytes_;
  alignas(8) u8 bytes_[0x40] = {};
  Access accesses_[kRemembered] = {};
  u32 count_ = 0;
};

}  // namespace mana::kunit
