// SPDX-License-Identifier: GPL-2.0
// Every bit field of src/wire: where the data sheet has it, at its extremes, apart from the others
// of its word.
#include <initializer_list>

#include "kunit/harness/test.h"
#include "wire/events.h"
#include "wire/hwc.h"
#include "wire/mailbox.h"
#include "wire/registers.h"
#include "wire/rx.h"
#include "wire/tx.h"

namespace mana::kunit {
namespace {

// One field of a word; `high` and `low` as the data sheet numbers them. The mask.
template <typename Field>
u64 field(u32 high, u32 low) {
  using Word = decltype(Field::put(0));
  constexpr Word kAll = static_cast<Word>(~Word{0});
  const u32 width = high - low + 1;
  const u64 most = width == 64 ? ~0ull : (1ull << width) - 1;
  const Word mask = static_cast<Word>(most << low);

  EXPECT_EQ(Field::kMask, mask);
  EXPECT_EQ(Field::kMax, most);
  EXPECT_EQ(Field::put(0), 0u);
  EXPECT_EQ(Field::put(1), static_cast<Word>(1ull << low));
  EXPECT_EQ(Field::put(most), mask);
  EXPECT_EQ(Field::put(~0ull), mask);  // what does not fit harms nobody
  EXPECT_EQ(Field::get(0), 0u);
  EXPECT_EQ(Field::get(kAll), most);
  EXPECT_EQ(Field::get(mask), most);
  EXPECT_EQ(Field::get(static_cast<Word>(~mask)), 0u);
  EXPECT_EQ(Field::replace(kAll, 0), static_cast<Word>(~mask));
  EXPECT_EQ(Field::replace(0, ~0ull), mask);
  EXPECT(Field::fits(most));
  EXPECT(!Field::fits(most + 1) || most == ~0ull);
  return mask;
}

// All fields of one word: no two overlap, and together they are all that is not reserved.
void word(std::initializer_list<u64> fields, u64 defined) {
  u64 all = 0;
  for (const u64 mask : fields) {
    EXPECT_EQ(all & mask, 0u);
    all |= mask;
  }
  EXPECT_EQ(all, defined);
}

CASE(register_map) {
  using namespace wire::reg;
  word({field<VersionMicro>(15, 0), field<VersionMinor>(23, 16), field<VersionMajor>(31, 24)},
       0xFFFFFFFF);
  word({field<DoorbellPageSize>(15, 0)}, 0xFFFF);
  word({field<MailboxSize>(15, 0)}, 0xFFFF);
}

CASE(mailbox_header) {
  using namespace wire::smc;
  word({field<MessageType>(2, 0), field<Version>(5, 3), field<IsResponse>(7, 7),
        field<Status>(15, 8), field<ResetVf>(24, 24), field<OwnerIsDevice>(31, 31)},
       0x8100FFBF);
}

CASE(establish_frames) {
  using Establish = wire::EstablishHwc;
  word({field<Establish::FrameLow>(47, 0), field<Establish::FrameHigh>(51, 48)},
       Establish::kMaxFrame);
}

CASE(doorbells) {
  using namespace wire::doorbell;
  const u64 id = field<QueueId>(23, 0);
  word({id, field<RqWqeCount>(31, 24), field<WqTail>(63, 32)}, ~0ull);
  word({id, field<Index>(62, 32), field<Arm>(63, 63)}, 0xFFFFFFFF'00FFFFFF);
  word({field<EqId>(15, 0), field<Index>(62, 32), field<Arm>(63, 63)}, 0xFFFFFFFF'0000FFFF);
  word({id, field<ModerationPeriod>(41, 32), field<ModerationPeriodValid>(47, 47),
        field<ModerationCount>(55, 48), field<ModerationCountValid>(63, 63)},
       0x80FF83FF'00FFFFFF);
}

CASE(wqe_header) {
  using Header = wire::WqeHeader;
  word({field<Header::LastVbytes>(31, 24)}, 0xFF000000);
  word({field<Header::SgeCount>(7, 0), field<Header::OobSizeCode>(10, 8),
        field<Header::ClientOobInSgl>(11, 11), field<Header::ClientDataUnit>(29, 16),
        field<Header::DirectSgl>(31, 31)},
       0xBFFF0FFF);
}

CASE(entry_trailers) {
  const u64 owner = field<wire::OwnerBits>(31, 29);
  word({field<wire::Cqe::WqId>(23, 0), field<wire::Cqe::IsSq>(24, 24), owner}, 0xE1FFFFFF);
  word({field<wire::Eqe::Type>(7, 0), field<wire::Eqe::ClientId>(17, 16), owner}, 0xE00300FF);
}

CASE(event_data) {
  using wire::Eqe;
  word({field<Eqe::CqId>(23, 0)}, 0x00FFFFFF);
  word({field<Eqe::HwcEqId>(15, 0), field<Eqe::HwcDoorbell>(31, 16)}, 0xFFFFFFFF);
  word({field<Eqe::ItemValue>(23, 0), field<Eqe::ItemType>(31, 24)}, 0xFFFFFFFF);
  word({field<Eqe::RevokeVf>(0, 0)}, 1);
  word({field<wire::HwcRequestOob::QueueId>(23, 0)}, 0x00FFFFFF);
}

CASE(transmit_oob) {
  using Oob = wire::TxOob;
  word({field<Oob::PacketFormat>(1, 0), field<Oob::IsIpv4>(2, 2), field<Oob::IsIpv6>(3, 3),
        field<Oob::ComputeIpChecksum>(4, 4), field<Oob::ComputeTcpChecksum>(5, 5),
        field<Oob::ComputeUdpChecksum>(6, 6), field<Oob::SuppressCqe>(7, 7),
        field<Oob::CqId>(31, 8)},
       0xFFFFFFFF);
  word({field<Oob::TransportOffset>(9, 0), field<Oob::SqFrame>(23, 10),
        field<Oob::ShortVportOffset>(31, 24)},
       0xFFFFFFFF);
  word({field<Oob::Encapsulated>(0, 0), field<Oob::InjectVlan>(3, 3), field<Oob::Pcp>(18, 16),
        field<Oob::Dei>(19, 19), field<Oob::VlanId>(31, 20)},
       0xFFFF0009);
  word({field<Oob::LongVportOffset>(27, 16)}, 0x0FFF0000);
}

CASE(transmit_completion) {
  using namespace wire::tx_cqe;
  word({field<Type>(5, 0), field<ClientType>(7, 6), field<VendorError>(31, 8)}, 0xFFFFFFFF);
  word({field<WqeByteOffset>(31, 5)}, 0xFFFFFFE0);
}

CASE(receive_completion) {
  using wire::RxCqe;
  word({field<RxCqe::Type>(5, 0), field<RxCqe::ClientType>(7, 6), field<RxCqe::VendorError>(31, 8)},
       0xFFFFFFFF);
  word({field<RxCqe::VlanId>(11, 0), field<RxCqe::VlanPresent>(12, 12),
        field<RxCqe::OuterIpGood>(13, 13), field<RxCqe::OuterIpBad>(14, 14),
        field<RxCqe::HashType>(24, 16), field<RxCqe::IpGood>(25, 25), field<RxCqe::IpBad>(26, 26),
        field<RxCqe::TcpGood>(27, 27), field<RxCqe::TcpBad>(28, 28), field<RxCqe::UdpGood>(29, 29),
        field<RxCqe::UdpBad>(30, 30)},
       0x7FFF7FFF);
}

constexpr mana_case kCases[] = {
    LIST(register_map),        LIST(mailbox_header),     LIST(establish_frames), LIST(doorbells),
    LIST(wqe_header),          LIST(entry_trailers),     LIST(event_data),       LIST(transmit_oob),
    LIST(transmit_completion), LIST(receive_completion),
};

}  // namespace

MANA_SUITE(wire_fields, kCases)

}  // namespace mana::kunit
