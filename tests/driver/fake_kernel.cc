// SPDX-License-Identifier: GPL-2.0
// The core: time, deferred execution, locks, memory, log, and the audit.
#include "fake_kernel.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace mana::test {

namespace {

FakeKernel* the_kernel;

constexpr u64 kMaxRounds = 20'000;  // in one pump
constexpr u64 kStormRounds = 50;

}  // namespace

FakeKernel::FakeKernel() { the_kernel = this; }

FakeKernel::~FakeKernel() {
  forget_everything();
  the_kernel = nullptr;
}

FakeKernel& FakeKernel::current() { return *the_kernel; }

void FakeKernel::error(const std::string& text) { ADD_FAILURE() << text; }

void FakeKernel::process_context(const char* what) {
  if (in_irq_ || in_softirq_ || spinlocks_ != 0 || txq_locks_ != 0)
    error(std::string{what} + " sleeps, and must not here");
}

bool FakeKernel::fails(Failing kind) {
  const int index = static_cast<int>(kind);
  fallible++;
  if (fail_nth != 0 && --fail_nth == 0)
    return true;
  if (fail_kind[index] != 0 && --fail_kind[index] == 0)
    return true;
  return fail_always[index];
}

bool FakeKernel::logged(const std::string& part) const {
  for (const std::string& line : log)
    if (line.find(part) != std::string::npos)
      return true;
  return false;
}

// --- execution ---

bool FakeKernel::run_interrupts() {
  bool busy = false;
  const std::set<u32> vectors = std::exchange(pending_, {});
  for (u32 vector : vectors) {
    const auto found = handlers_.find(vector);
    if (found == handlers_.end())
      continue;  // nobody asked for it
    busy = true;
    in_irq_ = true;
    if (found->second.hwc)
      mana_hwc_interrupt(found->second.hwc);
    else
      mana_eq_interrupt(found->second.eq);
    in_irq_ = false;
  }
  return busy;
}

void FakeKernel::poll(napi_struct* napi) {
  napi->polling = true;
  napi->completed = false;
  napi->missed = false;
  napi->polls++;
  in_softirq_ = true;
  const int work = mana_channel_poll(napi->channel, budget);
  in_softirq_ = false;
  napi->polling = false;
  if (work < 0 || work > budget)
    error("a poll did more than its budget");
  if (work < budget && !napi->completed)
    error("a poll did less than its budget and did not complete");
  if (work == budget && napi->completed)
    error("a poll completed and used up its budget");
  if (redirected.size() != 0 && redirect_flushes == 0)
    error("a poll redirected and did not flush");
}

bool FakeKernel::run_polls() {
  bool busy = false;
  const std::set<napi_struct*> napis = napis_;
  for (napi_struct* napi : napis)
    if (napi->scheduled && napi->enabled) {
      poll(napi);
      busy = true;
    }
  return busy;
}

bool FakeKernel::run_timers() {
  bool busy = false;
  while (!timers_.empty() && timers_.begin()->first <= now_ms) {
    const auto what = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    what();
    busy = true;
  }
  return busy;
}

bool FakeKernel::run_work() {
  if (in_work_ || rtnl_ || !mutexes_.empty())
    return false;  // another thread's; it would have to wait for this one
  for (Work* work : works_)
    if (work->queued) {
      work->queued = false;
      work->running = in_work_ = true;
      pumping_ = false;
      work->function(work->argument);
      pumping_ = true;
      work->running = in_work_ = false;
      return true;
    }
  return false;
}

void FakeKernel::pump() {
  if (pumping_ || livelock)
    return;
  pumping_ = true;
  for (u64 round = 0;; round++) {
    if (storms_allowed && round == kStormRounds) {
      storms++;
      break;  // time has to pass, as it would
    }
    if (round == kMaxRounds) {
      error("the system does not come to rest");
      livelock = true;
      break;
    }
    rounds++;
    bool busy = run_timers();
    busy |= device_ && device_->run();
    if (before_interrupts)
      before_interrupts();
    busy |= run_interrupts();
    busy |= run_polls();
    busy |= run_work();
    if (!busy)
      break;
  }
  pumping_ = false;
}

void FakeKernel::settle() { pump(); }

