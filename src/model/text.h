// SPDX-License-Identifier: GPL-2.0
// Text without a C library: building one line, and reading words.
#pragma once

#include "base/utility.h"

namespace mana::model {

// Appends to a caller's buffer, which is always terminated; what does not fit is cut off.
class TextWriter {
 public:
  TextWriter(char* buffer, size_t size) : at_{buffer}, left_{size} {
    if (left_ > 0)
      *at_ = '\0';
  }

  TextWriter& text(const char* text);
  TextWriter& number(u64 value);
  TextWriter& hex(u64 value);
  TextWriter& mac(const u8 (&mac)[6]);

  // `"name":value`, with a comma in front unless it is the first member.
  TextWriter& member(const char* name, u64 value, bool first = false);

 private:
  void put(char character);

  char* at_;
  size_t left_;
};

// A word of somebody else's text.
struct Word {
  const char* begin = nullptr;
  size_t length = 0;

  bool empty() const { return length == 0; }
  bool is(const char* text) const;
  // Decimal, or hexadecimal after 0x. False if it is anything else or does not fit.
  bool number(u64& value) const;
};

// Splits text into words at any of `separators`; stops at the end or at any of `terminators`.
class TextReader {
 public:
  explicit TextReader(const char* text, const char* separators, const char* terminators = "")
      : at_{text}, separators_{separators}, terminators_{terminators} {}

  // The next word; empty at the end of the entry.
  Word next();
  // Steps over one terminator. False at the end of the text.
  bool next_entry();
  const char* rest() const { return at_; }

 private:
  static bool contains(const char* set, char character);

  const char* at_;
  const char* separators_;
  const char* terminators_;
};

}  // namespace mana::model
