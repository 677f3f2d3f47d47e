// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <type_traits>

namespace mana::kunit {

// Something to call, owned by somebody else: a lambda in the case's own scope. Empty at first.
//
//   auto count = [&](u32 n) { seen += n; };
//   device.on_event = count;
template <typename Signature>
class Hook;

template <typename R, typename... Arguments>
class Hook<R(Arguments...)> {
 public:
  Hook() = default;
  Hook(std::nullptr_t) {}
  template <typename F>
    requires(!std::is_same_v<std::remove_cv_t<F>, Hook>)
  Hook(F& callee)  // NOLINT: meant to convert
      : callee_{const_cast<void*>(static_cast<const void*>(&callee))},
        call_{[](void* self, Arguments... arguments) -> R {
          return (*static_cast<F*>(self))(arguments...);
        }} {}

  explicit operator bool() const { return call_ != nullptr; }
  R operator()(Arguments... arguments) const { return call_(callee_, arguments...); }

 private:
  void* callee_ = nullptr;
  R (*call_)(void*, Arguments...) = nullptr;
};

}  // namespace mana::kunit
