// SPDX-License-Identifier: GPL-2.0
// Typed bit fields, written high:low as in the data sheet: Bits<31, 29> is [31:29].
#pragma once

#include "base/types.h"

namespace mana {

template <unsigned High, unsigned Low, typename Word = u32>
struct Bits {
  static_assert(High >= Low && High < sizeof(Word) * 8);

  static constexpr unsigned kWidth = High - Low + 1;
  static constexpr Word kMax = static_cast<Word>(~static_cast<Word>(0)) >>
                               (sizeof(Word) * 8 - kWidth);
  static constexpr Word kMask = static_cast<Word>(kMax << Low);

  static constexpr Word get(Word word) { return static_cast<Word>((word & kMask) >> Low); }

  // The field alone, in place. Bits of `value` that do not fit are cut off: check fits() first
  // where the value is not ours.
  static constexpr Word put(u64 value) { return static_cast<Word>((value & kMax) << Low); }

  static constexpr Word replace(Word word, u64 value) {
    return static_cast<Word>((word & ~kMask) | put(value));
  }

  static constexpr bool fits(u64 value) { return value <= kMax; }
};

template <unsigned Position, typename Word = u32>
using Bit = Bits<Position, Position, Word>;

}  // namespace mana
