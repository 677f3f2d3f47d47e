// SPDX-License-Identifier: GPL-2.0
// src/gdma/work_ring.h
#include "gdma/work_ring.h"

#include <initializer_list>

#include "kern/memory.h"
#include "kunit/harness/register_file.h"
#include "kunit/shim/faults.h"

namespace mana::kunit {
namespace {

using gdma::WorkRing;
using wire::OobSize;

constexpr u32 kUnits = 128;  // the smallest ring
constexpr u32 kBytes = kUnits * wire::kBasicUnit;

// A function for the ring's memory to belong to.
struct Bus {
  RegisterFile registers;
  Function function{registers};

  Result<WorkRing> ring(u32 units = kUnits) { return WorkRing::create(function.dev(), units); }
};

// Moves both indices to `position`.
void move_to(WorkRing& ring, u32 position) {
  const u32 distance = position - ring.producer();
  ring.advance(distance);
  EXPECT(ring.retire(ring.used()));
  EXPECT_EQ(ring.producer(), position);
  EXPECT_EQ(ring.consumer(), position);
}

CASE(D26_sizes_are_powers_of_two_of_at_least_a_page) {
  Bus bus;
  for (u32 power = 1; power <= 16384; power *= 2) {
    for (const u32 units : {power - 1, power, power + 1}) {
      auto ring = bus.ring(units);
      ASSERT(ring);
      EXPECT(is_power_of_two(ring->units()));
      EXPECT_EQ(ring->units(), max(round_up_power_of_two(units), kUnits));
      EXPECT_EQ(ring->memory().bytes(), ring->units() * 32);
      EXPECT_GE(ring->memory().bytes(), 4096u);
    }
  }
}

CASE(D26_memory_is_page_aligned_and_zero) {
  Bus bus;
  {
    // Something for the next one to find.
    auto used = bus.ring(1024);
    ASSERT(used);
    __builtin_memset(used->memory().data(), 0xFF, used->memory().bytes());
  }
  auto ring = bus.ring(1024);
  ASSERT(ring);
  EXPECT_EQ(ring->memory().address() % wire::kPageSize, 0u);
  u32 set = 0;
  for (u32 i = 0; i < ring->memory().bytes(); i++)
    set += ring->memory().data()[i] != 0;
  EXPECT_EQ(set, 0u);
}

CASE(no_memory_is_an_error) {
  Bus bus;
  u32 n = 1;
  for (; n < 100; n++) {
    kunit_fail_allocation(n);
    auto ring = bus.ring();
    const bool failed = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    if (!failed)
      break;
    EXPECT(!ring || ring->memory());
    if (!ring)
      EXPECT_EQ(ring.error(), Errno::kNoMemory);
    EXPECT_EQ(kunit_dma_coherent(bus.function.get()), ring ? 1u : 0u);
  }
  EXPECT_GE(n, 2u);
  EXPECT_LE(n, 99u);
}

// Each WQE that can be, at each start: every byte of the ring is what it was, or the WQE's.
CASE(D34_sgl_wraps_for_every_start_and_number_of_sges) {
  Bus bus;
  auto ring = bus.ring();
  auto expected = kern::Array<u8>::create(kBytes, kern::kAnyNode);
  ASSERT(ring);
  ASSERT(expected);
  u8* const memory = ring->memory().data();
  u32 wqes = 0;
  for (const OobSize oob : {OobSize::k8, OobSize::k24, OobSize::k32}) {
    const u32 sgl = wire::sgl_offset(oob);
    const u32 most = wire::max_sges(wire::kMaxSqWqeBytes, oob);
    for (u32 count = 1; count <= most; count++) {
      for (u32 start = 0; start < kUnits; start++, wqes++) {
        for (u32 i = 0; i < count; i++) {
          const wire::Sge sge{.address = 0xABCD'0000'0000ull + start * 64 + i,
                              .memory_key = 0x99000000 + count,
                              .size = 1 + wqes};
          ring->write_sge(start, sgl, i, sge.address, sge.memory_key, sge.size);
          copy_bytes(&(*expected)[(start * 32 + sgl + i * 16) % kBytes], &sge, sizeof(sge));
        }
        if (__builtin_memcmp(memory, expected->data(), kBytes) != 0) {
          FAIL("start %u, OOB %u, %u SGEs", start, wire::oob_bytes(oob), count);
          return;
        }
      }
    }
  }
  EXPECT_EQ(wqes, (31u + 30u + 29u) * kUnits);
}

CASE(D34_header_and_oob_are_in_one_piece_everywhere) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  for (u32 position = 0; position < 3 * kUnits; position++)
    for (u32 offset = 0; offset < 32; offset += 4)
      EXPECT_EQ(ring->at(position, offset),
                ring->memory().data() + position % kUnits * 32 + offset);
}

// Full and empty have the same place in the ring, and are told apart.
CASE(D34_room_for_every_start_and_fill) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  for (u32 start = 0; start < kUnits; start++) {
    for (u32 fill = 0; fill <= kUnits; fill++) {
      ring->reset();
      move_to(*ring, start);
      ring->advance(fill);
      EXPECT_EQ(ring->used(), fill);
      EXPECT_EQ(ring->available(), kUnits - fill);
      EXPECT_EQ(ring->index_of(ring->producer()), (start + fill) % kUnits);
      EXPECT_EQ(ring->index_of(ring->consumer()), start);
    }
    if (kunit_failed())
      return;
  }
}

