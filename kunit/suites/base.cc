// SPDX-License-Identifier: GPL-2.0
// src/base, and the owners and locks of src/kern that everything else stands on.
#include <initializer_list>

#include "base/bits.h"
#include "base/result.h"
#include "base/scope_exit.h"
#include "base/span.h"
#include "kern/atomic.h"
#include "kern/dma.h"
#include "kern/memory.h"
#include "kern/sync.h"
#include "kunit/harness/contexts.h"
#include "kunit/harness/register_file.h"
#include "kunit/shim/faults.h"

namespace mana::kunit {
namespace {

// Knows how many of it there are, and in which order they end.
struct Counted {
  static inline u32 live = 0;
  static inline u32 last_ended = 0;

  explicit Counted(u32 n = 0) : number{n} { live++; }
  Counted(Counted&& other) : number{exchange(other.number, 0u)} { live++; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    live--;
    last_ended = number;
  }

  u32 number;
};

// --- Result, TRY ---

CASE(result_holds_a_value_or_an_error) {
  Result<u32> good = 42u;
  EXPECT(good.ok());
  EXPECT(static_cast<bool>(good));
  EXPECT_EQ(good.value(), 42u);
  EXPECT_EQ(*good, 42u);
  EXPECT_EQ(good.to_errno(), 0);

  Result<u32> bad = Errno::kTimedOut;
  EXPECT(!bad.ok());
  EXPECT(!bad);
  EXPECT_EQ(bad.error(), Errno::kTimedOut);
  EXPECT_EQ(bad.to_errno(), -110);
}

CASE(result_of_nothing_is_an_errno) {
  EXPECT(Result<>{}.ok());
  EXPECT_EQ(Result<>{}.to_errno(), 0);
  const Result<> bad = Errno::kNoDevice;
  EXPECT(!bad.ok());
  EXPECT_EQ(bad.to_errno(), -19);
  for (s32 code = -4095; code < 0; code++) {
    const auto result = Result<>::from_errno(code);
    EXPECT(!result.ok());
    EXPECT_EQ(result.to_errno(), code);
  }
  for (const s32 code : {0, 1, 0x7FFFFFFF})
    EXPECT(Result<>::from_errno(code).ok());
}

// The numbers go to user space.
CASE(errors_have_the_kernels_numbers) {
  const struct {
    Errno error;
    s32 number;
  } all[] = {{Errno::kPermission, 1},    {Errno::kIo, 5},           {Errno::kNoMemory, 12},
             {Errno::kBusy, 16},         {Errno::kNoDevice, 19},    {Errno::kInvalid, 22},
             {Errno::kNoSpace, 28},      {Errno::kRange, 34},       {Errno::kProtocol, 71},
             {Errno::kOverflow, 75},     {Errno::kMessageSize, 90}, {Errno::kNotSupported, 95},
             {Errno::kNetworkDown, 100}, {Errno::kTimedOut, 110},   {Errno::kShutdown, 108}};
  for (const auto& entry : all)
    EXPECT_EQ(Result<>{entry.error}.to_errno(), -entry.number);
}

CASE(result_owns_what_it_holds) {
  ASSERT_EQ(Counted::live, 0u);
  {
    Result<Counted> first = Counted{7};
    EXPECT_EQ(Counted::live, 1u);
    Result<Counted> second = mana::move(first);
    EXPECT_EQ(second->number, 7u);
    EXPECT_EQ(first->number, 0u);
    EXPECT_EQ(Counted::live, 2u);  // a moved-from object lives on, empty
    Result<Counted> third = Errno::kIo;
    Result<Counted> fourth = mana::move(third);
    EXPECT_EQ(fourth.error(), Errno::kIo);
    EXPECT_EQ(Counted::live, 2u);
  }
  EXPECT_EQ(Counted::live, 0u);
}

Result<Counted> make(bool good, u32 number) {
  if (!good)
    return Errno::kBusy;
  return Counted{number};
}

Result<> agree(bool good) {
  if (!good)
    return Errno::kRange;
  return {};
}

Result<u32> both(bool first, bool second, u32& steps) {
  const Counted held{1};
  const Counted made = TRY(make(first, 5));
  steps++;
  TRY(agree(second));
  steps++;
  return made.number + 1;
}

CASE(try_goes_on_or_returns_the_error) {
  u32 steps = 0;
  auto result = both(true, true, steps);
  ASSERT(result);
  EXPECT_EQ(*result, 6u);
  EXPECT_EQ(steps, 2u);

  steps = 0;
  EXPECT_EQ(both(false, true, steps).error(), Errno::kBusy);
  EXPECT_EQ(steps, 0u);
  EXPECT_EQ(both(true, false, steps).error(), Errno::kRange);
  EXPECT_EQ(steps, 1u);
  EXPECT_EQ(Counted::live, 0u);  // whatever was held on the way
}

// --- Span, Bits, utility ---

CASE(span_is_a_view) {
  u32 array[5] = {1, 2, 3, 4, 5};
  const Span<u32> span = array;
  EXPECT_EQ(span.size(), 5u);
  EXPECT_EQ(span.data(), &array[0]);
  u32 sum = 0;
  for (const u32 value : span)
    sum += value;
  EXPECT_EQ(sum, 15u);
  span[4] = 50;
  EXPECT_EQ(array[4], 50u);
  const Span<const u32> read_only = span;
  EXPECT_EQ(read_only[4], 50u);
  EXPECT(Span<u32>{}.empty());
  EXPECT_EQ(Span<u32>{}.begin(), Span<u32>{}.end());
}

// No part reaches beyond the whole, whatever is asked for.
CASE(span_parts_stay_inside) {
  u8 array[8] = {};
  const Span<u8> span = array;
  for (size_t offset = 0; offset <= 10; offset++) {
    for (const size_t length :
         {size_t{0}, size_t{1}, size_t{3}, size_t{8}, size_t{9}, ~size_t{0}}) {
      const Span<u8> part = span.subspan(offset, length);
      const size_t start = min(offset, size_t{8});
      EXPECT_EQ(part.data(), array + start);
      EXPECT_EQ(part.size(), min(length, 8 - start));
    }
    EXPECT_EQ(span.subspan(offset).size(), 8 - min(offset, size_t{8}));
  }
  EXPECT_EQ(span.subspan(~size_t{0}).size(), 0u);
}

template <typename Field, typename Word>
void check_bits(unsigned high, unsigned low) {
  const u64 most = ~0ull >> (63 - (high - low));
  EXPECT_EQ(Field::kWidth, high - low + 1);
  EXPECT_EQ(Field::kMax, static_cast<Word>(most));
  EXPECT_EQ(Field::kMask, static_cast<Word>(most << low));
  for (u64 value = 1; value != 0 && value <= most; value <<= 1) {
    EXPECT_EQ(Field::get(Field::put(value)), value);
    EXPECT_EQ(Field::get(Field::replace(static_cast<Word>(~Word{0}), value)), value);
    EXPECT(Field::fits(value));
  }
  if (most != ~0ull)
    EXPECT(!Field::fits(most + 1));
}

CASE(bits_of_any_place_and_width) {
  check_bits<Bits<0, 0>, u32>(0, 0);
  check_bits<Bits<31, 31>, u32>(31, 31);
  check_bits<Bits<31, 0>, u32>(31, 0);
  check_bits<Bits<30, 1>, u32>(30, 1);
  check_bits<Bits<63, 0, u64>, u64>(63, 0);
  check_bits<Bits<63, 63, u64>, u64>(63, 63);
  check_bits<Bits<40, 24, u64>, u64>(40, 24);
  check_bits<Bits<15, 0, u16>, u16>(15, 0);
  check_bits<Bits<7, 3, u8>, u8>(7, 3);
  check_bits<Bit<5>, u32>(5, 5);
}

CASE(powers_of_two) {
  EXPECT(!is_power_of_two(0u));
  for (u32 n = 0; n < 32; n++) {
    const u32 power = 1u << n;
    EXPECT(is_power_of_two(power));
    EXPECT_EQ(log2_floor(power), n);
    EXPECT_EQ(round_up_power_of_two(power), power);
    if (n > 1) {
      EXPECT(!is_power_of_two(power - 1));
      EXPECT(!is_power_of_two(power + 1));
      EXPECT_EQ(log2_floor(power - 1), n - 1);
      EXPECT_EQ(round_up_power_of_two(power - 1), power);
      if (n < 31)
        EXPECT_EQ(round_up_power_of_two(power + 1), power * 2);
    }
  }
  EXPECT_EQ(round_up_power_of_two(0), 1u);
}

CASE(rounding_and_limits) {
  for (u32 value = 0; value < 200; value++) {
    EXPECT_EQ(align_up(value, 32u), (value + 31) / 32 * 32);
    EXPECT_EQ(divide_round_up(value, 7u), (value + 6) / 7);
    EXPECT_EQ(clamp(value, 50u, 150u), value < 50 ? 50 : value > 150 ? 150 : value);
    EXPECT_EQ(min(value, 100u), value < 100 ? value : 100);
    EXPECT_EQ(max(value, 100u), value < 100 ? 100 : value);
  }
  u32 a = 1, b = 2;
  mana::swap(a, b);
  EXPECT_EQ(a, 2u);
  EXPECT_EQ(mana::exchange(a, 9u), 2u);
  EXPECT_EQ(a, 9u);
}

CASE(scope_exit_runs_once_or_not_at_all) {
  u32 runs = 0;
  {
    const ScopeExit undo{[&] { runs++; }};
    EXPECT_EQ(runs, 0u);
  }
  EXPECT_EQ(runs, 1u);
  {
    ScopeExit undo{[&] { runs++; }};
    undo.dismiss();
  }
  EXPECT_EQ(runs, 1u);
  u32 order = 0;
  {
    const ScopeExit second{[&] { order = order * 10 + 2; }};
    const ScopeExit first{[&] { order = order * 10 + 1; }};
  }
  EXPECT_EQ(order, 12u);
}

// --- Box, Array ---

CASE(box_owns_one_object) {
  {
    auto box = kern::Box<Counted>::create(kern::kAnyNode, 3u);
    ASSERT(box);
    EXPECT_EQ(Counted::live, 1u);
    kern::Box<Counted> other{mana::move(*box)};
    EXPECT(!*box);
    EXPECT_EQ(other->number, 3u);
    auto third = kern::Box<Counted>::create(kern::kAnyNode, 4u);
    ASSERT(third);
    *third = mana::move(other);  // what it held before ends
    EXPECT_EQ(Counted::live, 1u);
    EXPECT_EQ(Counted::last_ended, 4u);
    EXPECT_EQ((*third)->number, 3u);
  }
  EXPECT_EQ(Counted::live, 0u);
  EXPECT_EQ(Counted::last_ended, 3u);
}

CASE(box_gives_up_and_takes_back) {
  Counted* raw = nullptr;
  {
    auto box = kern::Box<Counted>::create(kern::kAnyNode, 5u);
    ASSERT(box);
    raw = box->release();
    EXPECT(!*box);
  }
  EXPECT_EQ(Counted::live, 1u);
  {
    const auto box = kern::Box<Counted>::adopt(raw);
    EXPECT_EQ(box->number, 5u);
  }
  EXPECT_EQ(Counted::live, 0u);
}

CASE(array_elements_start_as_values_and_end_in_reverse) {
  {
    auto numbers = kern::Array<u64>::create(1'000, kern::kAnyNode);
    ASSERT(numbers);
    EXPECT_EQ(numbers->size(), 1'000u);
    for (const u64 number : *numbers)
      EXPECT_EQ(number, 0u);
    (*numbers)[999] = 1;
    const Span<u64> view = *numbers;
    EXPECT_EQ(view[999], 1u);

    auto objects = kern::Array<Counted>::create(10, kern::kAnyNode);
    ASSERT(objects);
    EXPECT_EQ(Counted::live, 10u);
    for (u32 i = 0; i < 10; i++)
      (*objects)[i].number = i + 100;
    kern::Array<Counted> taken{mana::move(*objects)};
    EXPECT_EQ(objects->size(), 0u);
    EXPECT_EQ(Counted::live, 10u);
  }
  EXPECT_EQ(Counted::live, 0u);
  EXPECT_EQ(Counted::last_ended, 100u);
}

CASE(empty_array_takes_no_memory) {
  kunit_fail_allocation(1);
  auto array = kern::Array<u32>::create(0, kern::kAnyNode);
  EXPECT_EQ(kunit_fail_allocation_left(), 1u);
  kunit_fail_allocation(0);
  ASSERT(array);
  EXPECT_EQ(array->size(), 0u);
  EXPECT_EQ(array->begin(), array->end());
}

// More than one owner, one after the other, as queues are made.
struct Parts {
  kern::Box<Counted> first;
  kern::Array<Counted> second;
  kern::Box<Parts> third;

  static Result<Parts> create(u32 depth) {
    Parts parts;
    parts.first = TRY(kern::Box<Counted>::create(kern::kAnyNode));
    parts.second = TRY(kern::Array<Counted>::create(40, kern::kAnyNode));
    if (depth > 1) {
      Parts deeper = TRY(create(depth - 1));
      parts.third = TRY(kern::Box<Parts>::create(kern::kAnyNode, mana::move(deeper)));
    }
    return parts;
  }
};

CASE(nth_allocation_fails) {
  constexpr u32 kDepth = 4;
  // 3 * kDepth - 1 in all. The kernel's own bookkeeping is counted with them and not the same each
  // time, so that the count can step over one or two.
  constexpr u32 kAllocations = 2 * kDepth;
  u32 refused = 0;
  for (u32 n = 1; n < 100; n++) {
    kunit_fail_allocation(n);
    auto parts = Parts::create(kDepth);
    const bool injected = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    // The kernel's own bookkeeping allocates too, and survives a failure.
    EXPECT(parts.ok() || injected);
    EXPECT_EQ(Counted::live, parts ? kDepth * 41 : 0);
    if (!parts)
      EXPECT_EQ(parts.error(), Errno::kNoMemory);
    refused += !parts;
    if (!injected)
      break;
  }
  EXPECT_GE(refused, kAllocations);
  EXPECT_EQ(Counted::live, 0u);
}

CASE(dma_memory_has_one_owner) {
  RegisterFile registers;
  Function function{registers};
  {
    auto first = kern::DmaCoherent::allocate(function.dev(), 8192);
    auto second = kern::DmaCoherent::allocate(function.dev(), 4096);
    ASSERT(first && second);
    EXPECT_EQ(kunit_dma_coherent(function.get()), 2u);
    EXPECT_EQ(kunit_dma_memory(function.get(), first->address()), first->data());
    const u64 address = first->address();
    *second = mana::move(*first);  // what it had is given back
    EXPECT(!*first);
    EXPECT_EQ(first->bytes(), 0u);
    EXPECT_EQ(kunit_dma_coherent(function.get()), 1u);
    EXPECT_EQ(second->address(), address);
    EXPECT_EQ(second->bytes(), 8192u);
    second->data()[8191] = 0xFF;
    second->clear();
    EXPECT_EQ(second->data()[8191], 0u);
  }
  EXPECT_EQ(kunit_dma_coherent(function.get()), 0u);
}

// --- locks ---

CASE(mutex_lets_in_one_at_a_time) {
  kern::Mutex mutex{SHIM_MUTEX_HWC_REQUEST};
  u32 inside = 0, most = 0, rounds = 0;
  auto work = [&] {
    for (u32 i = 0; i < 20; i++) {
      const kern::Mutex::Guard guard{mutex};
      most = max(most, ++inside);
      shim_sleep_ms(1);
      inside--;
      rounds++;
    }
  };
  {
    Thread first{work}, second{work};
    work();
  }
  EXPECT_EQ(most, 1u);
  EXPECT_EQ(rounds, 60u);
}

// Lockdep knows the order of the classes; the wrong one would be in the log.
CASE(mutexes_nest_in_their_order) {
  kern::Mutex outer{SHIM_MUTEX_EVENT_QUEUES}, middle{SHIM_MUTEX_HWC_REQUEST},
      inner{SHIM_MUTEX_QUARANTINE};
  const kern::Mutex::Guard a{outer};
  const kern::Mutex::Guard b{middle};
  const kern::Mutex::Guard c{inner};
}

CASE(spinlock_keeps_interrupts_away) {
  kern::SpinLock lock;
  EXPECT(!kunit_interrupts_off());
  {
    const kern::SpinLock::Guard guard{lock};
    EXPECT(kunit_interrupts_off());
  }
  EXPECT(!kunit_interrupts_off());
  bool in_handler = false, off_inside = false, off_after = false;
  in_interrupt([&] {
    in_handler = kunit_in_interrupt();
    {
      const kern::SpinLock::Guard guard{lock};
      off_inside = kunit_interrupts_off();
    }
    off_after = kunit_interrupts_off();
  });
  EXPECT(in_handler);
  EXPECT(off_inside);
  EXPECT(off_after);  // as it was before, not on
}

CASE(spinlock_between_threads_and_interrupts) {
  kern::SpinLock lock;
  u32 count = 0;
  auto add = [&] {
    const kern::SpinLock::Guard guard{lock};
    const u32 seen = kern::read_once(count);
    for (u32 i = 0; i < 20; i++)
      (void)kern::read_once(count);
    kern::write_once(count, seen + 1);
  };
  auto threads = [&] {
    for (u32 i = 0; i < 500; i++)
      add();
  };
  auto interrupts = [&] {
    for (u32 i = 0; i < 500; i++)
      in_interrupt(add);
  };
  {
    Thread first{threads}, second{interrupts};
    interrupts();
    threads();
  }
  EXPECT_EQ(count, 2'000u);
}

CASE(atomics) {
  kern::Atomic<u32> value{5};
  EXPECT_EQ(value.load(), 5u);
  value.store(6);
  EXPECT_EQ(value.load_acquire(), 6u);
  value.store_release(0x0F);
  EXPECT_EQ(value.fetch_or(0xF0), 0x0Fu);
  EXPECT_EQ(value.fetch_and(0x3C), 0xFFu);
  EXPECT_EQ(value.exchange(1), 0x3Cu);
  EXPECT_EQ(value.load(), 1u);
  kern::Counter counter;
  counter.increment();
  counter.add(0xFFFFFFFF);
  EXPECT_EQ(counter.get(), 0x100000000ull);
}

// --- Completion ---

constexpr u64 kMillisecond = 1'000'000;

CASE(completion_waits_as_long_as_it_was_told) {
  kern::Completion completion;
  for (const u32 milliseconds : {0u, 1u, 20u, 500u}) {
    const u64 begin = kunit_now_ns();
    EXPECT(!completion.wait(milliseconds));
    const u64 waited = (kunit_now_ns() - begin) / kMillisecond;
    // A wait begins in the middle of a tick, and a timer may be an eighth late.
    EXPECT_GE(waited + 10, milliseconds);
    EXPECT_LE(waited, milliseconds + milliseconds / 8 + 60);
  }
}

CASE(completion_that_came_before_the_wait) {
  kern::Completion completion;
  completion.complete();
  EXPECT(completion.wait(0));
  EXPECT(!completion.wait(0));  // once
  completion.complete();
  completion.complete();
  completion.reset();
  EXPECT(!completion.wait(0));
  completion.complete();
  EXPECT(completion.wait(1'000));
}

CASE(completion_from_a_hard_interrupt) {
  kern::Completion completion;
  auto later = [&] {
    shim_sleep_ms(20);
    in_interrupt([&] { completion.complete(); });
  };
  Thread thread{later};
  const u64 begin = kunit_now_ns();
  EXPECT(completion.wait(10'000));
  const u64 waited = (kunit_now_ns() - begin) / kMillisecond;
  EXPECT_GE(waited, 10u);
  EXPECT_LE(waited, 200u);
}

// --- Work ---

struct Worker {
  void run() {
    if (kunit_in_interrupt() || kunit_interrupts_off())
      in_process_context = false;
    runs++;
    ran.complete();
    if (slow) {
      shim_sleep_ms(50);
      finished = true;
    }
  }

  kern::Completion ran;
  u32 runs = 0;
  bool slow = false;
  bool finished = false;
  bool in_process_context = true;
  kern::Work<Worker, &Worker::run> work;
};

CASE(work_from_a_hard_interrupt_runs_in_process_context) {
  Worker worker;
  ASSERT(worker.work.init(worker));
  in_interrupt([&] { worker.work.queue(); });
  EXPECT(worker.ran.wait(1'000));
  worker.work.cancel();
  EXPECT_EQ(worker.runs, 1u);
  EXPECT(worker.in_process_context);
}

// Requests that come before it starts are one.
CASE(work_merges_requests) {
  Worker worker;
  ASSERT(worker.work.init(worker));
  in_interrupt([&] {
    for (u32 i = 0; i < 100; i++)
      worker.work.queue();
  });
  EXPECT(worker.ran.wait(1'000));
  shim_sleep_ms(20);
  EXPECT_LE(worker.runs, 2u);  // another CPU may have started it in between
  worker.ran.reset();
  worker.work.queue();
  EXPECT(worker.ran.wait(1'000));  // again and again
}

CASE(work_without_init_or_after_cancel_is_ignored) {
  Worker worker;
  worker.work.queue();
  ASSERT(worker.work.init(worker));
  worker.work.cancel();
  worker.work.queue();
  worker.work.cancel();
  EXPECT(!worker.ran.wait(100));
  EXPECT_EQ(worker.runs, 0u);
}

CASE(work_without_memory_is_an_error) {
  Worker worker;
  kunit_fail_allocation(1);
  auto result = worker.work.init(worker);
  EXPECT_EQ(kunit_fail_allocation_left(), 0u);
  EXPECT_EQ(result.error(), Errno::kNoMemory);
  worker.work.queue();
  EXPECT(!worker.ran.wait(100));
}

CASE(work_that_runs_is_waited_for) {
  Worker worker;
  worker.slow = true;
  ASSERT(worker.work.init(worker));
  worker.work.queue();
  ASSERT(worker.ran.wait(1'000));
  EXPECT(!worker.finished);
  worker.work.cancel();
  EXPECT(worker.finished);
}

// Freed right after it was asked for: KASAN sees a method of an object that is gone.
CASE(work_that_is_queued_ends_with_its_object) {
  for (u32 i = 0; i < 50; i++) {
    auto worker = kern::Box<Worker>::create(kern::kAnyNode);
    ASSERT(worker);
    ASSERT((*worker)->work.init(**worker));
    in_interrupt([&] { (*worker)->work.queue(); });
    if (i % 5 == 0)
      shim_sleep_ms(1);
  }
  shim_sleep_ms(20);
}

constexpr mana_case kCases[] = {
    LIST(result_holds_a_value_or_an_error),
    LIST(result_of_nothing_is_an_errno),
    LIST(errors_have_the_kernels_numbers),
    LIST(result_owns_what_it_holds),
    LIST(try_goes_on_or_returns_the_error),
    LIST(span_is_a_view),
    LIST(span_parts_stay_inside),
    LIST(bits_of_any_place_and_width),
    LIST(powers_of_two),
    LIST(rounding_and_limits),
    LIST(scope_exit_runs_once_or_not_at_all),
    LIST(box_owns_one_object),
    LIST(box_gives_up_and_takes_back),
    LIST(array_elements_start_as_values_and_end_in_reverse),
    LIST(empty_array_takes_no_memory),
    LIST(nth_allocation_fails),
    LIST(dma_memory_has_one_owner),
    LIST(mutex_lets_in_one_at_a_time),
    LIST(mutexes_nest_in_their_order),
    LIST(spinlock_keeps_interrupts_away),
    LIST(spinlock_between_threads_and_interrupts),
    LIST(atomics),
    LIST(completion_waits_as_long_as_it_was_told),
    LIST(completion_that_came_before_the_wait),
    LIST(completion_from_a_hard_interrupt),
    LIST(work_from_a_hard_interrupt_runs_in_process_context),
    LIST(work_merges_requests),
    LIST(work_without_init_or_after_cancel_is_ignored),
    LIST(work_without_memory_is_an_error),
    LIST(work_that_runs_is_waited_for),
    LIST(work_that_is_queued_ends_with_its_object),
};

}  // namespace

MANA_SUITE(base, kCases)

}  // namespace mana::kunit
