// SPDX-License-Identifier: GPL-2.0
#include "model/text.h"

namespace mana::model {

void TextWriter::put(char character) {
  if (left_ < 2)
    return;
  *at_++ = character;
  *at_ = '\0';
  left_--;
}

TextWriter& TextWriter::text(const char* text) {
  for (; *text != '\0'; text++)
    put(*text);
  return *this;
}

TextWriter& TextWriter::number(u64 value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0)
    put(digits[--count]);
  return *this;
}

TextWriter& TextWriter::hex(u64 value) {
  char digits[16];
  size_t count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value & 0xF];
    value >>= 4;
  } while (value != 0);
  text("0x");
  while (count > 0)
    put(digits[--count]);
  return *this;
}

TextWriter& TextWriter::mac(const u8 (&mac)[6]) {
  for (u32 i = 0; i < 6; i++) {
    if (i > 0)
      put(':');
    put("0123456789abcdef"[mac[i] >> 4]);
    put("0123456789abcdef"[mac[i] & 0xF]);
  }
  return *this;
}

TextWriter& TextWriter::member(const char* name, u64 value, bool first) {
  return text(first ? "\"" : ",\"").text(name).text("\":").number(value);
}

bool Word::is(const char* text) const {
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\0' || text[i] != begin[i])
      return false;
  }
  return text[length] == '\0';
}

bool Word::number(u64& value) const {
  u64 base = 10;
  size_t i = 0;
  if (length > 2 && begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X')) {
    base = 16;
    i = 2;
  }
  if (i == length)
    return false;
  u64 result = 0;
  for (; i < length; i++) {
    const char c = begin[i];
    u64 digit = 16;
    if (c >= '0' && c <= '9')
      digit = static_cast<u64>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<u64>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<u64>(c - 'A') + 10;
    if (digit >= base || result > (~0ull - digit) / base)
      return false;
    result = result * base + digit;
  }
  value = result;
  return true;
}

bool TextReader::contains(const char* set, char character) {
  for (; *set != '\0'; set++) {
    if (*set == character)
      return true;
  }
  return false;
}

Word TextReader::next() {
  while (*at_ != '\0' && contains(separators_, *at_))
    at_++;
  Word word{at_, 0};
  while (*at_ != '\0' && !contains(separators_, *at_) && !contains(terminators_, *at_)) {
    at_++;
    word.length++;
  }
  return word;
}

bool TextReader::next_entry() {
  while (*at_ != '\0' && !contains(terminators_, *at_))
    at_++;
  if (*at_ == '\0')
    return false;
  at_++;
  return true;
}

}  // namespace mana::model
