// SPDX-License-Identifier: GPL-2.0
// Work queue elements and completion entries (data sheet 5.1 to 5.4).
#pragma once

#include "base/bits.h"
#include "wire/events.h"

namespace mana::wire {

inline constexpr u32 kMinRingBytes = 4096;
inline constexpr u32 kBasicUnit = 32;  // BU, the granularity of WQEs and of their indices
inline constexpr u32 kMaxSqWqeBytes = 512;
inline constexpr u32 kMaxRqWqeBytes = 256;

// Scatter/gather element.
struct Sge {
  u64 address;  // DMA address
  u32 memory_key;
  u32 size;  // bytes
};
static_assert(sizeof(Sge) == 16);
static_assert(__builtin_offsetof(Sge, memory_key) == 8 && __builtin_offsetof(Sge, size) == 12);

// First eight bytes of every WQE. Out-of-band data follows at 8, the SGL at 16 (8-byte OOB) or 32
// (24-byte OOB). The SGL may wrap to the start of the ring between two SGEs.
struct WqeHeader {
  u32 dw0;
  u32 dw1;

  using LastVbytes = Bits<31, 24>;      // dw0; LSO: bytes of SGE 0
  using SgeCount = Bits<7, 0>;          // dw1
  using OobSizeCode = Bits<10, 8>;      // dw1
  using ClientOobInSgl = Bit<11>;       // dw1; LSO: SGE 0 is the header block
  using ClientDataUnit = Bits<29, 16>;  // dw1; SQ: MSS for LSO, else 0
  using DirectSgl = Bit<31>;            // dw1
};
static_assert(sizeof(WqeHeader) == 8);

// The OOB size code is the size in 32-bit words, except that 7 means 32 bytes.
enum class OobSize : u8 {
  k8 = 2,
  k24 = 6,
  k32 = 7,
};

constexpr u32 oob_bytes(OobSize size) {
  return size == OobSize::k24 ? 24 : size == OobSize::k32 ? 32 : 8;
}
// Byte offset of the SGL in the WQE.
constexpr u32 sgl_offset(OobSize size) { return (8 + oob_bytes(size) + 15) & ~15u; }

// Whole size of a WQE in bytes, a multiple of a BU.
constexpr u32 wqe_bytes(OobSize oob, u32 sges) {
  return (sgl_offset(oob) + 16 * sges + kBasicUnit - 1) & ~(kBasicUnit - 1);
}
constexpr u32 max_sges(u32 wqe_limit, OobSize oob) { return (wqe_limit - sgl_offset(oob)) / 16; }
static_assert(max_sges(kMaxSqWqeBytes, OobSize::k8) == 31);
static_assert(max_sges(kMaxSqWqeBytes, OobSize::k24) == 30);
static_assert(max_sges(kMaxSqWqeBytes, OobSize::k32) == 29);
static_assert(max_sges(kMaxRqWqeBytes, OobSize::k8) == 15);

// Completion entry: 60 bytes by client, then the trailer.
struct Cqe {
  static constexpr u32 kSize = 64;

  u32 data[15];
  u32 trailer;

  using WqId = Bits<23, 0>;  // of trailer
  using IsSq = Bit<24>;      // of trailer

  constexpr u32 wq_id() const { return WqId::get(trailer); }
  constexpr bool is_sq() const { return IsSq::get(trailer) != 0; }
};
static_assert(sizeof(Cqe) == Cqe::kSize);
static_assert(__builtin_offsetof(Cqe, trailer) == 60);

}  // namespace mana::wire
