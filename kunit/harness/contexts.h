// SPDX-License-Identifier: GPL-2.0
// Lambdas in contexts beside the case's own.
#pragma once

#include "base/utility.h"
#include "kunit/harness/test.h"
#include "kunit/shim/contexts.h"

namespace mana::kunit {

// Returns when the hard interrupt is over.
template <typename F>
void in_interrupt(F&& f) {
  kunit_call_in_interrupt([](void* self) { (*static_cast<std::remove_reference_t<F>*>(self))(); },
                          &f);
}

template <typename F>
void in_softirq(F&& f) {
  kunit_call_in_softirq([](void* self) { (*static_cast<std::remove_reference_t<F>*>(self))(); },
                        &f);
}

// Runs a lambda of the case's own scope; its end waits for that of the thread.
class Thread : NonCopyable {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cv_t<F>, Thread>)
  explicit Thread(F& f)
      : thread_{kunit_thread_start([](void* self) { (*static_cast<F*>(self))(); }, &f)} {
    if (!thread_)
      FAIL("no thread could be started");
  }
  ~Thread() { join(); }
  void join() {
    if (kunit_thread* thread = exchange(thread_, nullptr))
      if (!kunit_thread_join(thread))
        FAIL("a thread does not come to its end");
  }

 private:
  kunit_thread* thread_;
};

}  // namespace mana::kunit
