// SPDX-License-Identifier: GPL-2.0
// BNIC commands: vPorts, their queues and their steering (data sheet 7).
//
// Each struct is a whole message; all carry the id of the MANA device.
#pragma once

#include "wire/gdma_commands.h"
#include "wire/rx.h"

namespace mana::wire {

inline constexpr u32 kMinFrame = 68 + 14;     // smallest adapter MTU that makes sense, bytes
inline constexpr u32 kDefaultFrame = 1514;    // adapter MTU of a version 1 answer
inline constexpr u32 kMaxVports = 256;
inline constexpr u32 kMaxIndirectionEntries = 512;
inline constexpr u32 kDefaultIndirectionEntries = 64;
inline constexpr u64 kInvalidHandle = ~0ull;
inline constexpr u32 kNoParentEq = 0xFFFF;

struct QueryDevConfigRequest {
  RequestHeader header;
  u64 driver_caps[4];
  u32 protocol_major;
  u32 protocol_minor;
  u32 protocol_micro;
  u32 reserved;
};
static_assert(sizeof(QueryDevConfigRequest) == 88);

struct QueryDevConfigResponse {
  ResponseHeader header;
  u64 pf_caps[4];
  u16 vport_count;
  u8 bare_metal_host;  // version 3
  u8 reserved0;
  u32 max_eq;
  u16 adapter_mtu;  // version 2; largest frame in bytes, Ethernet header included
  u16 reserved1;
  u32 link_speed;  // version 4; Mb/s, 0 is unknown
};
static_assert(sizeof(QueryDevConfigResponse) == 80);
static_assert(__builtin_offsetof(QueryDevConfigResponse, adapter_mtu) == 72);

// Counters of the function. Bit n of the bitmaps is value n in the order below; the multicast
// and broadcast pairs are swapped in the message (Linux order).
struct QueryGfStatRequest {
  RequestHeader header;
  u64 requested;
};
static_assert(sizeof(QueryGfStatRequest) == 48);

struct GfCounters {
  u64 rx_discards_no_wqe;
  u64 rx_errors_vport_disabled;
  u64 rx_bytes;
  u64 rx_unicast_packets;
  u64 rx_unicast_bytes;
  u64 rx_broadcast_packets;
  u64 rx_broadcast_bytes;
  u64 rx_multicast_packets;
  u64 rx_multicast_bytes;
  u64 tx_errors_gf_disabled;
  u64 tx_errors_vport_disabled;
  u64 tx_errors_invalid_vport_offset;
  u64 tx_errors_vlan_enforcement;
  u64 tx_errors_ethertype_enforcement;
  u64 tx_errors_source_address_enforcement;
  u64 tx_errors_sq_pdid_enforcement;
  u64 tx_errors_cq_pdid_enforcement;
  u64 tx_errors_mtu_violation;
  u64 tx_errors_invalid_oob;
  u64 tx_bytes;
  u64 tx_unicast_packets;
  u64 tx_unicast_bytes;
  u64 tx_broadcast_packets;
  u64 tx_broadcast_bytes;
  u64 tx_multicast_packets;
  u64 tx_multicast_bytes;
  u64 tx_errors_gdma;  // version 2
};
inline constexpr u32 kGfCounterBits = 27;
inline constexpr u64 kAllGfCounters = (1ull << kGfCounterBits) - 1;
static_assert(sizeof(GfCounters) == kGfCounterBits * sizeof(u64));

struct QueryGfStatResponse {
  ResponseHeader header;
  u64 reported;
  GfCounters counters;
};
static_assert(sizeof(QueryGfStatResponse) == 256);
static_assert(__builtin_offsetof(QueryGfStatResponse, counters.tx_errors_gdma) == 248);
static_assert(__builtin_offsetof(QueryGfStatResponse, counters.rx_multicast_packets) == 96);

struct ConfigVportTxRequest {
  RequestHeader header;
  u64 vport;
  u32 pdid;
  u32 doorbell_id;
};
static_assert(sizeof(ConfigVportTxRequest) == 56);

struct ConfigVportTxResponse {
  ResponseHeader header;
  u16 vport_offset;
  u8 short_form_allowed;
  u8 reserved;
};
static_assert(sizeof(ConfigVportTxResponse) == 36);

enum class WqType : u32 {
  kSq = 1,
  kRq = 2,
};

struct CreateWqObjectRequest {
  RequestHeader header;
  u64 vport;
  WqType wq_type;
  u32 reserved;
  u64 wq_region;
  u64 cq_region;
  u32 wq_bytes;
  u32 cq_bytes;
  u32 cq_moderation_context;
  u32 parent_eq;
};
static_assert(sizeof(CreateWqObjectRequest) == 88);

// Version 3 of the request: interrupt moderation of the CQ.
struct CreateWqObjectRequestV3 {
  union {
    RequestHeader header;
    CreateWqObjectRequest base;
  };
  u8 allow_wqe_chain;  // version 2
  u8 moderate;
  u16 moderation_count;
  u16 moderation_period;  // microseconds
  u16 reserved;
};
static_assert(sizeof(CreateWqObjectRequestV3) == 96);
static_assert(__builtin_offsetof(CreateWqObjectRequestV3, moderate) == 89);
static_assert(__builtin_offsetof(CreateWqObjectRequestV3, moderation_period) == 92);

struct CreateWqObjectResponse {
  ResponseHeader header;
  u32 wq_id;
  u32 cq_id;
  u64 object;
};
static_assert(sizeof(CreateWqObjectResponse) == 48);

// Version 2 of the response: what became of the moderation.
struct CreateWqObjectResponseV2 {
  CreateWqObjectResponse base;
  u16 granted_count;
  u16 granted_period;  // microseconds
  u8 moderated;
  u8 reserved[3];
};
static_assert(sizeof(CreateWqObjectResponseV2) == 56);
static_assert(__builtin_offsetof(CreateWqObjectResponseV2, moderated) == 52);

// Limits of both, and of the moderation doorbell.
inline constexpr u32 kMaxModerationPeriod = 1023;  // microseconds
inline constexpr u32 kMaxModerationCount = 255;    // completions

struct DestroyWqObjectRequest {
  RequestHeader header;
  WqType wq_type;
  u32 reserved;
  u64 object;
};
static_assert(sizeof(DestroyWqObjectRequest) == 56);

struct FenceRqRequest {
  RequestHeader header;
  u64 object;
};
static_assert(sizeof(FenceRqRequest) == 48);

enum class TriState : u32 {
  kOff = 0,
  kOn = 1,
  kUnchanged = 0xFFFFFFFF,
};

// Followed by `entry_count` RX object handles at `table_offset`.
struct ConfigVportRxRequest {
  RequestHeader header;
  u64 vport;
  u16 entry_count;
  u16 table_offset;  // from the start of the message
  TriState rx_enable;
  TriState rss_enable;
  u8 update_default_object;
  u8 update_hash_key;
  u8 update_table;
  u8 reserved0;
  u64 default_object;
  u8 hash_key[hash::kKeyBytes];
  // Version 2 from here.
  u8 coalesce_4;
  u8 reserved1[3];
  u16 hash_types;
  u8 coalesce_8;  // version 5
  u8 reserved2;
};
static_assert(sizeof(ConfigVportRxRequest) == 120);
inline constexpr u32 kConfigVportRxV1Bytes = 112;
static_assert(__builtin_offsetof(ConfigVportRxRequest, coalesce_4) == kConfigVportRxV1Bytes);
static_assert(__builtin_offsetof(ConfigVportRxRequest, hash_types) == 116);
static_assert(__builtin_offsetof(ConfigVportRxRequest, default_object) == 64);

struct ConfigVportRxResponse {
  ResponseHeader header;
  // Version 2.
  u32 coalescing_timeout_ns;
  u32 reserved;
};
static_assert(sizeof(ConfigVportRxResponse) == 40);

struct QueryVportConfigRequest {
  RequestHeader header;
  u32 index;
};
static_assert(sizeof(QueryVportConfigRequest) == 44);

struct QueryVportConfigResponse {
  ResponseHeader header;
  u32 max_sq;
  u32 max_rq;
  u32 indirection_entries;
  u32 reserved0;
  u8 mac[6];
  u8 reserved1[2];
  u64 vport;
};
static_assert(sizeof(QueryVportConfigResponse) == 64);

struct QueryLinkConfigRequest {
  RequestHeader header;
  u64 vport;
};
static_assert(sizeof(QueryLinkConfigRequest) == 48);

struct QueryLinkConfigResponse {
  ResponseHeader header;
  u32 qos_speed;  // Mb/s
  u8 qos_unconfigured;
  u8 reserved0[3];
  u32 link_speed;  // Mb/s
  u32 reserved1;
};
static_assert(sizeof(QueryLinkConfigResponse) == 48);

struct SetBwClampRequest {
  RequestHeader header;
  u64 vport;
  TriState enable;
  u32 speed;  // Mb/s
};
static_assert(sizeof(SetBwClampRequest) == 56);

struct SetBwClampResponse {
  ResponseHeader header;
  u8 qos_unconfigured;
  u8 reserved[7];
};
static_assert(sizeof(SetBwClampResponse) == 40);

struct QueryPhyStatRequest {
  RequestHeader header;
  u64 requested;
};
static_assert(sizeof(QueryPhyStatRequest) == 48);

struct QueryPhyStatResponse {
  ResponseHeader header;
  u64 reported;
  u64 rx_drops;
  u64 tx_drops;
  struct {
    u64 rx;
    u64 tx;
  } packets[8], bytes[8], pause[8];  // by traffic class
};
static_assert(sizeof(QueryPhyStatResponse) == 440);

}  // namespace mana::wire
