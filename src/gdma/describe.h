// SPDX-License-Identifier: GPL-2.0
// Rings as text. What is read may change meanwhile: the numbers are of about now.
#pragma once

#include "gdma/entry_ring.h"
#include "gdma/work_ring.h"
#include "kern/text.h"

namespace mana::gdma {

// The ring's memory at `index`, in words of the device: nothing is concluded from them.
template <u32 kDwords>
inline void describe_slot(const kern::Text& text, const kern::DmaCoherent& memory, u32 index) {
  const u32* from = reinterpret_cast<const u32*>(memory.data()) + index * kDwords;
  u32 dwords[kDwords];
  for (u32 i = 0; i < kDwords; i++)
    dwords[i] = kern::read_once(from[i]);
  text.dwords(index, {dwords, kDwords});
}

inline void describe(const kern::Text& text, const WorkRing& ring, u32 rung) {
  text.number("units", ring.units());
  text.number("producer", ring.producer());
  text.number("rung", rung);
  text.number("consumer", ring.consumer());
  text.number("used", ring.used());
}

// The oldest WQEs that the device still has, and the newest that were posted.
inline void describe_words(const kern::Text& text, const WorkRing& ring) {
  constexpr u32 kShown = 4;
  constexpr u32 kDwords = wire::kBasicUnit / sizeof(u32);
  {
    const kern::Text::Group group{text, "at consumer"};
    for (u32 i = 0; i < kShown; i++)
      describe_slot<kDwords>(text, ring.memory(), ring.index_of(ring.consumer() + i));
  }
  const kern::Text::Group group{text, "before producer"};
  for (u32 i = kShown; i > 0; i--)
    describe_slot<kDwords>(text, ring.memory(), ring.index_of(ring.producer() - i));
}

template <typename Entry>
inline void describe(const kern::Text& text, const EntryRing<Entry>& ring) {
  text.number("entries", ring.entries());
  text.number("head", ring.head());
  switch (ring.state()) {
    case SlotState::kEmpty: text.word("next", "empty"); break;
    case SlotState::kReady: text.word("next", "ready"); break;
    case SlotState::kOverrun: text.word("next", "overrun"); break;
  }
  text.yes_no("armed", !ring.moved_since_arming());
}

template <typename Entry>
inline void describe_words(const kern::Text& text, const EntryRing<Entry>& ring) {
  constexpr u32 kBefore = 2;
  constexpr u32 kShown = 6;
  constexpr u32 kStep = 8;  // dwords that fit a line
  constexpr u32 kDwords = Entry::kSize / sizeof(u32);
  const kern::Text::Group group{text, "around head"};
  for (u32 i = 0; i < kShown; i++) {
    const u32 index = (ring.head() - kBefore + i) & (ring.entries() - 1);
    if constexpr (kDwords <= kStep)
      describe_slot<kDwords>(text, ring.memory(), index);
    else
      for (u32 part = 0; part < kDwords / kStep; part++)
        describe_slot<kStep>(text, ring.memory(), index * (kDwords / kStep) + part);
  }
}

}  // namespace mana::gdma
