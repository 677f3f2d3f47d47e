// SPDX-License-Identifier: GPL-2.0
// Locks, completions and deferred work over the seam's sync.h.
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/sync.h"

namespace mana::kern {

// Process context only.
class Mutex : NonCopyable {
 public:
  explicit Mutex(shim_mutex_class mutex_class) { shim_mutex_init(&mutex_, mutex_class); }

  class [[nodiscard]] Guard : NonCopyable {
   public:
    explicit Guard(Mutex& mutex) : mutex_{mutex} { shim_mutex_lock(&mutex_.mutex_); }
    ~Guard() { shim_mutex_unlock(&mutex_.mutex_); }

   private:
    Mutex& mutex_;
  };

 private:
  shim_mutex mutex_;
};

// Any context; interrupts are off while it is held.
class SpinLock : NonCopyable {
 public:
  SpinLock() { shim_spin_init(&lock_); }

  class [[nodiscard]] Guard : NonCopyable {
   public:
    explicit Guard(SpinLock& lock) : lock_{lock}, flags_{shim_spin_lock(&lock.lock_)} {}
    ~Guard() { shim_spin_unlock(&lock_.lock_, flags_); }

   private:
    SpinLock& lock_;
    unsigned long flags_;
  };

 private:
  shim_spinlock lock_;
};

// One event that one thread waits for.
class Completion : NonCopyable {
 public:
  Completion() { shim_completion_init(&completion_); }

  void reset() { shim_completion_reset(&completion_); }
  void complete() { shim_complete(&completion_); }
  [[nodiscard]] bool wait(u32 milliseconds) {
    return shim_wait_for_completion(&completion_, milliseconds);
  }

 private:
  shim_completion completion_;
};

// A method of Object that runs later in process context. Declare it after what the method uses: its
// destructor waits for a running one.
template <typename Object, void (Object::*Method)()>
class Work : NonCopyable {
 public:
  Work() = default;
  ~Work() { cancel(); }

  Result<void> init(Object& object) {
    work_ = shim_work_create([](void* argument) { (static_cast<Object*>(argument)->*Method)(); },
                             &object);
    if (!work_)
      return Errno::kNoMemory;
    return {};
  }
  // Before init() and after cancel() a request is ignored.
  void queue() {
    if (work_)
      shim_work_queue(work_);
  }
  void cancel() {
    if (work_)
      shim_work_destroy(work_);
    work_ = nullptr;
  }

 private:
  shim_work* work_ = nullptr;
};

}  // namespace mana::kern
