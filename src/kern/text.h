// SPDX-License-Identifier: GPL-2.0
// A text for a person, over the seam's text.h: names with values, in groups.
#pragma once

#include "base/span.h"
#include "base/utility.h"
#include "shim/text.h"

namespace mana::kern {

class Text : NonCopyable {
 public:
  explicit Text(shim_text* text) : text_{text} {}

  // Ends where it goes out of scope.
  class [[nodiscard]] Group : NonCopyable {
   public:
    Group(const Text& text, const char* name) : text_{text.text_} { shim_text_begin(text_, name); }
    Group(const Text& text, const char* name, u32 index) : text_{text.text_} {
      shim_text_begin_number(text_, name, index);
    }
    ~Group() { shim_text_end(text_); }

   private:
    shim_text* text_;
  };

  void number(const char* name, u64 value) const { shim_text_number(text_, name, value); }
  void hex(const char* name, u64 value) const { shim_text_hex(text_, name, value); }
  void word(const char* name, const char* value) const { shim_text_word(text_, name, value); }
  void yes_no(const char* name, bool value) const { word(name, value ? "yes" : "no"); }
  void dwords(u32 index, Span<const u32> values) const {
    shim_text_dwords(text_, index, values.data(), static_cast<u32>(values.size()));
  }

 private:
  shim_text* text_;
};

}  // namespace mana::kern
