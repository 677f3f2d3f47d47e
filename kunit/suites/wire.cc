// SPDX-License-Identifier: GPL-2.0
// The vectors of the data sheet's Appendix B against src/wire. Single fields are in wire_fields.cc.
#include <initializer_list>

#include "kunit/harness/bytes.h"
#include "wire/bnic_commands.h"
#include "wire/mailbox.h"
#include "wire/registers.h"
#include "wire/tx.h"

namespace mana::kunit {
namespace {

using wire::OobSize;
using wire::WqeHeader;

// Room for the longest WQE of the appendix.
struct Wqe {
  alignas(8) u8 bytes[64] = {};

  template <typename T>
  void put(u32 offset, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    copy_bytes(bytes + offset, &value, sizeof(value));
  }
  void put_sge(OobSize oob, u32 index, const wire::Sge& sge) {
    put(wire::sgl_offset(oob) + index * sizeof(sge), sge);
  }
};

u32 header_dw1(OobSize oob, u32 sges) {
  return WqeHeader::SgeCount::put(sges) | WqeHeader::OobSizeCode::put(static_cast<u32>(oob));
}

// --- B.1 ---

constexpr wire::EstablishHwc kB1{.eq_frame = 0xA123456789ABC,
                                 .cq_frame = 0x0000000123456,
                                 .rq_frame = 0x3000000000001,
                                 .sq_frame = 0xF0000000FFFFF,
                                 .msix_vector = 0};

CASE(D7_establish_is_vector_B1) {
  u32 words[wire::smc::kWords] = {};
  kB1.encode(words);
  const u32 expected[wire::smc::kWords] = {0x56789abc, 0x34561234, 0x00000012, 0x00000001,
                                           0xffff0000, 0x0000000f, 0x0000f30a, 0x00000001};
  for (u32 i = 0; i < wire::smc::kWords; i++)
    EXPECT_EQ(words[i], expected[i]);
}

// The words come from whatever was in the mailbox before.
CASE(D7_establish_leaves_nothing_of_old_words) {
  u32 fresh[wire::smc::kWords] = {};
  u32 used[wire::smc::kWords];
  __builtin_memset(used, 0xFF, sizeof(used));
  kB1.encode(fresh);
  kB1.encode(used);
  for (u32 i = 0; i < wire::smc::kWords; i++)
    EXPECT_EQ(used[i], fresh[i]);
}

CASE(D7_every_bit_of_every_frame_has_a_place_of_its_own) {
  u32 all[wire::smc::kWords] = {};
  for (u32 queue = 0; queue < 4; queue++) {
    for (u32 bit = 0; bit < 52; bit++) {
      wire::EstablishHwc message{};
      u64* const frames[] = {&message.eq_frame, &message.cq_frame, &message.rq_frame,
                             &message.sq_frame};
      *frames[queue] = 1ull << bit;
      u32 words[wire::smc::kWords] = {};
      message.encode(words);
      for (u32 i = 0; i < 7; i++) {
        EXPECT_EQ(all[i] & words[i], 0u);
        all[i] |= words[i];
      }
      const auto back = wire::EstablishHwc::decode(words);
      EXPECT_EQ(back.eq_frame, message.eq_frame);
      EXPECT_EQ(back.cq_frame, message.cq_frame);
      EXPECT_EQ(back.rq_frame, message.rq_frame);
      EXPECT_EQ(back.sq_frame, message.sq_frame);
      EXPECT_EQ(back.msix_vector, 0u);
    }
  }
  // 4 * 52 bits, all of words 0 to 5 and the lower half of word 6.
  for (u32 i = 0; i < 6; i++)
    EXPECT_EQ(all[i], ~0u);
  EXPECT_EQ(all[6], 0xFFFFu);
}

CASE(D7_establish_at_its_extremes) {
  constexpr u64 kAll = wire::EstablishHwc::kMaxFrame;
  const wire::EstablishHwc full{kAll, kAll, kAll, kAll, 0xFFFF};
  u32 words[wire::smc::kWords] = {};
  full.encode(words);
  for (u32 i = 0; i < 7; i++)
    EXPECT_EQ(words[i], ~0u);
  EXPECT_EQ(words[7], 1u);
  EXPECT_EQ(wire::EstablishHwc::decode(words).msix_vector, 0xFFFFu);
  EXPECT_EQ(wire::EstablishHwc::decode(words).sq_frame, kAll);

  wire::EstablishHwc{}.encode(words);
  for (u32 i = 0; i < 7; i++)
    EXPECT_EQ(words[i], 0u);
  EXPECT_EQ(words[7], 1u);
}

CASE(D6_requests_have_nothing_but_type_and_version) {
  using namespace wire::smc;
  EXPECT_EQ(request_header(Type::kEstablishHwc, kEstablishVersion), 0x00000001u);
  EXPECT_EQ(request_header(Type::kDestroyHwc, kDestroyVersion), 0x00000002u);
  EXPECT_EQ(request_header(Type::kReportHwcTimeout, kReportTimeoutVersion), 0x0000000Cu);
  // Direction, status, reset, ownership and what is reserved stay 0 whatever is put in.
  EXPECT_EQ(request_header(static_cast<Type>(0xFF), ~0u), 0x0000003Fu);
}

CASE(D8_answers_of_B1) {
  using namespace wire::smc;
  for (const u32 type : {1u, 2u}) {
    const u32 answer = 0x80 | type;
    EXPECT_EQ(MessageType::get(answer), type);
    EXPECT_EQ(Version::get(answer), 0u);
    EXPECT_EQ(IsResponse::get(answer), 1u);
    EXPECT_EQ(Status::get(answer), 0u);
    EXPECT_EQ(OwnerIsDevice::get(answer), 0u);
  }
  EXPECT_EQ(Status::get(0x00000181), 1u);
  EXPECT_EQ(IsResponse::get(0x00000181), 1u);
}

// --- B.2 ---

CASE(D30_doorbells_of_work_queues_of_B2) {
  using namespace wire::doorbell;
  EXPECT_EQ(work_queue(0x18, 5 * wire::kBasicUnit), 0x000000a0'00000018ull);
  EXPECT_EQ(work_queue(0x1234, 0x7FFFFFFu * wire::kBasicUnit), 0xffffffe0'00001234ull);
  EXPECT_EQ(work_queue(0x1234, 0x8000000u * wire::kBasicUnit), 0x00000000'00001234ull);
}

CASE(D31_doorbells_of_completion_and_event_queues_of_B2) {
  using namespace wire::doorbell;
  EXPECT_EQ(completion_queue(0x2A, 64, true), 0x80000040'0000002aull);
  EXPECT_EQ(completion_queue(0x2A, (64 * 9 + 3) % 512, false), 0x00000043'0000002aull);
  EXPECT_EQ(event_queue(0x19, 261, true), 0x80000105'00000019ull);
}

CASE(moderation_of_B2) {
  using namespace wire::doorbell;
  EXPECT_EQ(QueueId::put(0x2A) | ModerationPeriod::put(64) | ModerationPeriodValid::put(1) |
                ModerationCount::put(16) | ModerationCountValid::put(1),
            0x80108040'0000002aull);
}

// No value may reach into another field, whatever a device handed out as an id.
CASE(D32_doorbell_values_at_their_extremes) {
  using namespace wire::doorbell;
  EXPECT_EQ(work_queue(~0u, 0), 0x00000000'00ffffffull);
  EXPECT_EQ(work_queue(0, ~0u), 0xffffffff'00000000ull);
  EXPECT_EQ(completion_queue(~0u, 0, false), 0x00000000'00ffffffull);
  EXPECT_EQ(completion_queue(0, ~0u, false), 0x7fffffff'00000000ull);
  EXPECT_EQ(completion_queue(0, 0, true), 0x80000000'00000000ull);
  EXPECT_EQ(event_queue(~0u, 0, false), 0x00000000'0000ffffull);
  EXPECT_EQ(event_queue(0, ~0u, false), 0x7fffffff'00000000ull);
  EXPECT_EQ(event_queue(0, 0, true), 0x80000000'00000000ull);
}

// --- B.3 ---

CASE(D27_owner_bits_of_B3) {
  const auto trailer = [](wire::EqeType type, u32 lap) {
    return wire::OwnerBits::put(lap) | wire::Eqe::Type::put(static_cast<u32>(type));
  };
  EXPECT_EQ(trailer(wire::EqeType::kHwcEqIdDoorbell, 1), 0x20000081u);
  EXPECT_EQ(trailer(wire::EqeType::kHwcInitData, 1), 0x20000082u);
  EXPECT_EQ(trailer(wire::EqeType::kHwcInitDone, 1), 0x20000083u);
  EXPECT_EQ(trailer(wire::EqeType::kCompletion, 8), 0x00000003u);
  EXPECT_EQ(trailer(wire::EqeType::kCompletion, 7), 0xe0000003u);
}

CASE(D12_event_data_of_B3) {
  using wire::Eqe;
  EXPECT_EQ(Eqe::HwcEqId::get(0x00030019), 0x19u);
  EXPECT_EQ(Eqe::HwcDoorbell::get(0x00030019), 3u);
  EXPECT_EQ(Eqe::ItemType::get(0x09000077), static_cast<u32>(wire::HwcInitItem::kGpaMkey));
  EXPECT_EQ(Eqe::ItemValue::get(0x09000077), 0x77u);
  EXPECT_EQ(Eqe::ItemType::get(0x07000080), static_cast<u32>(wire::HwcInitItem::kMaxCqs));
  EXPECT_EQ(Eqe::ItemValue::get(0x07000080), 128u);
}

// --- B.4 ---

CASE(D17_response_wqe_of_B4) {
  Wqe wqe;
  wqe.put(0, WqeHeader{.dw0 = 0, .dw1 = header_dw1(OobSize::k8, 1)});
  wqe.put_sge(OobSize::k8, 0, {.address = 0x12345000, .memory_key = 0x77, .size = 4096});
  EXPECT_BYTES(wqe.bytes,
               "00 00 00 00 01 02 00 00 00 00 00 00 00 00 00 00"
               "00 50 34 12 00 00 00 00 77 00 00 00 00 10 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(wire::wqe_bytes(OobSize::k8, 1), wire::kHwcResponseWqeBytes);
}

CASE(D17_request_wqe_of_B4) {
  Wqe wqe;
  wqe.put(0, WqeHeader{.dw0 = 0, .dw1 = header_dw1(OobSize::k24, 1)});
  wqe.put(8, wire::HwcRequestOob{.reserved0 = 0,
                                 .reserved1 = 0,
                                 .destination_rq = 0,
                                 .destination_cq = 0,
                                 .source_cq = wire::HwcRequestOob::QueueId::put(0x1A),
                                 .source_sq = wire::HwcRequestOob::QueueId::put(0x18)});
  wqe.put_sge(OobSize::k24, 0, {.address = 0x12344000, .memory_key = 0x77, .size = 640});
  EXPECT_BYTES(wqe.bytes,
               "00 00 00 00 01 06 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 1a 00 00 00 18 00 00 00"
               "00 40 34 12 00 00 00 00 77 00 00 00 80 02 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(wire::wqe_bytes(OobSize::k24, 1), wire::kHwcRequestWqeBytes);
  EXPECT_EQ(sizeof(wire::VerifyVersionRequest), 640u);
}

CASE(D25_response_completion_of_B4) {
  wire::HwcRxCqe cqe{};
  cqe.wqe_offset = 0x20;
  cqe.length = sizeof(wire::VerifyVersionResponse);
  cqe.trailer = wire::Cqe::WqId::put(0x1B) | wire::OwnerBits::put(1);
  EXPECT_BYTES(cqe,
               "00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00"
               "00 00 00 00 00 00 00 00 48 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 1b 00 00 20");
}

// --- B.5, B.6 ---

constexpr u32 kSq = 0x1418;
constexpr u32 kCq = 0x2A;

wire::TxOob short_oob() {
  using wire::TxOob;
  return {.dw = {TxOob::IsIpv4::put(1) | TxOob::ComputeTcpChecksum::put(1) | TxOob::CqId::put(kCq),
                 TxOob::TransportOffset::put(34) | TxOob::SqFrame::put(TxOob::SqFrame::get(kSq)) |
                     TxOob::ShortVportOffset::put(5),
                 0, 0, 0, 0}};
}

CASE(D52_short_form_of_B5) {
  Wqe wqe;
  wqe.put(0, WqeHeader{.dw0 = 0, .dw1 = header_dw1(OobSize::k8, 2)});
  const wire::TxOob oob = short_oob();
  wqe.put(8, oob.dw[0]);
  wqe.put(12, oob.dw[1]);
  wqe.put_sge(OobSize::k8, 0, {.address = 0x1000, .memory_key = 0x99, .size = 54});
  wqe.put_sge(OobSize::k8, 1, {.address = 0x2000, .memory_key = 0x99, .size = 1000});
  EXPECT_BYTES(wqe.bytes,
               "00 00 00 00 02 02 00 00 24 2a 00 00 22 14 00 05"
               "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
               "00 20 00 00 00 00 00 00 99 00 00 00 e8 03 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(wire::wqe_bytes(OobSize::k8, 2), 64u);
}

CASE(D56_completion_of_B5) {
  wire::Cqe cqe{};
  cqe.data[0] = wire::tx_cqe::Type::put(static_cast<u32>(wire::TxCqeType::kOk)) |
                wire::tx_cqe::ClientType::put(wire::kClientTypeBnic);
  cqe.data[2] = wire::tx_cqe::WqeByteOffset::put(2);
  cqe.trailer = wire::Cqe::WqId::put(kSq) | wire::Cqe::IsSq::put(1) | wire::OwnerBits::put(1);
  EXPECT_BYTES(cqe,
               "60 00 00 00 00 00 00 00 40 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 18 14 00 21");
  EXPECT_EQ(cqe.wq_id(), kSq);
  EXPECT(cqe.is_sq());
}

CASE(D54_segmentation_with_tag_of_B6) {
  using wire::TxOob;
  Wqe wqe;
  wqe.put(0, WqeHeader{.dw0 = WqeHeader::LastVbytes::put(54),
                       .dw1 = header_dw1(OobSize::k24, 2) | WqeHeader::ClientOobInSgl::put(1) |
                              WqeHeader::ClientDataUnit::put(1460)});
  TxOob oob = short_oob();
  oob.dw[0] |= TxOob::PacketFormat::put(TxOob::kLongFormat) | TxOob::ComputeIpChecksum::put(1);
  oob.dw[2] = TxOob::InjectVlan::put(1) | TxOob::Pcp::put(3) | TxOob::VlanId::put(100);
  wqe.put(8, oob);
  wqe.put_sge(OobSize::k24, 0, {.address = 0x1000, .memory_key = 0x99, .size = 54});
  wqe.put_sge(OobSize::k24, 1, {.address = 0x2000, .memory_key = 0x99, .size = 8192});
  EXPECT_BYTES(wqe.bytes,
               "00 00 00 36 02 0e b4 05 35 2a 00 00 22 14 00 05"
               "08 00 43 06 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
               "00 20 00 00 00 00 00 00 99 00 00 00 00 20 00 00");
  EXPECT_EQ(wire::wqe_bytes(OobSize::k24, 2), 64u);
}

CASE(D51_long_offset_of_B6) {
  const u32 dw3 = wire::TxOob::LongVportOffset::put(5);
  EXPECT_BYTES(dw3, "00 00 05 00");
}

// --- B.7 ---

CASE(D61_receive_completion_of_B7) {
  using wire::RxCqe;
  RxCqe cqe{};
  cqe.dw0 = RxCqe::Type::put(static_cast<u32>(wire::RxCqeType::kOk)) |
            RxCqe::ClientType::put(wire::kClientTypeBnic);
  cqe.flags = RxCqe::VlanId::put(100) | RxCqe::VlanPresent::put(1) |
              RxCqe::HashType::put(wire::hash::kTcpIpv4) | RxCqe::IpGood::put(1) |
              RxCqe::TcpGood::put(1);
  cqe.packets[0].length = 1514;
  cqe.packets[0].hash = 0xDEADBEEF;
  cqe.wqe_offset = 0x40;
  cqe.trailer = wire::Cqe::WqId::put(0x1C) | wire::OwnerBits::put(2);
  EXPECT_BYTES(cqe,
               "41 00 00 00 64 10 02 0a ea 05 00 00 00 00 00 00"
               "ef be ad de 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 40 00 00 00 1c 00 00 40");
  EXPECT_EQ(static_cast<u32>(cqe.type()), 1u);
}

// --- B.8 ---

CASE(D41_message_header_of_B8) {
  constexpr u32 kCommand = static_cast<u32>(wire::Command::kCreateDmaRegion);
  constexpr u32 kPages = 4;
  wire::CreateDmaRegionRequest message{};
  const u32 bytes = sizeof(message) + kPages * sizeof(u64);
  message.header.request = {.header_type = wire::MessageHeader::kStandard,
                            .message_type = kCommand,
                            .version = 1,
                            .message_id = 0,
                            .size = bytes};
  message.header.response = {.header_type = wire::MessageHeader::kStandard,
                             .message_type = kCommand,
                             .version = 1,
                             .message_id = 0,
                             .size = sizeof(wire::CreateDmaRegionResponse)};
  message.length = kPages * wire::kPageSize;
  message.page_count = message.addresses_here = kPages;
  EXPECT_BYTES(message,
               "00 00 00 00 19 00 00 00 01 00 00 00 60 00 00 00"
               "00 00 00 00 19 00 00 00 01 00 00 00 28 00 00 00"
               "00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00"
               "00 00 00 00 00 00 00 00 04 00 00 00 04 00 00 00");
}

// --- sizes ---

// Rounded up to whole units, SGL on 16 bytes, and the most SGEs that the limits of 512 and 256
// bytes leave (data sheet 5.2).
CASE(D35_sizes_of_wqes) {
  const struct {
    OobSize oob;
    u32 bytes, sgl, most_sq, most_rq;
  } forms[] = {
      {OobSize::k8, 8, 16, 31, 15}, {OobSize::k24, 24, 32, 30, 14}, {OobSize::k32, 32, 48, 29, 13}};
  for (const auto& form : forms) {
    EXPECT_EQ(wire::oob_bytes(form.oob), form.bytes);
    EXPECT_EQ(wire::sgl_offset(form.oob), form.sgl);
    EXPECT_EQ(wire::max_sges(wire::kMaxSqWqeBytes, form.oob), form.most_sq);
    EXPECT_EQ(wire::max_sges(wire::kMaxRqWqeBytes, form.oob), form.most_rq);
    for (u32 sges = 0; sges <= 40; sges++) {
      const u32 bytes = wire::wqe_bytes(form.oob, sges);
      const u32 used = form.sgl + 16 * sges;
      EXPECT_EQ(bytes % 32, 0u);
      EXPECT_GE(bytes, used);
      EXPECT_LE(bytes, used + 31);
      EXPECT_EQ(bytes <= 512, sges <= form.most_sq);
      EXPECT_EQ(bytes <= 256, sges <= form.most_rq);
    }
  }
  EXPECT_LE(wire::kMaxTxSges, wire::max_sges(wire::kMaxSqWqeBytes, OobSize::k24));
}

constexpr mana_case kCases[] = {
    LIST(D7_establish_is_vector_B1),
    LIST(D7_establish_leaves_nothing_of_old_words),
    LIST(D7_every_bit_of_every_frame_has_a_place_of_its_own),
    LIST(D7_establish_at_its_extremes),
    LIST(D6_requests_have_nothing_but_type_and_version),
    LIST(D8_answers_of_B1),
    LIST(D30_doorbells_of_work_queues_of_B2),
    LIST(D31_doorbells_of_completion_and_event_queues_of_B2),
    LIST(moderation_of_B2),
    LIST(D32_doorbell_values_at_their_extremes),
    LIST(D27_owner_bits_of_B3),
    LIST(D12_event_data_of_B3),
    LIST(D17_response_wqe_of_B4),
    LIST(D17_request_wqe_of_B4),
    LIST(D25_response_completion_of_B4),
    LIST(D52_short_form_of_B5),
    LIST(D56_completion_of_B5),
    LIST(D54_segmentation_with_tag_of_B6),
    LIST(D51_long_offset_of_B6),
    LIST(D61_receive_completion_of_B7),
    LIST(D41_message_header_of_B8),
    LIST(D35_sizes_of_wqes),
};

}  // namespace

MANA_SUITE(wire, kCases)

}  // namespace mana::kunit
