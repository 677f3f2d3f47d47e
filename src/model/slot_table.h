// SPDX-License-Identifier: GPL-2.0
// Ids for objects: a fixed number of slots, each empty or naming one object.
#pragma once

#include "base/utility.h"

namespace mana::model {

// Ids run from Base to Base + Capacity - 1. A freed id is given out again only after all others had
// their turn, so that a driver that uses a stale id is noticed. Ids never run out by reuse (M-7).
template <typename T, u32 Capacity, u32 Base = 0>
class SlotTable : NonCopyable {
 public:
  static constexpr u32 kCapacity = Capacity;
  static constexpr u32 kEnd = Base + Capacity;

  bool full() const { return count_ == Capacity; }
  u32 count() const { return count_; }

  // False if every slot is taken.
  bool insert(T* object, u32& id) {
    if (full())
      return false;
    while (slots_[next_] != nullptr)
      next_ = next_ + 1 == Capacity ? 0 : next_ + 1;
    slots_[next_] = object;
    id = Base + next_;
    next_ = next_ + 1 == Capacity ? 0 : next_ + 1;
    count_++;
    return true;
  }

  // Any id is allowed: null if it names nothing.
  T* find(u32 id) const {
    const u32 index = id - Base;
    return index < Capacity ? slots_[index] : nullptr;
  }

  T* remove(u32 id) {
    T* object = find(id);
    if (object) {
      slots_[id - Base] = nullptr;
      count_--;
    }
    return object;
  }

  // The first object for which `predicate` holds, or null.
  template <typename Predicate>
  T* find_if(Predicate predicate) const {
    for (u32 i = 0; count_ > 0 && i < Capacity; i++) {
      if (slots_[i] && predicate(*slots_[i]))
        return slots_[i];
    }
    return nullptr;
  }

  // Forgets which ids were used last; the table must be empty.
  void restart() { next_ = 0; }

 private:
  T* slots_[Capacity] = {};
  u32 next_ = 0;
  u32 count_ = 0;
};

}  // namespace mana::model
