// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "kern/atomic.h"
#include "kern/dma.h"
#include "shim/mmio.h"
#include "wire/work_queue.h"

namespace mana::gdma {

// What the owner bits of the next slot say.
enum class SlotState {
  kEmpty,
  kReady,
  kOverrun,  // the device lapped us: entries are lost, the queue must be recreated (D-39)
};

// The consumer's side of a CQ or an EQ. The index H runs freely from N, so the first lap is 1 and
// zeroed memory is empty (D-27); N is a power of two.
template <typename Entry>
class EntryRing {
 public:
  static_assert(sizeof(Entry) == Entry::kSize);

  // `entries` is rounded up to a power of two that fills at least 4096 bytes (D-26).
  static Result<EntryRing> create(::device* dev, u32 entries) {
    const u32 bytes = max(round_up_power_of_two(entries) * Entry::kSize, wire::kMinRingBytes);
    return EntryRing{TRY(kern::DmaCoherent::allocate_ring(dev, bytes))};
  }
  EntryRing() = default;

  const kern::DmaCoherent& memory() const { return memory_; }
  kern::DmaCoherent take_memory() { return mana::move(memory_); }
  u32 entries() const { return mask_ + 1; }

  // Back to the state after create(), for a queue that the device does not know any more.
  void reset() {
    memory_.clear();
    next_ = acknowledged_ = armed_at_ = entries();
  }

  SlotState state() const {
    const SlotState state = state_of(kern::read_once(slot().trailer), next_ >> shift_);
    // D-28: the rest of the entry was written before its owner bits; read it after them.
    if (state == SlotState::kReady)
      shim_dma_read_barrier();
    return state;
  }

  // What a trailer says about the slot that it was read from, in lap `lap`.
  static SlotState state_of(u32 trailer, u32 lap) {
    const u32 owner = wire::OwnerBits::get(trailer);
    if (owner == (lap & (wire::kOwnerLaps - 1)))
      return SlotState::kReady;
    return owner == ((lap - 1) & (wire::kOwnerLaps - 1)) ? SlotState::kEmpty : SlotState::kOverrun;
  }

  // The entry in the ring; only while state() is kReady. The device can rewrite it at any time:
  // read each word once, with read_once().
  const Entry& front() const { return slot(); }
  void pop(u32 entries = 1) { next_ += entries; }
  u32 position() const { return next_; }  // H
  u32 shift() const { return shift_; }  // log2 of entries()

  // Takes out up to `bound` entries and calls `function` with each and its last dword, which is
  // read already. What stopped it: kReady is the bound.
  template <typename Function>
  SlotState drain(u32 bound, const Function& function) {
    const Entry* const slots = reinterpret_cast<const Entry*>(memory_.data());
    const u32 mask = mask_;
    const u32 shift = shift_;
    u32 next = next_;
    SlotState state = SlotState::kReady;
    for (; bound > 0; bound--) {
      const Entry& entry = slots[next & mask];
      const u32 trailer = kern::read_once(entry.trailer);
      state = state_of(trailer, next >> shift);
      if (state != SlotState::kReady)
        break;
      shim_dma_read_barrier();  // D-28
      next++;
      function(entry, trailer);
    }
    next_ = next;
    return state;
  }

  u32 head() const { return next_; }
  // H modulo 8 laps, for the doorbell.
  u32 doorbell_index() const { return next_ & (entries() * wire::kOwnerLaps - 1); }
  void acknowledge() { acknowledged_ = next_; }

  // An armed queue notifies once, for the first entry after its arming. As long as none was taken
  // out since, and no event came, it is armed still and wants no doorbell.
  void arm() { acknowledged_ = armed_at_ = next_; }
  bool moved_since_arming() const { return next_ != armed_at_; }

  // D-31: the device wants to hear an index at least every 8 laps; we speak up after 4, armed or
  // not.
  bool acknowledgement_due() const { return next_ - acknowledged_ >= 4 * entries(); }

 private:
  explicit EntryRing(kern::DmaCoherent memory) : memory_{mana::move(memory)} {
    mask_ = memory_.bytes() / Entry::kSize - 1;
    shift_ = log2_floor(entries());
    next_ = acknowledged_ = armed_at_ = entries();
  }

  const Entry& slot() const {
    return reinterpret_cast<const Entry*>(memory_.data())[next_ & mask_];
  }

  kern::DmaCoherent memory_;
  u32 next_ = 0;  // H
  u32 mask_ = 0;
  u32 shift_ = 0;
  u32 acknowledged_ = 0;
  u32 armed_at_ = 0;
};

using CompletionRing = EntryRing<wire::Cqe>;
using EventRing = EntryRing<wire::Eqe>;

}  // namespace mana::gdma
