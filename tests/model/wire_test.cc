// SPDX-License-Identifier: GPL-2.0
// The data sheet's test vectors (Appendix B) against src/wire.
#include "scripted_driver.h"

namespace mana::test {
namespace {

template <typename T>
Bytes bytes_of(const T& value) {
  Bytes bytes(sizeof(value));
  std::memcpy(bytes.data(), static_cast<const void*>(&value), sizeof(value));
  return bytes;
}

Bytes hex(const char* text) {
  Bytes bytes;
  for (const char* at = text; *at != '\0';) {
    if (*at == ' ') {
      at++;
      continue;
    }
    bytes.push_back(static_cast<uint8_t>(std::stoul(std::string(at, 2), nullptr, 16)));
    at += 2;
  }
  return bytes;
}

TEST(Wire, D7_EstablishVectorB1) {
  const wire::EstablishHwc message{0xA123456789ABC, 0x0000000123456, 0x3000000000001,
                                   0xF0000000FFFFF, 0};
  u32 words[8] = {};
  message.encode(words);
  const u32 expected[8] = {0x56789abc, 0x34561234, 0x00000012, 0x00000001,
                           0xffff0000, 0x0000000f, 0x0000f30a, 0x00000001};
  for (int i = 0; i < 8; i++)
    EXPECT_EQ(words[i], expected[i]) << "dw" << i;

  const auto back = wire::EstablishHwc::decode(words);
  EXPECT_EQ(back.eq_frame, message.eq_frame);
  EXPECT_EQ(back.cq_frame, message.cq_frame);
  EXPECT_EQ(back.rq_frame, message.rq_frame);
  EXPECT_EQ(back.sq_frame, message.sq_frame);
  EXPECT_EQ(back.msix_vector, 0);
}

TEST(Wire, D7_EstablishKeepsEveryBit) {
  for (int bit = 0; bit < 52; bit++) {
    for (int queue = 0; queue < 4; queue++) {
      wire::EstablishHwc message{};
      u64* frames[] = {&message.eq_frame, &message.cq_frame, &message.rq_frame, &message.sq_frame};
      *frames[queue] = 1ull << bit;
      message.msix_vector = 0xABCD;
      u32 words[8] = {};
      message.encode(words);
      const auto back = wire::EstablishHwc::decode(words);
      const u64 found[] = {back.eq_frame, back.cq_frame, back.rq_frame, back.sq_frame};
      for (int i = 0; i < 4; i++)
        EXPECT_EQ(found[i], i == queue ? 1ull << bit : 0) << bit;
      EXPECT_EQ(back.msix_vector, 0xABCD);
    }
  }
}

TEST(Wire, D6_D8_MailboxHeadersB1) {
  using namespace wire::smc;
  EXPECT_EQ(request_header(Type::kEstablishHwc, 0), 0x00000001u);
  EXPECT_EQ(request_header(Type::kDestroyHwc, 0), 0x00000002u);
  EXPECT_EQ(request_header(Type::kReportHwcTimeout, 1), 0x0000000Cu);
  for (const u32 answer : {0x00000081u, 0x00000082u})
    EXPECT_TRUE(IsResponse::get(answer) == 1 && Status::get(answer) == 0 &&
                OwnerIsDevice::get(answer) == 0);
  EXPECT_EQ(Status::get(0x00000181u), 1u);
}

TEST(Wire, D30_DoorbellVectorsB2) {
  using namespace wire::doorbell;
  EXPECT_EQ(work_queue(0x18, 5 * 32), 0x000000a000000018u);
  EXPECT_EQ(work_queue(0x1234, 0x7FFFFFFu * 32), 0xffffffe000001234u);
  EXPECT_EQ(work_queue(0x1234, static_cast<u32>(0x8000000ull * 32)), 0x0000000000001234u);
}

TEST(Wire, D31_DoorbellVectorsB2) {
  using namespace wire::doorbell;
  EXPECT_EQ(completion_queue(0x2A, 64, true), 0x800000400000002au);
  EXPECT_EQ(completion_queue(0x2A, (64 * 9 + 3) % 512, false), 0x000000430000002au);
  EXPECT_EQ(event_queue(0x19, 261, true), 0x8000010500000019u);
}

TEST(Wire, ModerationVectorB2) {
  using namespace wire::doorbell;
  EXPECT_EQ(QueueId::put(0x2A) | ModerationPeriod::put(64) | ModerationPeriodValid::put(1) |
                ModerationCount::put(16) | ModerationCountValid::put(1),
            0x801080400000002au);
}

TEST(Wire, D27_OwnerBitsB3) {
  const auto trailer = [](wire::EqeType type, u32 lap) {
    return wire::OwnerBits::put(lap) | wire::Eqe::Type::put(static_cast<u32>(type));
  };
  EXPECT_EQ(trailer(wire::EqeType::kHwcEqIdDoorbell, 1), 0x20000081u);
  EXPECT_EQ(trailer(wire::EqeType::kHwcInitData, 1), 0x20000082u);
  EXPECT_EQ(trailer(wire::EqeType::kHwcInitDone, 1), 0x20000083u);
  EXPECT_EQ(trailer(wire::EqeType::kCompletion, 0), 0x00000003u);
  EXPECT_EQ(trailer(wire::EqeType::kCompletion, 7), 0xe0000003u);
  EXPECT_EQ(wire::Eqe::HwcEqId::put(0x19) | wire::Eqe::HwcDoorbell::put(3), 0x00030019u);
  EXPECT_EQ(wire::Eqe::ItemType::put(9) | wire::Eqe::ItemValue::put(0x77), 0x09000077u);
  EXPECT_EQ(wire::Eqe::ItemType::put(7) | wire::Eqe::ItemValue::put(128), 0x07000080u);
}

TEST(Wire, D17_HwcWqesB4) {
  EXPECT_EQ(make_wqe({.sges = {{0x12345000, 0x77, 4096}}}),
            hex("00 00 00 00 01 02 00 00 00 00 00 00 00 00 00 00"
                "00 50 34 12 00 00 00 00 77 00 00 00 00 10 00 00"));
  wire::HwcRequestOob oob = {};
  oob.source_cq = wire::HwcRequestOob::QueueId::put(0x1A);
  oob.source_sq = wire::HwcRequestOob::QueueId::put(0x18);
  std::vector<uint32_t> words(6);
  std::memcpy(words.data(), &oob, sizeof(oob));
  EXPECT_EQ(make_wqe({.sges = {{0x12344000, 0x77, 640}}, .oob = words}),
            hex("00 00 00 00 01 06 00 00 00 00 00 00 00 00 00 00"
                "00 00 00 00 00 00 00 00 1a 00 00 00 18 00 00 00"
                "00 40 34 12 00 00 00 00 77 00 00 00 80 02 00 00"
                "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
  EXPECT_EQ(wire::wqe_bytes(wire::OobSize::k24, 1), wire::kHwcRequestWqeBytes);
  EXPECT_EQ(wire::wqe_bytes(wire::OobSize::k8, 1), wire::kHwcResponseWqeBytes);
}

TEST(Wire, D25_HwcRxCqeB4) {
  wire::HwcRxCqe cqe = {};
  cqe.wqe_offset = 0x20;
  cqe.length = 72;
  cqe.trailer = wire::Cqe::WqId::put(0x1B) | wire::OwnerBits::put(1);
  Bytes expected(64);
  expected[12] = 0x20;
  expected[24] = 0x48;
  expected[60] = 0x1B;
  expected[63] = 0x20;
  EXPECT_EQ(bytes_of(cqe), expected);
}

TEST(Wire, D52_ShortFormB5) {
  using wire::TxOob;
  const uint32_t dw0 =
      TxOob::IsIpv4::put(1) | TxOob::ComputeTcpChecksum::put(1) | TxOob::CqId::put(0x2A);
  const uint32_t dw1 = TxOob::TransportOffset::put(34) |
                       TxOob::SqFrame::put(TxOob::SqFrame::get(0x1418)) |
                       TxOob::ShortVportOffset::put(5);
  const WqeSpec spec{.sges = {{0x1000, 0x99, 54}, {0x2000, 0x99, 1000}}, .oob = {dw0, dw1}};
  EXPECT_EQ(make_wqe(spec), hex("00 00 00 00 02 02 00 00 24 2a 00 00 22 14 00 05"
                                "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
                                "00 20 00 00 00 00 00 00 99 00 00 00 e8 03 00 00"
                                "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
  EXPECT_EQ(wire::wqe_bytes(wire::OobSize::k8, 2), 64u);
}

TEST(Wire, D56_TxCompletionB5) {
  const u32 dw0 = wire::tx_cqe::Type::put(32) | wire::tx_cqe::ClientType::put(1);
  EXPECT_EQ(dw0, 0x60u);
  EXPECT_EQ((2u * 32) & wire::tx_cqe::WqeByteOffset::kMask, 0x40u);
  EXPECT_EQ(wire::Cqe::WqId::put(0x1418) | wire::Cqe::IsSq::put(1) | wire::OwnerBits::put(1),
            0x21001418u);
}

TEST(Wire, D51_D54_LsoVlanLongFormB6) {
  using wire::TxOob;
  const auto wqe = [](uint32_t long_offset) {
    const uint32_t dw0 = TxOob::PacketFormat::put(TxOob::kLongFormat) | TxOob::IsIpv4::put(1) |
                         TxOob::ComputeIpChecksum::put(1) | TxOob::ComputeTcpChecksum::put(1) |
                         TxOob::CqId::put(0x2A);
    const uint32_t dw1 = TxOob::TransportOffset::put(34) |
                         TxOob::SqFrame::put(TxOob::SqFrame::get(0x1418)) |
                         TxOob::ShortVportOffset::put(5);
    const uint32_t dw2 = TxOob::InjectVlan::put(1) | TxOob::Pcp::put(3) | TxOob::VlanId::put(100);
    return make_wqe({.sges = {{0x1000, 0x99, 54}, {0x2000, 0x99, 8192}},
                     .oob = {dw0, dw1, dw2, TxOob::LongVportOffset::put(long_offset), 0, 0},
                     .last_vbytes = 54,
                     .client_data_unit = 1460,
                     .oob_in_sgl = true});
  };
  Bytes expected =
      hex("00 00 00 36 02 0e b4 05 35 2a 00 00 22 14 00 05"
          "08 00 43 06 00 00 00 00 00 00 00 00 00 00 00 00"
          "00 10 00 00 00 00 00 00 99 00 00 00 36 00 00 00"
          "00 20 00 00 00 00 00 00 99 00 00 00 00 20 00 00");
  EXPECT_EQ(wqe(0), expected);
  expected[0x16] = 0x05;
  EXPECT_EQ(wqe(5), expected);
}

TEST(Wire, D58_D61_RxCompletionB7) {
  using wire::RxCqe;
  RxCqe cqe = {};
  cqe.dw0 = RxCqe::Type::put(1) | RxCqe::ClientType::put(1);
  cqe.flags = RxCqe::VlanId::put(100) | RxCqe::VlanPresent::put(1) |
              RxCqe::HashType::put(wire::hash::kTcpIpv4) | RxCqe::IpGood::put(1) |
              RxCqe::TcpGood::put(1);
  cqe.packets[0] = {.length = 1514, .hash = 0xDEADBEEF};
  cqe.wqe_offset = 0x40;
  cqe.trailer = wire::Cqe::WqId::put(0x1C) | wire::OwnerBits::put(2);
  const Bytes bytes = bytes_of(cqe);
  EXPECT_EQ(slice(bytes, 0, 0x14),
            hex("41 00 00 00 64 10 02 0a ea 05 00 00 00 00 00 00 ef be ad de"));
  EXPECT_EQ(slice(bytes, 0x14, 0x38), Bytes(0x24));
  EXPECT_EQ(slice(bytes, 0x38, 0x40), hex("40 00 00 00 1c 00 00 40"));
}

TEST(Wire, D41_MessageHeaderB8) {
  wire::CreateDmaRegionRequest message = {};
  auto& header = message.header;
  header.request = {0, static_cast<u32>(wire::Command::kCreateDmaRegion), 1, 0, 96};
  header.response = {0, static_cast<u32>(wire::Command::kCreateDmaRegion), 1, 0, 40};
  message.length = 16384;
  message.page_count = message.addresses_here = 4;
  EXPECT_EQ(bytes_of(message), hex("00 00 00 00 19 00 00 00 01 00 00 00 60 00 00 00"
                                   "00 00 00 00 19 00 00 00 01 00 00 00 28 00 00 00"
                                   "00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00"
                                   "00 00 00 00 00 00 00 00 04 00 00 00 04 00 00 00"));
}

}  // namespace
}  // namespace mana::test
