// SPDX-License-Identifier: GPL-2.0
// What queues have to do at a certain time.
#pragma once

#include "base/utility.h"

namespace mana::model {

// Belongs to an object that may wait, as its member `alarm`.
template <typename T>
struct Alarm {
  static constexpr u64 kNever = ~0ull;

  u64 at = kNever;  // of the host's clock; kNever: not set
  T* next = nullptr;

  bool set() const { return at != kNever; }
};

// All objects of one kind that wait. A few at a time, so a list does.
template <typename T>
class Alarms : NonCopyable {
 public:
  void set(T& object, u64 at) {
    cancel(object);
    object.alarm = {at, first_};
    first_ = &object;
  }

  void cancel(T& object) {
    if (!object.alarm.set())
      return;
    T** link = &first_;
    while (*link != &object)
      link = &(*link)->alarm.next;
    *link = object.alarm.next;
    object.alarm = {};
  }

  // One whose time has come, which waits no more; or null.
  T* take_due(u64 now) {
    for (T* object = first_; object; object = object->alarm.next) {
      if (object->alarm.at <= now) {
        cancel(*object);
        return object;
      }
    }
    return nullptr;
  }

  u64 earliest() const {
    u64 at = Alarm<T>::kNever;
    for (const T* object = first_; object; object = object->alarm.next)
      at = min(at, object->alarm.at);
    return at;
  }

  // The first for which `predicate` holds, or null; it goes on waiting.
  template <typename Predicate>
  T* find_if(Predicate predicate) const {
    for (T* object = first_; object; object = object->alarm.next) {
      if (predicate(*object))
        return object;
    }
    return nullptr;
  }

 private:
  T* first_ = nullptr;
};

}  // namespace mana::model