void FakeKernel::pass(u64 milliseconds, const std::function<bool()>& done) {
  process_context("waiting");
  const u64 end = now_ms + milliseconds;
  for (;;) {
    pump();
    if ((done && done()) || now_ms >= end)
      return;
    u64 next = end;
    if (device_)
      next = std::min(next, device_->deadline_ms());
    if (!timers_.empty())
      next = std::min(next, timers_.begin()->first);
    now_ms = std::max(next, now_ms + 1);
  }
}

// --- audit ---

std::string FakeKernel::leftovers() const {
  std::ostringstream out;
  const auto count = [&out](const char* what, size_t number) {
    if (number != 0)
      out << number << " " << what << "; ";
  };
  size_t maps = 0;
  for (const auto& [address, region] : regions_)
    maps += region.kind == Region::kMap;
  count("allocations", allocations_.size());
  count("pieces of DMA memory", coherent_count());
  count("mappings", maps);
  count("page pools", pools_.size());
  count("pages", pages_.size());
  count("skbs", skbs_.size());
  count("XDP frames", frames_.size());
  count("XDP registrations", rxqs_.size());
  count("interrupt handlers", handlers_.size());
  count("vectors", vectors_);
  count("works", works_.size());
  count("NAPIs", napis_.size());
  count("netdevs", netdevs.size());
  count("BAR mapping", bar_ ? 1 : 0);
  count("enabled function", enabled_);
  count("RTNL", rtnl_);
  count("directories", directories.size());
  count("devlink instances", devlink.size());
  count("mutexes", mutexes_.size());
  count("spinlocks", spinlocks_);
  count("transmit locks", txq_locks_);
  return out.str();
}

void FakeKernel::forget_everything() {
  for (auto& [memory, bytes] : allocations_)
    std::free(memory);
  allocations_.clear();
  for (auto& [address, region] : regions_)
    if (region.kind != Region::kMap)
      std::free(region.memory);
  regions_.clear();
  for (auto& [memory, pg] : pages_)
    delete pg;
  pages_.clear();
  const auto clear = [](auto& set) {
    for (auto* object : set)
      delete object;
    set.clear();
  };
  clear(pools_);
  clear(napis_);
  clear(skbs_);
  clear(frames_);
  clear(rxqs_);
  clear(works_);
  for (net_device* netdev : netdevs)
    delete netdev;
  netdevs.clear();
  received.clear();
  redirected.clear();
  handlers_.clear();
  vectors_ = 0;
  bar_ = nullptr;
  enabled_ = rtnl_ = false;
  mutexes_.clear();
}

}  // namespace mana::test

using mana::test::Failing;
using mana::test::FakeKernel;

namespace {

FakeKernel& kernel() { return FakeKernel::current(); }

std::string text_of(const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof(text), format, arguments);
  if (std::strchr(format, '\n') != format + std::strlen(format) - 1)
    kernel().error(std::string{"a log line without its end: "} + format);
  return text;
}

// What a lock's storage holds. A lock that moved, or was never made, is told by `self`.
struct Lock {
  void* self;
  unsigned long kind;
  bool held;
};
static_assert(sizeof(Lock) <= sizeof(shim_mutex) && sizeof(Lock) <= sizeof(shim_spinlock) &&
              sizeof(Lock) <= sizeof(shim_completion));

template <typename Storage>
Lock& made(Storage* storage) {
  auto& lock = *reinterpret_cast<Lock*>(storage->storage);
  lock = {storage, 0, false};
  return lock;
}

template <typename Storage>
Lock& used(Storage* storage) {
  auto& lock = *reinterpret_cast<Lock*>(storage->storage);
  if (lock.self != storage)
    kernel().error("a lock or completion that was not initialised, or that moved");
  return lock;
}

}  // namespace

// --- memory.h ---

void* shim_alloc(size_t bytes, int) {
  kernel().process_context("shim_alloc");
  if (kernel().fails(Failing::kMemory))
    return nullptr;
  void* memory = nullptr;
  if (bytes == 0 || bytes > 64u << 20 || posix_memalign(&memory, 64, bytes) != 0) {
    kernel().error("an allocation of " + std::to_string(bytes) + " bytes");
    return nullptr;
  }
  std::memset(memory, 0, bytes);
  kernel().allocations_[memory] = bytes;
  return memory;
}

void shim_prefetch(const void*) {}
void shim_free(void* memory) {
  if (!memory)
    return;
  if (kernel().allocations_.erase(memory) == 0)
    kernel().error("memory was freed that nobody allocated");
  else
    std::free(memory);
}

// --- log.h ---

