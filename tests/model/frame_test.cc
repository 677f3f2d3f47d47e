// SPDX-License-Identifier: GPL-2.0
#include "model/frame.h"

#include <gtest/gtest.h>

#include "model/checksum.h"
#include "packets.h"

namespace mana::test {
namespace {

using model::FrameLayout;
using model::L3;
using model::L4;

FrameLayout parse(const Bytes& frame, model::LengthSource source = model::LengthSource::kIpHeader) {
  return model::parse_frame(frame.data(), static_cast<u32>(frame.size()), source);
}

TEST(Checksum, MatchesThePlainComputation) {
  Bytes bytes;
  for (uint32_t length = 0; length < 200; length++) {
    EXPECT_EQ(model::checksum_fold(model::checksum_add(0, bytes.data(), length)),
              static_cast<u16>(__builtin_bswap16(static_cast<u16>(~internet_checksum(bytes)))))
        << length;
    bytes.push_back(static_cast<uint8_t>(length * 31 + 200));
  }
  const Bytes ones(65536, 0xFF);
  EXPECT_EQ(model::checksum_fold(model::checksum_add(0, ones.data(), 65536)), 0xFFFF);
}

TEST(FrameLayout, FindsHeaders) {
  for (const int family : {4, 6}) {
    for (const int tag : {-1, 5}) {
      const PacketSpec spec{.family = family, .payload = 10, .tag = tag};
      const FrameLayout layout = parse(make_packet(spec));
      EXPECT_EQ(layout.l3, family == 4 ? L3::kIpv4 : L3::kIpv6);
      EXPECT_EQ(layout.l4, L4::kTcp);
      EXPECT_EQ(layout.l3_offset, l3_offset(spec));
      EXPECT_EQ(layout.l4_offset, l4_offset(spec));
      EXPECT_EQ(layout.l4_length, 42u);
    }
  }
}

TEST(FrameLayout, Ipv6Extensions) {
  Bytes frame = make_packet({.family = 6, .protocol = 17, .payload = 10});
  // Hop-by-hop options of 16 bytes, then a destination header of 8.
  Bytes extensions(24);
  extensions[0] = 60;
  extensions[1] = 1;
  extensions[16] = 17;
  frame[20] = 0;
  frame.insert(frame.begin() + 54, extensions.begin(), extensions.end());
  put16(frame, 18, 18 + 24);
  FrameLayout layout = parse(frame);
  EXPECT_EQ(layout.l4, L4::kUdp);
  EXPECT_EQ(layout.l4_offset, 78u);
  EXPECT_EQ(layout.l4_length, 18u);
  // A fragment header hides the rest.
  frame[20] = 44;
  frame[54] = 17;
  layout = parse(frame);
  EXPECT_TRUE(layout.fragment);
  EXPECT_EQ(layout.l4, L4::kOther);
}

TEST(FrameLayout, V14_Ipv6ExtensionsThatClaimTooMuch) {
  for (const uint8_t kind : {0, 43, 60, 44}) {
    for (const uint32_t payload : {7u, 8u, 9u, 15u, 16u, 24u}) {
      Bytes frame = make_packet({.family = 6, .protocol = kind, .payload = payload});
      for (const uint8_t units : {0, 1, 2, 255}) {
        frame[54] = kind;  // and so on, for ever
        frame[55] = units;
        const FrameLayout layout = parse(frame);
        EXPECT_LE(layout.l4_offset, frame.size());
        EXPECT_LE(layout.l4_length, frame.size() - layout.l4_offset);
        EXPECT_EQ(layout.l4, L4::kOther);
      }
    }
  }
}

TEST(FrameLayout, V14_EveryTruncationStaysInside) {
  for (const int family : {4, 6}) {
    for (const int protocol : {6, 17}) {
      const Bytes whole = make_packet({.family = family, .protocol = protocol, .tag = 3});
      for (size_t length = 0; length <= whole.size(); length++) {
        // An allocation of its own, so that the sanitizer sees its end.
        const Bytes frame(whole.begin(), whole.begin() + static_cast<long>(length));
        for (const auto source : {model::LengthSource::kIpHeader, model::LengthSource::kFrame}) {
          const FrameLayout layout = parse(frame, source);
          EXPECT_LE(layout.l4_offset + layout.l4_length, std::max<size_t>(length, 18));
        }
      }
    }
  }
}

TEST(FrameLayout, V14_LiesAboutLengths) {
  for (const uint32_t total : {0u, 19u, 20u, 1000u, 65535u}) {
    Bytes frame = make_packet({});
    put16(frame, 16, total);
    EXPECT_EQ(parse(frame).l4, L4::kOther) << total;
  }
  Bytes frame = make_packet({});
  frame[14] = 0x4F;  // a header of 60 bytes: what is behind it is too short for TCP no more
  EXPECT_LE(parse(frame).l4_offset, frame.size());
  frame[14] = 0x44;
  EXPECT_EQ(parse(frame).l3, L3::kOther);
  frame[14] = 0x65;
  EXPECT_EQ(parse(frame).l3, L3::kOther);
}

TEST(Frame, TagsMoveOutAndIn) {
  const Bytes tagged = make_packet({.tag = 0x2005});
  Bytes memory(64);
  memory.insert(memory.end(), tagged.begin(), tagged.end());
  model::Frame frame;
  frame.bytes = memory.data() + 64;
  frame.length = static_cast<u32>(tagged.size());
  ASSERT_TRUE(frame.take_tag());
  EXPECT_EQ(frame.tci, 0x2005);
  EXPECT_TRUE(frame.tagged);
  EXPECT_EQ(Bytes(frame.bytes, frame.bytes + frame.length), make_packet({}));
  EXPECT_FALSE(frame.take_tag());
  frame.put_tag();
  EXPECT_EQ(Bytes(frame.bytes, frame.bytes + frame.length), tagged);
}

}  // namespace
}  // namespace mana::test
