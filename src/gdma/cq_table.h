// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "kern/atomic.h"
#include "kern/memory.h"
#include "shim/napi.h"

namespace mana::gdma {

// Who wants to know about the events of one CQ: the NAPI that polls it.
struct CqListener {
  static constexpr u32 kNone = ~0u;

  u32 cq_id = kNone;
  napi_struct* napi = nullptr;
  // There was an event since the CQ was armed last, so it is not armed any more. Set by interrupts,
  // cleared by the NAPI just before it arms.
  bool fired = false;
};

// Finds the listener of a completion event. Looked up in hard interrupts without a lock; changed
// under the ports' lock. After unpublish() the caller waits for running interrupt handlers before
// it frees the listener (D-64).
class CqTable {
 public:
  // `size`: exclusive bound of all CQ ids, as the device announced it and as the caller clamped it.
  static Result<CqTable> create(u32 size, int node) {
    return CqTable{TRY(kern::Array<kern::Atomic<CqListener*>>::create(size, node))};
  }
  CqTable() = default;

  // kRange: the id is out of bounds; kBusy: another queue has it (D-47).
  Result<void> publish(CqListener& listener) {
    if (listener.cq_id >= slots_.size())
      return Errno::kRange;
    if (slots_[listener.cq_id].load())
      return Errno::kBusy;
    slots_[listener.cq_id].store_release(&listener);
    return {};
  }

  void unpublish(CqListener& listener) {
    if (listener.cq_id < slots_.size() && slots_[listener.cq_id].load() == &listener)
      slots_[listener.cq_id].store(nullptr);
    listener.cq_id = CqListener::kNone;
  }

  // The NAPIs that the events of one interrupt wake: each is scheduled once, though both CQs of a
  // channel have news, and not before the last of its events in a row was noted. A poll that began
  // earlier could end without having seen it.
  class Wakeups : NonCopyable {
   public:
    Wakeups() = default;
    ~Wakeups() {
      if (waiting_)
        shim_napi_schedule_irq(waiting_);
    }

   private:
    friend class CqTable;

    void add(napi_struct* napi) {
      if (waiting_ && waiting_ != napi)
        shim_napi_schedule_irq(waiting_);
      waiting_ = napi;
    }

    napi_struct* waiting_ = nullptr;
  };

  // There is news of a CQ: its NAPI will be scheduled. False if no such CQ is known (D-38).
  bool notify(u32 cq_id, Wakeups& wakeups) const {
    if (cq_id >= slots_.size())
      return false;
    CqListener* listener = slots_[cq_id].load_acquire();
    if (!listener || listener->cq_id != cq_id)
      return false;
    kern::write_once(listener->fired, true);
    wakeups.add(listener->napi);
    return true;
  }

 private:
  explicit CqTable(kern::Array<kern::Atomic<CqListener*>> slots) : slots_{mana::move(slots)} {}

  kern::Array<kern::Atomic<CqListener*>> slots_;
};

}  // namespace mana::gdma