void shim_log(device*, shim_log_level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  kernel().log.push_back(text_of(format, arguments));
  va_end(arguments);
}

void shim_log_netdev(net_device* netdev, shim_log_level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  kernel().log.push_back(netdev->name + ": " + text_of(format, arguments));
  va_end(arguments);
}

bool shim_log_allowed(void) {
  auto& times = kernel().log_times_;
  while (!times.empty() && times.front() + 5'000 <= kernel().now_ms)
    times.pop_front();
  if (times.size() >= 10)
    return false;
  times.push_back(kernel().now_ms);
  return true;
}

void shim_format(char* text, size_t bytes, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, bytes, format, arguments);
  va_end(arguments);
}

void shim_stat_name(u8** cursor, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length =
      std::vsnprintf(reinterpret_cast<char*>(*cursor), SHIM_STAT_NAME, format, arguments);
  va_end(arguments);
  if (length >= SHIM_STAT_NAME)
    kernel().error(std::string{"a statistic's name is too long: "} + format);
  *cursor += SHIM_STAT_NAME;
}

// --- sync.h ---

void shim_mutex_init(shim_mutex* mutex, shim_mutex_class mutex_class) {
  made(mutex).kind = mutex_class;
}

void shim_mutex_lock(shim_mutex* mutex) {
  Lock& lock = used(mutex);
  kernel().process_context("a mutex");
  if (lock.held)
    kernel().error("a mutex is locked twice");
  if (!kernel().mutexes_.empty() && kernel().mutexes_.back() >= lock.kind)
    kernel().error("mutexes nest in the wrong order");
  lock.held = true;
  kernel().mutexes_.push_back(static_cast<u32>(lock.kind));
}

void shim_mutex_unlock(shim_mutex* mutex) {
  Lock& lock = used(mutex);
  if (!lock.held || kernel().mutexes_.empty() || kernel().mutexes_.back() != lock.kind)
    kernel().error("a mutex is unlocked that was not locked last");
  lock.held = false;
  if (!kernel().mutexes_.empty())
    kernel().mutexes_.pop_back();
}

void shim_spin_init(shim_spinlock* lock) { made(lock); }

unsigned long shim_spin_lock(shim_spinlock* spinlock) {
  Lock& lock = used(spinlock);
  if (lock.held || kernel().spinlocks_ != 0)
    kernel().error("spinlocks nest, and they are one class");
  lock.held = true;
  kernel().spinlocks_++;
  return 0x51;
}

void shim_spin_unlock(shim_spinlock* spinlock, unsigned long flags) {
  Lock& lock = used(spinlock);
  if (!lock.held || flags != 0x51)
    kernel().error("a spinlock is unlocked that was not locked");
  lock.held = false;
  kernel().spinlocks_--;
}

void shim_completion_init(shim_completion* completion) { made(completion); }
void shim_completion_reset(shim_completion* completion) { used(completion).kind = 0; }
void shim_complete(shim_completion* completion) { used(completion).kind++; }

bool shim_wait_for_completion(shim_completion* completion, u32 milliseconds) {
  Lock& lock = used(completion);
  kernel().pass(milliseconds, [&] { return lock.kind != 0; });
  if (lock.kind == 0)
    return false;
  lock.kind--;
  return true;
}

shim_work* shim_work_create(void (*function)(void*), void* argument) {
  kernel().process_context("shim_work_create");
  if (kernel().fails(Failing::kWork))
    return nullptr;
  auto* work = new FakeKernel::Work{function, argument, false, false};
  kernel().works_.insert(work);
  return reinterpret_cast<shim_work*>(work);
}

void shim_work_destroy(shim_work* handle) {
  kernel().process_context("shim_work_destroy");
  auto* work = reinterpret_cast<FakeKernel::Work*>(handle);
  if (kernel().works_.erase(work) == 0)
    return kernel().error("a work is destroyed twice");
  if (work->running)
    kernel().error("a work destroys itself");
  delete work;
}

void shim_work_queue(shim_work* handle) {
  auto* work = reinterpret_cast<FakeKernel::Work*>(handle);
  if (!kernel().works_.contains(work))
    return kernel().error("a work is queued that is gone");
  work->queued = true;
}

void shim_sleep_ms(u32 milliseconds) { kernel().pass(milliseconds); }
u64 shim_now_ms(void) { return kernel().now_ms; }
u64 shim_now_us(void) { return kernel().now_ms * 1'000; }
