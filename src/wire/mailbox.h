// SPDX-License-Identifier: GPL-2.0
// The shared-memory mailbox (SMC): eight 32-bit words in BAR0 (data sheet 3).
#pragma once

#include "base/bits.h"

namespace mana::wire {

namespace smc {
inline constexpr u32 kWords = 8;
inline constexpr u32 kBytes = 32;
inline constexpr u32 kHeaderWord = 7;  // the protocol header, and the trigger

enum class Type : u8 {
  kEstablishHwc = 1,
  kDestroyHwc = 2,
  kReportHwcTimeout = 4,
};

inline constexpr u32 kEstablishVersion = 0;
inline constexpr u32 kDestroyVersion = 0;
inline constexpr u32 kReportTimeoutVersion = 1;

// Header, word 7.
using MessageType = Bits<2, 0>;
using Version = Bits<5, 3>;
using IsResponse = Bit<7>;
using Status = Bits<15, 8>;
using ResetVf = Bit<24>;
using OwnerIsDevice = Bit<31>;

constexpr u32 request_header(Type type, u32 version) {
  return MessageType::put(static_cast<u32>(type)) | Version::put(version);
}
}  // namespace smc

// ESTABLISH_HWC conveys one 52-bit frame number for each ring and the MSI-X vector of the HWC EQ.
struct EstablishHwc {
  u64 eq_frame;
  u64 cq_frame;
  u64 rq_frame;
  u64 sq_frame;
  u16 msix_vector;

  using FrameLow = Bits<47, 0, u64>;
  using FrameHigh = Bits<51, 48, u64>;
  static constexpr u64 kMaxFrame = (1ull << 52) - 1;

  // Words 0 to 6: four times 48 low bits back to back, then four nibbles of high bits, then the
  // vector. Word 7 is the header.
  constexpr void encode(u32 (&words)[smc::kWords]) const {
    const u64 low[4] = {FrameLow::get(eq_frame), FrameLow::get(cq_frame), FrameLow::get(rq_frame),
                        FrameLow::get(sq_frame)};
    words[0] = static_cast<u32>(low[0]);
    words[1] = static_cast<u32>(low[0] >> 32) | static_cast<u32>(low[1] << 16);
    words[2] = static_cast<u32>(low[1] >> 16);
    words[3] = static_cast<u32>(low[2]);
    words[4] = static_cast<u32>(low[2] >> 32) | static_cast<u32>(low[3] << 16);
    words[5] = static_cast<u32>(low[3] >> 16);
    words[6] = static_cast<u32>(FrameHigh::get(eq_frame) | FrameHigh::get(cq_frame) << 4 |
                                FrameHigh::get(rq_frame) << 8 | FrameHigh::get(sq_frame) << 12) |
               static_cast<u32>(msix_vector) << 16;
    words[7] = smc::request_header(smc::Type::kEstablishHwc, smc::kEstablishVersion);
  }

  static constexpr EstablishHwc decode(const u32 (&words)[smc::kWords]) {
    const u64 high = words[6] & 0xFFFF;
    auto frame = [high](u64 low, unsigned nibble) {
      return low | (high >> (4 * nibble) & 0xF) << 48;
    };
    return {
        .eq_frame = frame(words[0] | static_cast<u64>(words[1] & 0xFFFF) << 32, 0),
        .cq_frame = frame(words[1] >> 16 | static_cast<u64>(words[2]) << 16, 1),
        .rq_frame = frame(words[3] | static_cast<u64>(words[4] & 0xFFFF) << 32, 2),
        .sq_frame = frame(words[4] >> 16 | static_cast<u64>(words[5]) << 16, 3),
        .msix_vector = static_cast<u16>(words[6] >> 16),
    };
  }
};

}  // namespace mana::wire
