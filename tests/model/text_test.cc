// SPDX-License-Identifier: GPL-2.0
#include "model/text.h"

#include <gtest/gtest.h>

#include <string>

namespace mana::test {
namespace {

using model::TextReader;
using model::TextWriter;
using model::Word;

TEST(TextWriter, AlwaysTerminatedNeverBeyond) {
  for (size_t size = 0; size < 12; size++) {
    std::string buffer(size, 'x');
    TextWriter writer{buffer.data(), size};
    writer.text("abc").number(1234567890);
    if (size > 0) {
      EXPECT_EQ(std::string(buffer.c_str()), std::string("abc1234567890").substr(0, size - 1));
    }
  }
}

TEST(TextWriter, Numbers) {
  char buffer[200];
  TextWriter writer{buffer, sizeof(buffer)};
  const u8 mac[6] = {0x52, 0x54, 0, 0x12, 0xAB, 0xFF};
  writer.number(0)
      .text(" ")
      .number(~0ull)
      .text(" ")
      .hex(0)
      .text(" ")
      .hex(0xDEADBEEFull << 4)
      .text(" ")
      .mac(mac);
  writer.member("a", 1, true).member("b", 2);
  EXPECT_STREQ(buffer, "0 18446744073709551615 0x0 0xdeadbeef0 52:54:00:12:ab:ff\"a\":1,\"b\":2");
}

TEST(TextReader, WordsAndEntries) {
  TextReader reader{" a=b  c:dd;;e", " :=", ";,"};
  for (const char* expected : {"a", "b", "c", "dd", "", ""})
    EXPECT_TRUE(reader.next().is(expected)) << expected;
  EXPECT_TRUE(reader.next_entry());
  EXPECT_TRUE(reader.next().empty());
  EXPECT_TRUE(reader.next_entry());
  EXPECT_TRUE(reader.next().is("e"));
  EXPECT_FALSE(reader.next_entry());
  EXPECT_TRUE(reader.next().empty());
}

TEST(Word, Numbers) {
  u64 value = 0;
  const auto read = [&](const char* text) { return TextReader{text, " "}.next().number(value); };
  EXPECT_TRUE(read("0") && value == 0);
  EXPECT_TRUE(read("18446744073709551615") && value == ~0ull);
  EXPECT_TRUE(read("0xFFFFffffFFFFffff") && value == ~0ull);
  EXPECT_TRUE(read("0x20004") && value == 0x20004);
  for (const char* bad :
       {"", "x", "0x", "12a", "18446744073709551616", "0x10000000000000000", "-1", "0xg"})
    EXPECT_FALSE(read(bad)) << bad;
}

}  // namespace
}  // namespace mana::test