CASE(D30_tail_is_the_position_in_bytes_and_not_reduced) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  u32 bytes = 0;
  for (u32 units = 1; units <= 16; units++) {
    for (u32 lap = 0; lap < 20; lap++) {
      ring->advance(units);
      bytes += units * 32;
      EXPECT_EQ(ring->doorbell_tail(), bytes);
      EXPECT(ring->retire(units));
      EXPECT_EQ(ring->doorbell_tail(), bytes);  // what is consumed does not move it
    }
  }
  EXPECT_GE(bytes, 8 * kBytes);
}

CASE(D30_tail_wraps_at_32_bits_of_bytes) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  move_to(*ring, 0x7FFFFFF);
  EXPECT_EQ(ring->doorbell_tail(), 0xFFFFFFE0u);  // vector B.2
  ring->advance(1);
  EXPECT_EQ(ring->doorbell_tail(), 0u);
  ring->advance(2);
  EXPECT_EQ(ring->doorbell_tail(), 0x40u);
  EXPECT_EQ(ring->used(), 3u);
  EXPECT_EQ(ring->available(), kUnits - 3);
  EXPECT_EQ(ring->index_of(ring->producer()), 2u);
}

// The indices themselves have 32 bits of units.
CASE(D36_indices_wrap_at_32_bits_of_units) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  constexpr u32 kFrom = 0u - 40;
  for (u32 fill = 0; fill <= kUnits; fill++) {
    ring->reset();
    move_to(*ring, kFrom);
    ring->advance(fill);
    EXPECT_EQ(ring->used(), fill);
    EXPECT_EQ(ring->available(), kUnits - fill);
    EXPECT_EQ(ring->doorbell_tail(), (kFrom + fill) * 32);
    EXPECT(!ring->retire(fill + 1));
    for (u32 left = fill; left > 0; left--) {
      EXPECT(ring->retire(1));
      EXPECT_EQ(ring->used(), left - 1);
    }
    EXPECT(!ring->retire(1));
    EXPECT_EQ(ring->consumer(), ring->producer());
  }
}

CASE(D34_sgl_wraps_where_the_position_does) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  // Both ends of 32 bits are at a multiple of the ring: unit -1 is the ring's last.
  for (u32 i = 0; i < 6; i++)
    ring->write_sge(~0u, 16, i, 0x1000 + i, 7, 100 + i);
  const auto* sges = reinterpret_cast<const wire::Sge*>(ring->memory().data());
  for (u32 i = 0; i < 6; i++) {
    const wire::Sge& sge = sges[(kBytes / 16 - 1 + i) % (kBytes / 16)];
    EXPECT_EQ(sge.address, 0x1000 + i);
    EXPECT_EQ(sge.memory_key, 7u);
    EXPECT_EQ(sge.size, 100 + i);
  }
}

CASE(D36_retires_only_what_was_posted) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  for (u32 fill = 0; fill <= kUnits; fill++) {
    for (u32 units = 0; units <= kUnits + 2; units++) {
      ring->reset();
      ring->advance(fill);
      const bool possible = units <= fill;
      EXPECT_EQ(ring->retire(units), possible);
      EXPECT_EQ(ring->consumer(), possible ? units : 0);
      EXPECT_EQ(ring->producer(), fill);
    }
    EXPECT(!ring->retire(0x80000000));
    EXPECT(!ring->retire(~0u));
  }
}

CASE(D26_reset_makes_it_new) {
  Bus bus;
  auto ring = bus.ring();
  ASSERT(ring);
  const u64 address = ring->memory().address();
  ring->advance(77);
  EXPECT(ring->retire(5));
  __builtin_memset(ring->memory().data(), 0xFF, kBytes);
  ring->reset();
  EXPECT_EQ(ring->producer(), 0u);
  EXPECT_EQ(ring->consumer(), 0u);
  EXPECT_EQ(ring->doorbell_tail(), 0u);
  EXPECT_EQ(ring->available(), kUnits);
  EXPECT_EQ(ring->memory().address(), address);
  u32 set = 0;
  for (u32 i = 0; i < kBytes; i++)
    set += ring->memory().data()[i] != 0;
  EXPECT_EQ(set, 0u);
}

// For the quarantine: the memory outlives the ring.
CASE(D11_memory_can_be_taken_out) {
  Bus bus;
  kern::DmaCoherent memory;
  {
    auto ring = bus.ring();
    ASSERT(ring);
    memory = ring->take_memory();
    EXPECT(!ring->memory());
  }
  ASSERT(memory);
  EXPECT_EQ(memory.bytes(), kBytes);
  EXPECT_EQ(kunit_dma_coherent(bus.function.get()), 1u);
  memory = {};
  EXPECT_EQ(kunit_dma_coherent(bus.function.get()), 0u);
}

constexpr mana_case kCases[] = {
    LIST(D26_sizes_are_powers_of_two_of_at_least_a_page),
    LIST(D26_memory_is_page_aligned_and_zero),
    LIST(no_memory_is_an_error),
    LIST(D34_sgl_wraps_for_every_start_and_number_of_sges),
    LIST(D34_header_and_oob_are_in_one_piece_everywhere),
    LIST(D34_room_for_every_start_and_fill),
    LIST(D30_tail_is_the_position_in_bytes_and_not_reduced),
    LIST(D30_tail_wraps_at_32_bits_of_bytes),
    LIST(D36_indices_wrap_at_32_bits_of_units),
    LIST(D34_sgl_wraps_where_the_position_does),
    LIST(D36_retires_only_what_was_posted),
    LIST(D26_reset_makes_it_new),
    LIST(D11_memory_can_be_taken_out),
};

}  // namespace

MANA_SUITE(work_ring, kCases)

}  // namespace mana::kunit
