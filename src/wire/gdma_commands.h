// SPDX-License-Identifier: GPL-2.0
// GDMA commands: resources, queues and memory (data sheet 6).
//
// Each struct is a whole message. Fields marked reserved are written as zero.
#pragma once

#include "wire/hwc.h"

namespace mana::wire {

enum class Command : u32 {
  kVerifyVfDriverVersion = 1,
  kQueryMaxResources = 2,
  kListDevices = 3,
  kRegisterDevice = 4,
  kDeregisterDevice = 5,
  kGenerateTestEqe = 10,
  kGenerateResetRequestEqe = 11,
  kCreateQueue = 12,
  kDisableQueue = 13,
  kAllocateResourceRange = 22,
  kDestroyResourceRange = 24,
  kCreateDmaRegion = 25,
  kDmaRegionAddPages = 26,
  kDestroyDmaRegion = 27,
  kChangeMsixForEq = 81,
  kQueryHwcTimeout = 84,

  kQueryDevConfig = 0x20001,
  kQueryGfStat = 0x20002,
  kConfigVportTx = 0x20003,
  kCreateWqObject = 0x20004,
  kDestroyWqObject = 0x20005,
  kFenceRq = 0x20006,
  kConfigVportRx = 0x20007,
  kQueryVportConfig = 0x20008,
  kQueryLinkConfig = 0x2000A,
  kSetBwClamp = 0x2000B,
  kQueryPhyStat = 0x2000C,
};

// A message without fields of its own.
struct HeaderOnlyRequest {
  RequestHeader header;
};
struct HeaderOnlyResponse {
  ResponseHeader header;
};

inline constexpr u64 kGdmaProtocol = 1;

// Driver capability flags 1 (bit numbers).
namespace driver_cap {
inline constexpr u64 kSharedEq = 1ull << 0;
inline constexpr u64 kHwcTimeoutReconfiguration = 1ull << 3;
inline constexpr u64 kVariableIndirectionTable = 1ull << 5;
inline constexpr u64 kVportLinkState = 1ull << 6;
inline constexpr u64 kDeviceListHoles = 1ull << 11;
inline constexpr u64 kSelfReset = 1ull << 14;
inline constexpr u64 kCqModeration = 1ull << 28;
}  // namespace driver_cap

// PF capability flags 1.
namespace pf_cap {
inline constexpr u64 kQueryHwcTimeout = 1ull << 3;
inline constexpr u64 kSelfReset = 1ull << 7;
inline constexpr u64 kCqModeration = 1ull << 15;
}  // namespace pf_cap

enum class OsType : u32 {
  kLinux = 0x10,
};

struct VerifyVersionRequest {
  RequestHeader header;
  u64 protocol_min;
  u64 protocol_max;
  u64 driver_caps[4];
  u64 driver_version;
  OsType os_type;
  u32 reserved0;
  u32 os_major;
  u32 os_minor;
  u32 os_build;
  u32 os_platform;
  u64 reserved1;
  char os_text[4][128];  // system, release, version, empty; NUL-terminated
};
static_assert(sizeof(VerifyVersionRequest) == 640);
static_assert(__builtin_offsetof(VerifyVersionRequest, os_type) == 96);
static_assert(__builtin_offsetof(VerifyVersionRequest, os_text) == 128);

struct VerifyVersionResponse {
  ResponseHeader header;
  u64 protocol;
  u64 pf_caps[4];
};
static_assert(sizeof(VerifyVersionResponse) == 72);

struct QueryMaxResourcesResponse {
  ResponseHeader header;
  u32 unused_status;
  u32 max_sq;
  u32 max_rq;
  u32 max_cq;
  u32 max_eq;
  u32 max_doorbells;
  u32 max_mst;
  u32 max_cq_moderation_contexts;
  u32 max_moderated_cq;
  u32 max_msix;
};
static_assert(sizeof(QueryMaxResourcesResponse) == 72);

inline constexpr u32 kMaxListedDevices = 64;

struct ListDevicesResponse {
  ResponseHeader header;
  u32 count;  // of non-empty slots
  u32 reserved;
  DeviceId devices[kMaxListedDevices];
};
static_assert(sizeof(ListDevicesResponse) == 296);

struct RegisterDeviceResponse {
  ResponseHeader header;
  u32 pdid;
  u32 gpa_mkey;
  u32 doorbell_id;
};
static_assert(sizeof(RegisterDeviceResponse) == 44);

struct GenerateTestEqeRequest {
  RequestHeader header;
  u32 eq_id;
};
static_assert(sizeof(GenerateTestEqeRequest) == 44);

struct [[gnu::packed]] GenerateResetRequestEqeRequest {
  RequestHeader header;
  u32 eq_id;
  u32 event_data;
};
static_assert(sizeof(GenerateResetRequestEqeRequest) == 48);

enum class QueueType : u32 {
  kSq = 1,
  kRq = 2,
  kCq = 3,
  kEq = 4,
};

struct CreateQueueRequest {
  RequestHeader header;
  QueueType type;
  u32 reserved0;
  u32 pdid;
  u32 doorbell_id;
  u64 region;
  u32 reserved1;
  u32 queue_bytes;
  u32 log2_throttle_limit;
  u32 msix_index;
  u32 cq_moderation_context;
  u32 parent_eq;
  u8 rq_drop_on_overrun;
  u8 rq_error_on_wqe_overflow;
  u8 rq_chain_wqes;
  u8 sq_hardware_doorbell;
  u32 reserved2;
};
static_assert(sizeof(CreateQueueRequest) == 96);
static_assert(__builtin_offsetof(CreateQueueRequest, region) == 56);
static_assert(__builtin_offsetof(CreateQueueRequest, msix_index) == 76);

struct CreateQueueResponse {
  ResponseHeader header;
  u32 queue_id;
};
static_assert(sizeof(CreateQueueResponse) == 36);

struct DisableQueueRequest {
  RequestHeader header;
  QueueType type;
  u32 queue_id;
  u32 id_allocated_on_creation;  // 1
};
static_assert(sizeof(DisableQueueRequest) == 52);

// Followed by `addresses_here` page addresses.
struct CreateDmaRegionRequest {
  RequestHeader header;
  u64 length;
  u32 first_page_offset;
  u32 page_type;  // log2(page size) - 12
  u32 page_count;
  u32 addresses_here;
};
static_assert(sizeof(CreateDmaRegionRequest) == 64);

struct CreateDmaRegionResponse {
  ResponseHeader header;
  u64 region;
};
static_assert(sizeof(CreateDmaRegionResponse) == 40);

// Followed by `addresses_here` page addresses.
struct DmaRegionAddPagesRequest {
  RequestHeader header;
  u64 region;
  u32 addresses_here;
  u32 reserved;
};
static_assert(sizeof(DmaRegionAddPagesRequest) == 56);

inline constexpr u32 kMaxRegionAddresses =
    (kMaxHwcMessage - sizeof(CreateDmaRegionRequest)) / sizeof(u64);
inline constexpr u32 kMaxAddPagesAddresses =
    (kMaxHwcMessage - sizeof(DmaRegionAddPagesRequest)) / sizeof(u64);
static_assert(kMaxRegionAddresses == 504 && kMaxAddPagesAddresses == 505);

struct DestroyDmaRegionRequest {
  RequestHeader header;
  u64 region;
};
static_assert(sizeof(DestroyDmaRegionRequest) == 48);

struct ChangeMsixForEqRequest {
  RequestHeader header;
  u32 eq_id;
  u32 msix_index;
  u32 reserved[2];
};
static_assert(sizeof(ChangeMsixForEqRequest) == 56);

struct QueryHwcTimeoutRequest {
  RequestHeader header;
  u32 timeout_ms;
  u32 reserved;
};
static_assert(sizeof(QueryHwcTimeoutRequest) == 48);

struct QueryHwcTimeoutResponse {
  ResponseHeader header;
  u32 timeout_ms;
  u32 reserved;
};
static_assert(sizeof(QueryHwcTimeoutResponse) == 40);

inline constexpr u64 kInvalidRegion = 0;

}  // namespace mana::wire
