// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/utility.h"

namespace mana {

// Runs a function at the end of the scope, unless it was dismissed: undo what a constructor-like
// function has done so far when a later step fails.
template <typename Function>
class [[nodiscard]] ScopeExit : NonCopyable {
 public:
  explicit ScopeExit(Function function) : function_{mana::move(function)} {}
  ~ScopeExit() {
    if (armed_)
      function_();
  }

  void dismiss() { armed_ = false; }

 private:
  Function function_;
  bool armed_ = true;
};

}  // namespace mana
