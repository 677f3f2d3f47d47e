// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/utility.h"
#include "kern/memory.h"
#include "kern/sync.h"

namespace mana::hwc {

// Keeps what the device may still write to, because it did not confirm that a queue is gone, until
// the whole function is known to be stopped (D-11, D-65). What cannot be proven safe is leaked:
// losing memory is better than having the device overwrite somebody else's.
class Quarantine : NonCopyable {
 public:
  Quarantine() = default;
  ~Quarantine() { leak_all(); }

  // Takes any movable owner. Process context. Without memory for the book-keeping the object is
  // leaked at once.
  template <typename Owner>
  void hold(Owner&& owner) {
    static_assert(!std::is_reference_v<Owner>, "move the owner into the quarantine");
    using Held = Item<Owner>;
    auto item = kern::Box<Held>::create(kern::kAnyNode, mana::move(owner));
    kern::Mutex::Guard guard{lock_};
    count_++;
    if (!item)
      return leak(mana::move(owner));
    Held* held = item.value().release();
    held->next = first_;
    first_ = held;
  }

  u32 count() const { return count_; }

  // The device is stopped: everything is ours again.
  void release_all() {
    kern::Mutex::Guard guard{lock_};
    while (Header* item = first_) {
      first_ = item->next;
      item->destroy(item);
    }
    count_ = 0;
  }

 private:
  struct Header {
    Header* next = nullptr;
    void (*destroy)(Header*);
  };

  template <typename Owner>
  struct Item : Header {
    explicit Item(Owner&& object) : owner{mana::move(object)} {
      this->destroy = [](Header* header) {
        kern::Box<Item>::adopt(static_cast<Item*>(header));  // a temporary: destroyed here
      };
    }
    Owner owner;
  };

  template <typename Owner>
  static void leak(Owner&& owner) {
    // Moves the object to a place where its destructor never runs.
    alignas(Owner) u8 grave[sizeof(Owner)];
    ::new (static_cast<void*>(grave)) Owner(mana::move(owner));
  }

  void leak_all() { first_ = nullptr; }

  kern::Mutex lock_{SHIM_MUTEX_QUARANTINE};
  Header* first_ = nullptr;
  u32 count_ = 0;
};

}  // namespace mana::hwc
