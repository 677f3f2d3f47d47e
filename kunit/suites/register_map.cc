// SPDX-License-Identifier: GPL-2.0
// src/gdma/register_map.cc
#include "gdma/register_map.h"

#include <initializer_list>

#include "kunit/harness/register_file.h"

namespace mana::kunit {
namespace {

namespace reg = wire::reg;

// Registers, and a driver that reads them.
struct Bus {
  explicit Bus(u64 bar_bytes = 0x4000) : registers{bar_bytes} {}

  RegisterFile registers;
  Function function{registers};

  // 0 if the map is accepted.
  Errno read() {
    auto pci = kern::PciFunction::enable(function.pdev());
    if (!pci) {
      FAIL("the function cannot be enabled");
      return pci.error();
    }
    auto bar = kern::Bar::map(*pci);
    if (!bar) {
      FAIL("BAR 0 cannot be mapped");
      return bar.error();
    }
    const char* reason = nullptr;
    auto map = gdma::RegisterMap::read(*bar, &reason);
    // Whatever is refused is explained, and nothing else is.
    EXPECT_EQ(reason != nullptr, !map);
    return map ? Errno{0} : map.error();
  }
};

// The same with everything alive.
struct Mapped : Bus {
  using Bus::Bus;
  Result<kern::PciFunction> pci = kern::PciFunction::enable(function.pdev());
  Result<kern::Bar> bar = kern::Bar::map(*pci);
  const char* reason = nullptr;
  Result<gdma::RegisterMap> map = gdma::RegisterMap::read(*bar, &reason);
};

CASE(reads_what_the_device_says) {
  Bus bus;
  bus.registers.poke(reg::kSmcOffset, 0x200);
  auto pci = kern::PciFunction::enable(bus.function.pdev());
  ASSERT(pci);
  auto bar = kern::Bar::map(*pci);
  ASSERT(bar);
  EXPECT_EQ(bar->size(), 0x4000u);
  const char* reason = nullptr;
  auto map = gdma::RegisterMap::read(*bar, &reason);
  ASSERT(map);
  EXPECT_EQ(map->mailbox_offset(), 0x200u);
  EXPECT_EQ(map->version(), 0x01000001u);
}

CASE(reads_only_the_map_and_writes_nothing) {
  Bus bus;
  EXPECT_EQ(bus.read(), Errno{0});
  EXPECT_LE(bus.registers.count(), 8u);
  for (u32 n = 0; n < bus.registers.count(); n++) {
    const auto& access = bus.registers.access(n);
    EXPECT(!access.is_write);
    EXPECT(access.size == 4 || access.size == 8);
    EXPECT_LE(access.offset + access.size, reg::kMapSize);
  }
}

CASE(D2_all_ones_means_no_device) {
  Bus bus;
  bus.registers.poke(reg::kVersion, reg::kAllOnes);
  EXPECT_EQ(bus.read(), Errno::kNoDevice);
  EXPECT_EQ(bus.registers.count(), 1u);  // nothing else was asked
}

CASE(D2_any_other_version_is_a_device) {
  Bus bus;
  for (const u32 version : {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFEu, 0xFFFF0000u}) {
    bus.registers.poke(reg::kVersion, version);
    EXPECT_EQ(bus.read(), Errno{0});
  }
}

CASE(D65_a_device_that_goes_away_is_noticed) {
  Mapped bus;
  ASSERT(bus.map);
  EXPECT(!bus.map->device_gone());
  bus.registers.poke(reg::kVersion, reg::kAllOnes);
  EXPECT(bus.map->device_gone());
  bus.registers.poke(reg::kVersion, 1);
  EXPECT(!bus.map->device_gone());
}

// Each size that 16 bits can say.
CASE(D3_doorbell_pages_are_powers_of_two_of_at_least_4096) {
  Mapped bus{0x20000};
  ASSERT(bus.map);
  u32 accepted = 0;
  for (u32 size = 0; size <= 0xFFFF; size++) {
    // Most of those that are wrong in the same way are left out.
    if (size % 64 > 1 && size % 64 < 63)
      continue;
    bus.registers.poke(reg::kDoorbellSize, size);
    const bool good = size >= 4096 && is_power_of_two(size);
    auto map = gdma::RegisterMap::read(*bus.bar, &bus.reason);
    if (map.ok() != good)
      FAIL("%#x is %s", size, good ? "refused" : "accepted");
    else if (!good)
      EXPECT_EQ(map.error(), Errno::kProtocol);
    accepted += map.ok();
  }
  EXPECT_EQ(accepted, 4u);  // 4, 8, 16 and 32 KiB
}

// 16 bits of the register are the size; what is beside them is reserved.
CASE(D3_reserved_bits_of_sizes_do_not_matter) {
  Bus bus;
  bus.registers.poke(reg::kDoorbellSize, 0xFFFF1000);
  bus.registers.poke(reg::kSmcSize, 0xFFFF0020);
  EXPECT_EQ(bus.read(), Errno{0});
}

CASE(D3_doorbell_pages_lie_inside_the_bar) {
  Bus bus;
  for (const u64 offset :
       {0x3001ull, 0x3008ull, 0x3FF8ull, 0x4000ull, 0x4008ull, 0x1'0000'1000ull, ~0ull, ~7ull,
        ~0xFFFull, 0x8000'0000'0000'0000ull, 0x1004ull, 0x1001ull}) {
    bus.registers.poke(reg::kDoorbellOffset, offset);
    EXPECT_EQ(bus.read(), Errno::kProtocol);
  }
  for (const u64 offset : {0x1000ull, 0x2000ull, 0x3000ull, 0x2FF8ull}) {
    bus.registers.poke(reg::kDoorbellOffset, offset);
    EXPECT_EQ(bus.read(), Errno{0});
  }
  // A larger page needs more room.
  bus.registers.poke(reg::kDoorbellSize, 0x2000);
  bus.registers.poke(reg::kDoorbellOffset, 0x2008);
  EXPECT_EQ(bus.read(), Errno::kProtocol);
  bus.registers.poke(reg::kDoorbellOffset, 0x2000);
  EXPECT_EQ(bus.read(), Errno{0});
}

CASE(D3_mailbox_is_aligned_and_inside_the_bar) {
  Bus bus;
  for (const u64 offset : {0x29ull, 0x2Aull, 0x2Bull, 0x3FE4ull, 0x3FFCull, 0x4000ull,
                           0x1'0000'0028ull, ~0ull, ~3ull, ~31ull, 0x8000'0000'0000'0000ull}) {
    bus.registers.poke(reg::kSmcOffset, offset);
    EXPECT_EQ(bus.read(), Errno::kProtocol);
  }
  for (const u64 offset : {0x28ull, 0x2Cull, 0x3FE0ull}) {
    bus.registers.poke(reg::kSmcOffset, offset);
    EXPECT_EQ(bus.read(), Errno{0});
  }
}

CASE(D3_mailbox_has_32_bytes) {
  Bus bus;
  for (const u32 size : {0u, 1u, 28u, 31u, 33u, 64u, 0x2000u, 0xFFFFu}) {
    bus.registers.poke(reg::kSmcSize, size);
    EXPECT_EQ(bus.read(), Errno::kProtocol);
  }
}

CASE(D3_bar_is_too_small_for_the_map) {
  Bus bus{0x20};
  ASSERT(bus.function);
  EXPECT_EQ(bus.read(), Errno::kProtocol);
  EXPECT_EQ(bus.registers.count(), 0u);
}

CASE(D3_bar_is_too_small_for_a_doorbell_page) {
  for (const u64 bytes : {0x40ull, 0x80ull, 0x800ull, 0x1000ull}) {
    Bus bus{bytes};
    ASSERT(bus.function);
    EXPECT_EQ(bus.read(), Errno::kProtocol);
  }
  Bus bus{0x2000};
  EXPECT_EQ(bus.read(), Errno{0});
}

CASE(D4_doorbell_page_ids_are_inside_the_bar) {
  for (const u32 bar : {0x2000u, 0x4000u, 0x10000u}) {
    Mapped bus{bar};
    ASSERT(bus.map);
    const u32 pages = (bar - 0x1000) / 0x1000;
    for (u32 id = 0; id < pages; id++) {
      auto page = bus.map->doorbell_page(id);
      ASSERT(page);
      EXPECT_EQ(page->id(), id);
      // Its first and its last register; the BAR itself refuses what is outside.
      const u32 n = bus.registers.count();
      page->ring_sq(1, 32);
      page->ring_eq(1, 1, false);
      EXPECT_EQ(bus.registers.access(n).offset, 0x1000 * (1 + id));
      EXPECT_EQ(bus.registers.access(n + 1).offset, 0x1000 * (1 + id) + 0xFF8);
    }
    for (const u32 id :
         {pages, pages + 1, 0xFFFFu, 0xFFFFFu, 0x100000u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      auto page = bus.map->doorbell_page(id);
      EXPECT(!page);
      if (!page)
        EXPECT_EQ(page.error(), Errno::kRange);
    }
  }
}

CASE(D4_a_page_that_ends_beyond_the_bar) {
  Bus bus;
  bus.registers.poke(reg::kDoorbellOffset, 0x1008);  // room for two pages and almost a third
  auto pci = kern::PciFunction::enable(bus.function.pdev());
  auto bar = kern::Bar::map(*pci);
  const char* reason = nullptr;
  auto map = gdma::RegisterMap::read(*bar, &reason);
  ASSERT(map);
  EXPECT(map->doorbell_page(1).ok());
  EXPECT(!map->doorbell_page(2).ok());
}

CASE(the_map_follows_its_bar) {
  Mapped bus;
  ASSERT(bus.map);
  const kern::Bar moved{mana::move(*bus.bar)};
  const gdma::RegisterMap map = bus.map->moved_to(moved);
  EXPECT(!map.device_gone());
  EXPECT(map.doorbell_page(2).ok());
  EXPECT(!map.doorbell_page(3).ok());
}

constexpr mana_case kCases[] = {
    LIST(reads_what_the_device_says),
    LIST(reads_only_the_map_and_writes_nothing),
    LIST(D2_all_ones_means_no_device),
    LIST(D2_any_other_version_is_a_device),
    LIST(D65_a_device_that_goes_away_is_noticed),
    LIST(D3_doorbell_pages_are_powers_of_two_of_at_least_4096),
    LIST(D3_reserved_bits_of_sizes_do_not_matter),
    LIST(D3_doorbell_pages_lie_inside_the_bar),
    LIST(D3_mailbox_is_aligned_and_inside_the_bar),
    LIST(D3_mailbox_has_32_bytes),
    LIST(D3_bar_is_too_small_for_the_map),
    LIST(D3_bar_is_too_small_for_a_doorbell_page),
    LIST(D4_doorbell_page_ids_are_inside_the_bar),
    LIST(D4_a_page_that_ends_beyond_the_bar),
    LIST(the_map_follows_its_bar),
};

}  // namespace

MANA_SUITE(register_map, kCases)

}  // namespace mana::kunit
