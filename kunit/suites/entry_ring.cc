// SPDX-License-Identifier: GPL-2.0
// src/gdma/entry_ring.h
#include "gdma/entry_ring.h"

#include <initializer_list>

#include "kunit/harness/register_file.h"
#include "kunit/shim/faults.h"

namespace mana::kunit {
namespace {

using gdma::CompletionRing;
using gdma::EventRing;
using gdma::SlotState;
using wire::OwnerBits;

constexpr u32 kLaps = 8;

struct Bus {
  RegisterFile registers;
  Function function{registers};
};

template <typename Entry>
Entry& slot(const gdma::EntryRing<Entry>& ring, u32 index) {
  return reinterpret_cast<Entry*>(ring.memory().data())[index % ring.entries()];
}

// --- D-26 ---

template <typename Ring, typename Entry>
void check_sizes(Bus& bus) {
  constexpr u32 kLeast = 4096 / Entry::kSize;
  for (u32 power = 1; power <= 4096; power *= 2) {
    for (const u32 entries : {power - 1, power, power + 1}) {
      auto ring = Ring::create(bus.function.dev(), entries);
      ASSERT(ring);
      EXPECT(is_power_of_two(ring->entries()));
      EXPECT_EQ(ring->entries(), max(round_up_power_of_two(entries), kLeast));
      EXPECT_EQ(ring->memory().bytes(), ring->entries() * Entry::kSize);
      EXPECT_EQ(ring->memory().address() % wire::kPageSize, 0u);
    }
  }
}

CASE(D26_sizes_of_completion_rings) {
  Bus bus;
  check_sizes<CompletionRing, wire::Cqe>(bus);
}

CASE(D26_sizes_of_event_rings) {
  Bus bus;
  check_sizes<EventRing, wire::Eqe>(bus);
}

CASE(no_memory_is_an_error) {
  Bus bus;
  kunit_fail_allocation(1);
  auto ring = CompletionRing::create(bus.function.dev(), 64);
  EXPECT_EQ(kunit_fail_allocation_left(), 0u);
  ASSERT(!ring);
  EXPECT_EQ(ring.error(), Errno::kNoMemory);
  EXPECT_EQ(kunit_dma_coherent(bus.function.get()), 0u);
}

// --- D-27 ---

CASE(D27_zeroed_memory_is_empty_and_the_first_lap_is_1) {
  Bus bus;
  {
    auto used = EventRing::create(bus.function.dev(), 256);
    ASSERT(used);
    __builtin_memset(used->memory().data(), 0xFF, used->memory().bytes());
  }
  auto ring = EventRing::create(bus.function.dev(), 256);
  ASSERT(ring);
  for (u32 i = 0; i < 256; i++) {
    EXPECT_EQ(ring->doorbell_index(), 256 + i);
    EXPECT_EQ(ring->state(), SlotState::kEmpty);
    slot(*ring, i).trailer = OwnerBits::put(1);
    EXPECT_EQ(ring->state(), SlotState::kReady);
    ring->pop();
  }
}

// Appendix B.3, for all owner bits in all slots.
template <typename Entry>
void check_laps(Bus& bus, u32 entries) {
  auto ring = gdma::EntryRing<Entry>::create(bus.function.dev(), entries);
  ASSERT(ring);
  ASSERT_EQ(ring->entries(), entries);
  for (u32 h = entries; h < entries * 17; h++) {
    Entry& next = slot(*ring, h);
    const u32 lap = h / entries % kLaps;
    for (u32 owner = 0; owner < kLaps; owner++) {
      next.trailer = OwnerBits::put(owner);
      const SlotState expected = owner == lap                 ? SlotState::kReady
                                 : (owner + 1) % kLaps == lap ? SlotState::kEmpty
                                                              : SlotState::kOverrun;
      if (ring->state() != expected) {
        FAIL("H is %u, owner bits are %u: the state is %d", h, owner,
             static_cast<int>(ring->state()));
        return;
      }
    }
    next.trailer = OwnerBits::put(lap);
    EXPECT_EQ(&ring->front(), &next);
    ring->pop();
  }
}

CASE(D27_owner_bits_of_completions_over_16_laps) {
  Bus bus;
  check_laps<wire::Cqe>(bus, 64);
  check_laps<wire::Cqe>(bus, 512);
}

CASE(D27_owner_bits_of_events_over_16_laps) {
  Bus bus;
  check_laps<wire::Eqe>(bus, 256);
}

// Written out once by hand, so that the rule above cannot be wrong twice.
CASE(D27_examples_of_B3) {
  Bus bus;
  auto ring = CompletionRing::create(bus.function.dev(), 64);
  ASSERT(ring);
  const auto state_with = [&](u32 owner) {
    slot(*ring, 0).trailer = owner << 29;
    return ring->state();
  };
  EXPECT_EQ(state_with(0), SlotState::kEmpty);  // H = 64
  EXPECT_EQ(state_with(1), SlotState::kReady);
  EXPECT_EQ(state_with(2), SlotState::kOverrun);
  EXPECT_EQ(state_with(7), SlotState::kOverrun);
  for (u32 i = 0; i < 448; i++)
    ring->pop();
  EXPECT_EQ(state_with(7), SlotState::kEmpty);  // H = 512
  EXPECT_EQ(state_with(0), SlotState::kReady);
  EXPECT_EQ(state_with(1), SlotState::kOverrun);
  EXPECT_EQ(state_with(6), SlotState::kOverrun);
}

// --- D-28 ---

CASE(D28_only_the_owner_bits_decide) {
  Bus bus;
  auto ring = CompletionRing::create(bus.function.dev(), 64);
  ASSERT(ring);
  wire::Cqe& first = slot(*ring, 0);
  for (u32 i = 0; i < 15; i++)
    first.data[i] = ~0u;
  for (u32 bit = 0; bit < 29; bit++) {
    first.trailer = 1u << bit;
    EXPECT_EQ(ring->state(), SlotState::kEmpty);
    first.trailer |= OwnerBits::put(1);
    EXPECT_EQ(ring->state(), SlotState::kReady);
  }
  first.trailer = ~OwnerBits::kMask;
  EXPECT_EQ(ring->state(), SlotState::kEmpty);
}

// An entry is there when its last byte is, as the device writes it.
CASE(D28_the_last_byte_makes_an_entry) {
  Bus bus;
  auto ring = EventRing::create(bus.function.dev(), 256);
  ASSERT(ring);
  wire::Eqe event{};
  event.data[0] = 0x11223344;
  event.trailer = OwnerBits::put(1) | 3;
  u8* const at = ring->memory().data();
  for (u32 i = 0; i < sizeof(event); i++) {
    EXPECT_EQ(ring->state(), SlotState::kEmpty);
    at[i] = reinterpret_cast<const u8*>(&event)[i];
  }
  EXPECT_EQ(ring->state(), SlotState::kReady);
  EXPECT_EQ(ring->front().data[0], 0x11223344u);
}

CASE(D28_looking_consumes_nothing) {
  Bus bus;
  auto ring = EventRing::create(bus.function.dev(), 256);
  ASSERT(ring);
  slot(*ring, 0).trailer = OwnerBits::put(1);
  for (u32 i = 0; i < 10; i++) {
    EXPECT_EQ(ring->state(), SlotState::kReady);
    EXPECT_EQ(&ring->front(), &slot(*ring, 0));
    EXPECT_EQ(ring->doorbell_index(), 256u);
  }
  EXPECT_EQ(slot(*ring, 0).trailer, OwnerBits::put(1));  // nor does the driver ever write here
  ring->pop();
  EXPECT_EQ(ring->doorbell_index(), 257u);
  EXPECT_EQ(ring->state(), SlotState::kEmpty);
}

// --- D-31 ---

CASE(D31_index_is_modulo_8_laps) {
  Bus bus;
  auto cq = CompletionRing::create(bus.function.dev(), 64);
  auto eq = EventRing::create(bus.function.dev(), 256);
  ASSERT(cq);
  ASSERT(eq);
  for (u32 h = 0; h < 256 * 17; h++) {
    EXPECT_EQ(cq->doorbell_index(), (64 + h) % 512);
    EXPECT_EQ(eq->doorbell_index(), (256 + h) % 2048);
    cq->pop();
    eq->pop();
  }
}

CASE(D31_acknowledgement_is_due_after_4_laps) {
  Bus bus;
  for (const u32 entries : {64u, 128u, 1024u}) {
    auto ring = CompletionRing::create(bus.function.dev(), entries);
    ASSERT(ring);
    for (u32 round = 0; round < 5; round++) {
      for (u32 i = 0; i < 4 * entries; i++) {
        EXPECT(!ring->acknowledgement_due());
        ring->pop();
      }
      EXPECT(ring->acknowledgement_due());
      ring->pop();
      EXPECT(ring->acknowledgement_due());  // until it is done
      ring->acknowledge();
    }
  }
}

CASE(D31_any_acknowledgement_counts) {
  Bus bus;
  auto ring = CompletionRing::create(bus.function.dev(), 64);
  ASSERT(ring);
  for (u32 i = 0; i < 2'000; i++) {
    ring->pop();
    EXPECT(!ring->acknowledgement_due());
    if (i % 200 == 0)
      ring->acknowledge();
  }
}

// H runs freely, through the end of 32 bits too. Nobody has the time to go there, so the index is
// set, where pop() shows it to be.
CASE(D31_index_wraps_at_32_bits) {
  Bus bus;
  auto ring = CompletionRing::create(bus.function.dev(), 64);
  ASSERT(ring);
  constexpr u32 kWords = sizeof(CompletionRing) / sizeof(u32);
  u32* const words = reinterpret_cast<u32*>(&ring.value());
  u32 before[kWords];
  __builtin_memcpy(before, words, sizeof(before));
  ring->pop();
  u32* index = nullptr;
  for (u32 i = 0; i < kWords; i++)
    if (words[i] != before[i])
      index = &words[i];
  ASSERT(index);
  ASSERT_EQ(*index, 65u);

  const u32 start = 0u - 700;
  *index = start;
  ring->acknowledge();
  u32 acknowledgements = 0;
  for (u32 i = 0; i < 1'400; i++) {
    const u32 h = start + i;
    const u32 lap = h / 64 % kLaps;
    slot(*ring, h).trailer = OwnerBits::put(lap + 7);
    EXPECT_EQ(ring->state(), SlotState::kEmpty);
    slot(*ring, h).trailer = OwnerBits::put(lap);
    EXPECT_EQ(ring->state(), SlotState::kReady);
    EXPECT_EQ(ring->doorbell_index(), h % 512);
    if (ring->acknowledgement_due()) {
      ring->acknowledge();
      acknowledgements++;
    }
    ring->pop();
  }
  EXPECT_EQ(acknowledgements, 1'399u / 256);
}

// --- D-39 ---

// The device writes lap after lap and nobody looks: any number of laps but one is noticed; 8 look
// like none, which is why it must hear of us before that.
CASE(D39_a_device_that_laps_us_is_noticed) {
  Bus bus;
  for (u32 ahead = 0; ahead <= 2 * kLaps; ahead++) {
    auto ring = CompletionRing::create(bus.function.dev(), 64);
    ASSERT(ring);
    for (u32 i = 0; i < 64; i++)
      slot(*ring, i).trailer = OwnerBits::put(ahead);
    EXPECT_EQ(ring->state(), ahead % kLaps == 0   ? SlotState::kEmpty
                             : ahead % kLaps == 1 ? SlotState::kReady
                                                  : SlotState::kOverrun);
  }
}

CASE(D39_overrun_stays_until_reset) {
  Bus bus;
  auto ring = EventRing::create(bus.function.dev(), 256);
  ASSERT(ring);
  slot(*ring, 0).trailer = OwnerBits::put(3);
  const u32 index = ring->doorbell_index();
  for (u32 i = 0; i < 100; i++)
    EXPECT_EQ(ring->state(), SlotState::kOverrun);
  EXPECT_EQ(ring->doorbell_index(), index);
  ring->reset();
  EXPECT_EQ(ring->state(), SlotState::kEmpty);
}

CASE(D39_reset_makes_it_new) {
  Bus bus;
  auto ring = EventRing::create(bus.function.dev(), 256);
  ASSERT(ring);
  const u64 address = ring->memory().address();
  for (u32 i = 0; i < 1'500; i++)
    ring->pop();
  __builtin_memset(ring->memory().data(), 0xFF, ring->memory().bytes());
  EXPECT(ring->acknowledgement_due());
  ring->reset();
  EXPECT_EQ(ring->doorbell_index(), 256u);
  EXPECT(!ring->acknowledgement_due());
  EXPECT_EQ(ring->memory().address(), address);
  for (u32 i = 0; i < 256; i++) {
    EXPECT_EQ(ring->state(), SlotState::kEmpty);
    ring->pop();
  }
}

CASE(D11_memory_can_be_taken_out) {
  Bus bus;
  kern::DmaCoherent memory;
  {
    auto ring = EventRing::create(bus.function.dev(), 256);
    ASSERT(ring);
    memory = ring->take_memory();
    EXPECT(!ring->memory());
  }
  ASSERT(memory);
  EXPECT_EQ(kunit_dma_coherent(bus.function.get()), 1u);
}

constexpr mana_case kCases[] = {
    LIST(D26_sizes_of_completion_rings),
    LIST(D26_sizes_of_event_rings),
    LIST(no_memory_is_an_error),
    LIST(D27_zeroed_memory_is_empty_and_the_first_lap_is_1),
    LIST(D27_owner_bits_of_completions_over_16_laps),
    LIST(D27_owner_bits_of_events_over_16_laps),
    LIST(D27_examples_of_B3),
    LIST(D28_only_the_owner_bits_decide),
    LIST(D28_the_last_byte_makes_an_entry),
    LIST(D28_looking_consumes_nothing),
    LIST(D31_index_is_modulo_8_laps),
    LIST(D31_acknowledgement_is_due_after_4_laps),
    LIST(D31_any_acknowledgement_counts),
    LIST(D31_index_wraps_at_32_bits),
    LIST(D39_a_device_that_laps_us_is_noticed),
    LIST(D39_overrun_stays_until_reset),
    LIST(D39_reset_makes_it_new),
    LIST(D11_memory_can_be_taken_out),
};

}  // namespace

MANA_SUITE(entry_ring, kCases)

}  // namespace mana::kunit
