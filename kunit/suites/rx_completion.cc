// SPDX-License-Identifier: GPL-2.0
// src/port/rx_completion.h: every field of a receive completion, and nothing else.
#include "port/rx_completion.h"

#include <initializer_list>

#include "kunit/harness/test.h"

namespace mana::kunit {
namespace {

using port::RxCompletion;
using wire::RxCqe;
using wire::RxCqeType;

RxCompletion parse(const RxCqe& entry) {
  wire::Cqe cqe;
  copy_bytes(&cqe, &entry, sizeof(cqe));
  return RxCompletion::copy(cqe);
}

RxCompletion with_flags(u32 flags) {
  RxCqe entry{};
  entry.flags = flags;
  return parse(entry);
}

// Appendix B.7
CASE(D61_vector_B7) {
  alignas(4) static constexpr u8 kBytes[64] = {
      0x41, 0,    0,    0,    0x64, 0x10, 0x02, 0x0a, 0xea, 0x05, 0, 0, 0,    0, 0, 0,
      0xef, 0xbe, 0xad, 0xde, 0,    0,    0,    0,    0,    0,    0, 0, 0,    0, 0, 0,
      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0,    0, 0, 0,
      0,    0,    0,    0,    0,    0,    0,    0,    0x40, 0,    0, 0, 0x1c, 0, 0, 0x40};
  wire::Cqe cqe;
  copy_bytes(&cqe, kBytes, sizeof(cqe));
  const RxCompletion completion = RxCompletion::copy(cqe);
  EXPECT_EQ(completion.type, RxCqeType::kOk);
  EXPECT_EQ(completion.length, 1514u);
  EXPECT_EQ(completion.hash, 0xDEADBEEFu);
  EXPECT_EQ(completion.hash_type(), wire::hash::kTcpIpv4);
  EXPECT(completion.hash_is_l4());
  EXPECT(completion.checksum_good());
  EXPECT(completion.has_vlan());
  EXPECT_EQ(completion.vlan_id(), 100u);
}

// All values of the field, also those without a name, whatever surrounds it.
CASE(every_type) {
  for (u32 type = 0; type < 64; type++) {
    RxCqe entry{};
    entry.dw0 = type;
    EXPECT_EQ(parse(entry).type, static_cast<RxCqeType>(type));
    entry.dw0 = type | ~RxCqe::Type::kMask;
    EXPECT_EQ(parse(entry).type, static_cast<RxCqeType>(type));
  }
  const struct {
    RxCqeType type;
    u32 number;
  } named[] = {{RxCqeType::kInvalid, 0}, {RxCqeType::kOk, 1},        {RxCqeType::kCoalesced4, 2},
               {RxCqeType::kFence, 3},   {RxCqeType::kTruncated, 4}, {RxCqeType::kCoalesced8, 7}};
  for (const auto& entry : named)
    EXPECT_EQ(static_cast<u32>(entry.type), entry.number);
}

CASE(D58_every_length) {
  for (u32 length = 0; length <= 0xFFFF; length += length < 0x100 || length > 0xFF00 ? 1 : 0x55) {
    RxCqe entry{};
    entry.packets[0].length = static_cast<u16>(length);
    // What is reserved beside it is not a part of it.
    entry.packets[0].reserved0 = 0xFFFF;
    entry.packets[0].reserved1 = 0xFFFFFFFF;
    EXPECT_EQ(parse(entry).length, length);
  }
}

// One bit of the entry changes one thing that is seen, or nothing.
CASE(every_bit_has_one_meaning) {
  const RxCompletion none = with_flags(0);
  for (u32 bit = 0; bit < 512; bit++) {
    wire::Cqe cqe{};
    u8* const bytes = reinterpret_cast<u8*>(&cqe);
    bytes[bit / 8] = static_cast<u8>(1 << bit % 8);
    const RxCompletion seen = RxCompletion::copy(cqe);
    const u32 dword = bit / 32, in = bit % 32;
    EXPECT_EQ(seen.type != none.type, dword == 0 && in <= 5);
    EXPECT_EQ(seen.flags, dword == 1 ? 1u << in : 0);
    EXPECT_EQ(seen.length, dword == 2 && in <= 15 ? 1u << in : 0);
    EXPECT_EQ(seen.hash, dword == 4 ? 1u << in : 0);
  }
}

CASE(every_flag_has_one_meaning) {
  for (u32 bit = 0; bit < 32; bit++) {
    const RxCompletion seen = with_flags(1u << bit);
    EXPECT_EQ(seen.vlan_id(), bit <= 11 ? 1u << bit : 0);
    EXPECT_EQ(seen.has_vlan(), bit == 12);
    EXPECT_EQ(seen.hash_type(), bit >= 16 && bit <= 24 ? 1u << (bit - 16) : 0);
    EXPECT(!seen.checksum_good());
  }
}

CASE(every_vlan_id) {
  for (u32 id = 0; id < 4096; id++) {
    EXPECT_EQ(with_flags(~0xFFFu | id).vlan_id(), id);
    EXPECT(!with_flags(id).has_vlan());
    EXPECT(with_flags(id | 1u << 12).has_vlan());
  }
}

// D-61, as a table of all the bits that speak about checksums.
CASE(D61_checksum_is_good_only_on_a_good_ip_header) {
  for (u32 bits = 0; bits < 256; bits++) {
    const bool ip = bits & 1, tcp = bits & 2, udp = bits & 4;
    const bool outer_good = bits & 8, outer_bad = bits & 16;
    const bool ip_bad = bits & 32, tcp_bad = bits & 64, udp_bad = bits & 128;
    const u32 flags = u32{ip} << 25 | u32{ip_bad} << 26 | u32{tcp} << 27 | u32{tcp_bad} << 28 |
                      u32{udp} << 29 | u32{udp_bad} << 30 | u32{outer_good} << 13 |
                      u32{outer_bad} << 14;
    EXPECT_EQ(with_flags(flags).checksum_good(), ip && (tcp || udp));
    EXPECT_EQ(with_flags(flags | 0x81FF9FFF).checksum_good(), ip && (tcp || udp));
  }
}

CASE(every_hash_type) {
  constexpr u32 kL3 = 1u << 0 | 1u << 3 | 1u << 6;  // IPv4, IPv6, IPv6-ex
  for (u32 type = 0; type < 512; type++) {
    const RxCompletion completion = with_flags(type << 16 | 0xFE00FFFF);
    EXPECT_EQ(completion.hash_type(), type);
    EXPECT_EQ(completion.hash_is_l4(), (type & ~kL3) != 0);
  }
}

CASE(every_hash) {
  RxCqe entry{};
  for (u32 bit = 0; bit < 32; bit++) {
    entry.packets[0].hash = 1u << bit;
    EXPECT_EQ(parse(entry).hash, 1u << bit);
    entry.packets[0].hash = ~(1u << bit);
    EXPECT_EQ(parse(entry).hash, ~(1u << bit));
  }
}

// Infos 1 to 3 are for coalesced completions.
CASE(D59_other_packets_of_an_entry_do_not_matter) {
  RxCqe entry{};
  entry.packets[0].length = 100;
  entry.packets[0].hash = 7;
  for (u32 i = 1; i < 4; i++)
    entry.packets[i] = {.length = 0xFFFF, .reserved0 = 0xFFFF, .reserved1 = ~0u, .hash = ~0u};
  entry.wqe_offset = ~0u;
  EXPECT_EQ(parse(entry).length, 100u);
  EXPECT_EQ(parse(entry).hash, 7u);
  EXPECT_EQ(parse(entry).flags, 0u);
}

// What was copied stays, whatever the device writes afterwards.
CASE(D28_a_copy_is_a_copy) {
  wire::Cqe cqe{};
  cqe.data[0] = 1;
  cqe.data[2] = 60;
  cqe.trailer = 0x1C;
  const RxCompletion completion = RxCompletion::copy(cqe);
  __builtin_memset(&cqe, 0xFF, sizeof(cqe));
  EXPECT_EQ(completion.type, RxCqeType::kOk);
  EXPECT_EQ(completion.length, 60u);
  EXPECT_EQ(completion.flags, 0u);
}

constexpr mana_case kCases[] = {
    LIST(D61_vector_B7),
    LIST(every_type),
    LIST(D58_every_length),
    LIST(every_bit_has_one_meaning),
    LIST(every_flag_has_one_meaning),
    LIST(every_vlan_id),
    LIST(D61_checksum_is_good_only_on_a_good_ip_header),
    LIST(every_hash_type),
    LIST(every_hash),
    LIST(D59_other_packets_of_an_entry_do_not_matter),
    LIST(D28_a_copy_is_a_copy),
};

}  // namespace

MANA_SUITE(rx_completion, kCases)

}  // namespace mana::kunit
