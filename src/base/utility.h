// SPDX-License-Identifier: GPL-2.0
// The few pieces of <utility> and <algorithm> that a freestanding kernel module needs.
#pragma once

#include "base/types.h"

#include <type_traits>

namespace mana {

template <typename T>
constexpr std::remove_reference_t<T>&& move(T&& value) noexcept {
  return static_cast<std::remove_reference_t<T>&&>(value);
}

template <typename T>
constexpr T&& forward(std::remove_reference_t<T>& value) noexcept {
  return static_cast<T&&>(value);
}

template <typename T, typename U = T>
constexpr T exchange(T& slot, U&& value) {
  T old = move(slot);
  slot = forward<U>(value);
  return old;
}

template <typename T>
constexpr void swap(T& a, T& b) {
  T old = move(a);
  a = move(b);
  b = move(old);
}

template <typename T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}

template <typename T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

template <typename T>
constexpr T clamp(T value, T low, T high) {
  return min(max(value, low), high);
}

template <typename T>
constexpr bool is_power_of_two(T value) {
  return value != 0 && (value & (value - 1)) == 0;
}

// The smallest power of two that is not below `value`; 1 for 0. `value` is at most 2^31.
constexpr u32 round_up_power_of_two(u32 value) {
  return value <= 1 ? 1 : 1u << (32 - __builtin_clz(value - 1));
}

// `alignment` is a power of two.
template <typename T>
constexpr T align_up(T value, T alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

template <typename T>
constexpr T divide_round_up(T value, T divisor) {
  return (value + divisor - 1) / divisor;
}

// floor(log2(value)) for value > 0.
constexpr u32 log2_floor(u32 value) { return 31 - __builtin_clz(value); }

// Copies or clears `length` bytes. The compiler turns constant sizes into plain moves.
inline void copy_bytes(void* to, const void* from, size_t length) {
  __builtin_memcpy(to, from, length);
}
inline void clear_bytes(void* to, size_t length) { __builtin_memset(to, 0, length); }

class NonCopyable {
 public:
  NonCopyable(const NonCopyable&) = delete;
  NonCopyable& operator=(const NonCopyable&) = delete;

 protected:
  NonCopyable() = default;
  ~NonCopyable() = default;
};

}  // namespace mana
