// SPDX-License-Identifier: GPL-2.0
// Shared variables, by who may write them.
#pragma once

#include "base/types.h"

namespace mana::kern {

// Reads memory that the device (or another CPU) may change at any moment exactly once: the
// compiler may neither repeat nor tear the access.
template <typename T>
inline T read_once(const T& location) {
  return *static_cast<const volatile T*>(&location);
}

template <typename T>
inline void write_once(T& location, T value) {
  *static_cast<volatile T*>(&location) = value;
}

// A variable with several readers and writers.
template <typename T>
class Atomic {
 public:
  constexpr Atomic(T value = T{}) : value_{value} {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  T load_acquire() const { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
  void store(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
  void store_release(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
  T exchange(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_ACQ_REL); }
  T fetch_or(T bits) { return __atomic_fetch_or(&value_, bits, __ATOMIC_ACQ_REL); }
  T fetch_and(T bits) { return __atomic_fetch_and(&value_, bits, __ATOMIC_ACQ_REL); }

 private:
  T value_;
};

// A statistic with one writer at a time and readers that never lock. Needs 64-bit stores that do
// not tear, which every supported architecture has.
class Counter {
 public:
  void add(u64 amount) {
    __atomic_store_n(&value_, __atomic_load_n(&value_, __ATOMIC_RELAXED) + amount,
                     __ATOMIC_RELAXED);
  }
  void increment() { add(1); }
  u64 get() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

 private:
  u64 value_ = 0;
};
static_assert(sizeof(long) == 8, "32-bit kernels are not supported");

}  // namespace mana::kern
