// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/utility.h"

namespace mana {

// A view of `size` consecutive elements that somebody else owns.
template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_{data}, size_{size} {}
  template <size_t N>
  constexpr Span(T (&array)[N]) : data_{array}, size_{N} {}
  constexpr operator Span<const T>() const { return {data_, size_}; }

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](size_t index) const { return data_[index]; }

  // The part [offset, offset + length) as far as it exists.
  constexpr Span subspan(size_t offset, size_t length = ~size_t{0}) const {
    offset = min(offset, size_);
    return {data_ + offset, min(length, size_ - offset)};
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mana
