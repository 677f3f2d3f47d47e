// SPDX-License-Identifier: GPL-2.0
// Hardware channel: message headers, request OOB, response completion (data sheet 4.5 to 4.8).
#pragma once

#include "base/bits.h"
#include "wire/work_queue.h"

namespace mana::wire {

inline constexpr u32 kHwcDepth = 1;
inline constexpr u32 kMaxHwcMessage = 4096;  // bytes, request or response
inline constexpr u32 kHwcRequestWqeBytes = 64;
inline constexpr u32 kHwcResponseWqeBytes = 32;

enum class DeviceType : u16 {
  kNone = 0,
  kHwc = 1,
  kMana = 2,
  kManaIb = 3,
};

struct DeviceId {
  DeviceType type;
  u16 instance;

  constexpr bool operator==(const DeviceId&) const = default;
};
static_assert(sizeof(DeviceId) == 4);

struct MessageHeader {
  static constexpr u32 kStandard = 0;

  u32 header_type;
  u32 message_type;
  u16 version;     // of the message's layout, at least 1
  u16 message_id;  // slot of the request
  u32 size;        // whole message in bytes
};
static_assert(sizeof(MessageHeader) == 16);

struct RequestHeader {
  MessageHeader request;
  MessageHeader response;  // what the sender expects: type, highest version, buffer size
  DeviceId device;
  u32 activity_id;
};
static_assert(sizeof(RequestHeader) == 40);
static_assert(__builtin_offsetof(RequestHeader, response) == 16);
static_assert(__builtin_offsetof(RequestHeader, device) == 32);

struct ResponseHeader {
  MessageHeader response;
  DeviceId device;
  u32 activity_id;
  u32 status;
  u32 reserved;
};
static_assert(sizeof(ResponseHeader) == 32);
static_assert(__builtin_offsetof(ResponseHeader, status) == 24);

namespace status {
inline constexpr u32 kSuccess = 0;
inline constexpr u32 kMoreEntries = 0x105;  // a DMA region that still misses pages
inline constexpr u32 kFailure = 1;          // unspecific; what the model answers
inline constexpr u32 kUnsupported = 0xFFFFFFFF;
}  // namespace status

// OOB of a request WQE, 24 bytes.
struct HwcRequestOob {
  u32 reserved0;
  u32 reserved1;
  u32 destination_rq;  // [23:0] id, [31:24] VF
  u32 destination_cq;  // [23:0] id
  u32 source_cq;       // [23:0] id
  u32 source_sq;       // [23:0] id

  using QueueId = Bits<23, 0>;
};
static_assert(sizeof(HwcRequestOob) == oob_bytes(OobSize::k24));

// The completion of a response, as a view of a Cqe.
struct HwcRxCqe {
  u32 dw0;
  u32 source_wq;
  u32 reserved;
  u32 wqe_offset;  // byte position of the consumed WQE
  u32 wqe_address_high;
  u32 client_data_unit;
  u32 length;  // bytes written to the response buffer
  u32 chunk_offset;
  u32 reserved_tail[7];
  u32 trailer;
};
static_assert(sizeof(HwcRxCqe) == Cqe::kSize);
static_assert(__builtin_offsetof(HwcRxCqe, wqe_offset) == 12);
static_assert(__builtin_offsetof(HwcRxCqe, length) == 24);

}  // namespace mana::wire
