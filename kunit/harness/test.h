// SPDX-License-Identifier: GPL-2.0
// How a suite is written:
//
//   CASE(D30_tail_counts_bytes) {
//     auto ring = gdma::WorkRing::create(device, 128);
//     ASSERT(ring);                          // ends the case if it fails
//     EXPECT_EQ(ring.value().units(), 128u);  // goes on
//   }
//   constexpr mana_case kCases[] = {LIST(D30_tail_counts_bytes)};
//   MANA_SUITE(work_ring, kCases)          // the name of the file, work_ring.cc
//
// ASSERT returns, so destructors run and
// whatever a case holds is given back. Exceptions do not exist here, and neither does kunit's
// abort.
#pragma once

#include <type_traits>

#include "base/types.h"
#include "base/utility.h"
#include "kunit/shim/cases.h"
#include "shim/log.h"

namespace mana::kunit {

// A value for a person.
struct Shown {
  char text[40];

  template <typename T>
  static Shown of(const T& value) {
    Shown shown;
    if constexpr (std::is_same_v<T, bool>)
      shim_format(shown.text, sizeof(shown.text), "%s", value ? "true" : "false");
    else if constexpr (std::is_null_pointer_v<T>)
      shim_format(shown.text, sizeof(shown.text), "null");
    else if constexpr (std::is_pointer_v<T>)
      shim_format(shown.text, sizeof(shown.text), "%px", static_cast<const void*>(value));
    else if constexpr (std::is_enum_v<T>)
      shim_format(shown.text, sizeof(shown.text), "%lld", static_cast<long long>(value));
    else if constexpr (std::is_signed_v<T>)
      shim_format(shown.text, sizeof(shown.text), "%lld", static_cast<long long>(value));
    else
      shim_format(shown.text, sizeof(shown.text), "%llu (%#llx)",
                  static_cast<unsigned long long>(value), static_cast<unsigned long long>(value));
    return shown;
  }
};

struct Equal {
  static constexpr const char* kWord = "==";
  template <typename A, typename B>
  static bool holds(const A& a, const B& b) {
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> &&
                  !std::is_same_v<B, bool>)
      return static_cast<s64>(a) == static_cast<s64>(b);
    else
      return a == b;
  }
};
struct NotEqual {
  static constexpr const char* kWord = "!=";
  template <typename A, typename B>
  static bool holds(const A& a, const B& b) {
    return !Equal::holds(a, b);
  }
};
// Of numbers below 2^63.
struct AtLeast {
  static constexpr const char* kWord = ">=";
  template <typename A, typename B>
  static bool holds(const A& a, const B& b) {
    return static_cast<s64>(a) >= static_cast<s64>(b);
  }
};
struct AtMost {
  static constexpr const char* kWord = "<=";
  template <typename A, typename B>
  static bool holds(const A& a, const B& b) {
    return static_cast<s64>(a) <= static_cast<s64>(b);
  }
};

// Out of line: a failed check is rare, and there are thousands.
void report(const char* file, u32 line, const char* a_text, const char* word, const char* b_text,
            const Shown& a, const Shown& b);

// Nor may each check have texts on the stack of its case.
template <typename A, typename B>
[[gnu::noinline, gnu::cold]] void report_values(const A& a, const B& b, const char* a_text,
                                                const char* word, const char* b_text,
                                                const char* file, u32 line) {
  report(file, line, a_text, word, b_text, Shown::of(a), Shown::of(b));
}

template <typename Relation, typename A, typename B>
bool check(const A& a, const B& b, const char* a_text, const char* b_text, const char* file,
           u32 line) {
  if (Relation::holds(a, b))
    return true;
  report_values(a, b, a_text, Relation::kWord, b_text, file, line);
  return false;
}

// Two texts.
bool check_text(const char* a, const char* b, const char* a_text, const char* file, u32 line);

inline bool check_true(bool value, const char* text, const char* file, u32 line) {
  if (!value)
    kunit_fail(file, line, "%s", text);
  return value;
}

}  // namespace mana::kunit

#define MANA_CHECK(relation, a, b) \
  ::mana::kunit::check<::mana::kunit::relation>(a, b, #a, #b, __FILE__, __LINE__)

#define EXPECT(condition) \
  (void)::mana::kunit::check_true(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
#define EXPECT_EQ(a, b) (void)MANA_CHECK(Equal, a, b)
#define EXPECT_NE(a, b) (void)MANA_CHECK(NotEqual, a, b)
#define EXPECT_GE(a, b) (void)MANA_CHECK(AtLeast, a, b)
#define EXPECT_LE(a, b) (void)MANA_CHECK(AtMost, a, b)
#define EXPECT_TEXT(a, b) (void)::mana::kunit::check_text(a, b, #a, __FILE__, __LINE__)
#define FAIL(...) kunit_fail(__FILE__, __LINE__, __VA_ARGS__)

// In functions that return nothing.
#define ASSERT(condition)                                                                         \
  do {                                                                                            \
    if (!::mana::kunit::check_true(static_cast<bool>(condition), #condition, __FILE__, __LINE__)) \
      return;                                                                                     \
  } while (0)
#define ASSERT_EQ(a, b)           \
  do {                            \
    if (!MANA_CHECK(Equal, a, b)) \
      return;                     \
  } while (0)

#define CASE(name)                                    \
  static void case_##name();                          \
  static void run_##name(::kunit*) { case_##name(); } \
  static void case_##name()

#define LIST(name) {#name, run_##name}

#define MANA_SUITE_AT(id, list, slow)          \
  extern "C" const mana_suite mana_suite_##id{ \
      list, static_cast<u32>(sizeof(list) / sizeof((list)[0])), slow};
#define MANA_SUITE(id, list) MANA_SUITE_AT(id, list, false)
#define MANA_SLOW_SUITE(id, list) MANA_SUITE_AT(id, list, true)
