// SPDX-License-Identifier: GPL-2.0
// Result<T>: a value or an errno, and TRY to pass the errno on.
//
//   Result<u32> length = parse(message);
//   u32 value = TRY(parse(message));    // returns the error from the enclosing function
#pragma once

#include "base/new.h"
#include "base/types.h"
#include "base/utility.h"

namespace mana {

// The positive errno numbers that the driver produces. Values are those of Linux on every
// architecture the driver supports; other numbers pass through unchanged.
enum class Errno : s32 {
  kPermission = 1,      // EPERM
  kInterrupted = 4,     // EINTR
  kIo = 5,              // EIO
  kNoMemory = 12,       // ENOMEM
  kBusy = 16,           // EBUSY
  kNoDevice = 19,       // ENODEV
  kInvalid = 22,        // EINVAL
  kNoSpace = 28,        // ENOSPC
  kRange = 34,          // ERANGE
  kProtocol = 71,       // EPROTO
  kOverflow = 75,       // EOVERFLOW
  kMessageSize = 90,    // EMSGSIZE
  kNotSupported = 95,   // EOPNOTSUPP
  kNetworkDown = 100,   // ENETDOWN
  kTimedOut = 110,      // ETIMEDOUT
  kShutdown = 108,      // ESHUTDOWN
};

template <typename T = void>
class Result;

template <>
class [[nodiscard]] Result<void> {
 public:
  constexpr Result() = default;
  constexpr Result(Errno error) : error_{error} {}

  constexpr bool ok() const { return error_ == Errno{0}; }
  constexpr explicit operator bool() const { return ok(); }
  constexpr Errno error() const { return error_; }
  constexpr void value() const {}

  // The kernel's convention: 0 or a negative errno.
  constexpr s32 to_errno() const { return -static_cast<s32>(error_); }
  static constexpr Result from_errno(s32 code) {
    return code < 0 ? Result{static_cast<Errno>(-code)} : Result{};
  }

 private:
  Errno error_{0};
};

// T needs a move constructor only. A Result that carries an error holds no T.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T&& value) : ok_{true} { ::new (static_cast<void*>(&storage_)) T(mana::move(value)); }
  Result(const T& value)
    requires std::is_copy_constructible_v<T>
      : ok_{true} {
    ::new (static_cast<void*>(&storage_)) T(value);
  }
  Result(Errno error) : error_{error}, ok_{false} {}

  Result(Result&& other) : ok_{other.ok_} {
    if (ok_)
      ::new (static_cast<void*>(&storage_)) T(mana::move(other.value()));
    else
      error_ = other.error_;
  }
  Result& operator=(Result&&) = delete;

  ~Result() {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      if (ok_)
        value().~T();
    }
  }

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  Errno error() const { return error_; }
  s32 to_errno() const { return ok_ ? 0 : -static_cast<s32>(error_); }

  // Only of a Result that is ok().
  T& value() { return *reinterpret_cast<T*>(&storage_); }
  const T& value() const { return *reinterpret_cast<const T*>(&storage_); }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }

 private:
  union {
    Errno error_;
    alignas(T) u8 storage_[sizeof(T)];
  };
  bool ok_;
};

}  // namespace mana

// Evaluates to the value of a Result, or returns its error from the enclosing function.
#define TRY(expression)                      \
  ({                                         \
    auto try_result_ = (expression);         \
    if (!try_result_.ok())                   \
      return try_result_.error();            \
    ::mana::detail::take_value(try_result_); \
  })

namespace mana::detail {

template <typename T>
inline T take_value(Result<T>& result) {
  return mana::move(result.value());
}
inline void take_value(Result<void>&) {}

}  // namespace mana::detail
