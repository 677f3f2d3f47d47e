// SPDX-License-Identifier: GPL-2.0
// The producing side of a CQ or an EQ: owner bits, laps, arming (data sheet 5.4 and 5.5).
#pragma once

#include "model/ring_memory.h"
#include "wire/events.h"
#include "wire/work_queue.h"

namespace mana::model {

// What a CQ or EQ doorbell led to.
enum class ArmResult : u8 {
  kIgnored,   // the index is not one of this ring
  kDone,      // acknowledged, and armed or not
  kNotifyNow, // entries are pending: notify at once and stay unarmed (M-22)
};

template <typename Entry>
class EntryRing {
 public:
  EntryRing(const RingMemory& memory)
      : memory_{memory},
        entries_{memory.bytes() / Entry::kSize},
        produced_{entries_},
        acknowledged_{entries_} {}

  u32 entries() const { return entries_; }
  bool armed() const { return armed_; }
  bool overflowed() const { return overflowed_; }
  u64 lost() const { return lost_; }
  // Entries the driver has not acknowledged.
  u64 pending() const { return produced_ - acknowledged_; }

  // False if the entry was lost: the driver is 8 laps behind (M-31), or the memory is gone.
  // `skew` moves the owner bits ahead; it is a fault.
  bool post(const Host& host, Entry entry, u32 skew = 0) {
    if (pending() >= wire::kOwnerLaps * static_cast<u64>(entries_)) {
      overflowed_ = true;
      lost_++;
      return false;
    }
    // M-21: the first lap is 1, since the index starts at the number of entries.
    const u32 lap = static_cast<u32>(produced_ >> log2_floor(entries_)) + skew;
    entry.trailer = wire::OwnerBits::replace(entry.trailer, lap);
    const u32 position = static_cast<u32>((produced_ & (entries_ - 1)) * Entry::kSize);
    const u8* bytes = reinterpret_cast<const u8*>(&entry);
    // M-20: all other bytes first, then the byte with the owner bits, by itself.
    bool written = memory_.write(host, position, bytes, Entry::kSize - 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    written =
        written && memory_.write(host, position + Entry::kSize - 1, bytes + Entry::kSize - 1, 1);
    if (!written) {
      lost_++;
      return false;
    }
    produced_++;
    return true;
  }

  // An entry was posted: true if it must be announced. At most once for each arming (M-22, M-23).
  bool take_armed() { return exchange(armed_, false); }
  // After kNotifyNow, when the announcement is to wait.
  void stay_armed() { armed_ = true; }

  ArmResult doorbell(u32 index, bool arm) {
    // M-27: indices are modulo 8 laps; others do not exist (V3).
    const u64 span = static_cast<u64>(wire::kOwnerLaps) * entries_;
    if (index >= span)
      return ArmResult::kIgnored;
    const u64 distance = (produced_ - index) & (span - 1);
    acknowledged_ = produced_ - distance;
    if (!arm) {
      armed_ = false;
      return ArmResult::kDone;
    }
    if (distance == 0) {
      armed_ = true;  // M-24: nothing is pending, so nothing is announced
      return ArmResult::kDone;
    }
    if (distance > entries_)
      return ArmResult::kDone;  // overrun: no notification, the state stays as it is
    armed_ = false;
    return ArmResult::kNotifyNow;
  }

 private:
  RingMemory memory_;
  u32 entries_;
  bool armed_ = true;  // M-13, 5.5: created armed
  bool overflowed_ = false;
  u64 produced_;  // free-running, starts at one lap
  u64 acknowledged_;  // the driver's consumer index, as far as it told
  u64 lost_ = 0;
};

}  // namespace mana::model
