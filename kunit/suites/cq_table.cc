// SPDX-License-Identifier: GPL-2.0
// src/gdma/cq_table.h, with real NAPIs, notified from real interrupts.
#include "gdma/cq_table.h"

#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/shim/faults.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

using gdma::CqListener;
using gdma::CqTable;

class Napi : NonCopyable {
 public:
  Napi() : napi_{kunit_napi_create()} {}
  ~Napi() {
    if (napi_)
      kunit_napi_destroy(napi_);
  }
  explicit operator bool() const { return napi_ != nullptr; }
  napi_struct* get() const { return kunit_napi_of(napi_); }
  u32 polls() const { return kunit_napi_polls(napi_); }

 private:
  kunit_napi* napi_;
};

bool notify(const CqTable& table, u32 id) {
  bool known = false;
  in_interrupt([&] {
    CqTable::Wakeups wakeups;
    known = table.notify(id, wakeups);
  });
  return known;
}

CASE(D38_a_published_queue_is_polled) {
  Napi napi;
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(napi);
  ASSERT(table);
  for (u32 id = 0; id < 8; id++) {
    CqListener listener{.cq_id = id, .napi = napi.get()};
    ASSERT(table->publish(listener));
    const u32 before = napi.polls();
    EXPECT(notify(*table, id));
    EXPECT_EQ(napi.polls(), before + 1);
    table->unpublish(listener);
    EXPECT(!notify(*table, id));
    EXPECT_EQ(napi.polls(), before + 1);
  }
}

CASE(D38_each_queue_has_its_own_listener) {
  Napi first, second;
  auto table = CqTable::create(256, kern::kAnyNode);
  ASSERT(first && second);
  ASSERT(table);
  CqListener a{.cq_id = 0, .napi = first.get()}, b{.cq_id = 255, .napi = second.get()};
  ASSERT(table->publish(a));
  ASSERT(table->publish(b));
  for (u32 i = 0; i < 5; i++)
    EXPECT(notify(*table, 255));
  EXPECT(notify(*table, 0));
  EXPECT_EQ(first.polls(), 1u);
  EXPECT_EQ(second.polls(), 5u);
}

CASE(D38_unknown_ids_wake_nobody) {
  Napi napi;
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(napi);
  ASSERT(table);
  CqListener listener{.cq_id = 3, .napi = napi.get()};
  ASSERT(table->publish(listener));
  // An event can carry 24 bits.
  for (const u32 id : {0u, 2u, 4u, 7u, 8u, 9u, 259u, 0xFFFFu, 0xFFFFFFu, 0xFFFFFFFFu})
    EXPECT(!notify(*table, id));
  EXPECT_EQ(napi.polls(), 0u);
}

CASE(D38_an_id_that_changed_is_not_the_one_in_the_event) {
  Napi napi;
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(napi);
  ASSERT(table);
  CqListener listener{.cq_id = 3, .napi = napi.get()};
  ASSERT(table->publish(listener));
  listener.cq_id = 4;
  EXPECT(!notify(*table, 3));
  EXPECT(!notify(*table, 4));
  EXPECT_EQ(napi.polls(), 0u);
  listener.cq_id = 3;
  EXPECT(notify(*table, 3));
}

CASE(D47_ids_out_of_range_are_refused) {
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(table);
  for (const u32 id : {8u, 9u, 0xFFFFFFu, CqListener::kNone}) {
    CqListener listener{.cq_id = id, .napi = nullptr};
    EXPECT_EQ(table->publish(listener).error(), Errno::kRange);
    table->unpublish(listener);  // harmless
    EXPECT_EQ(listener.cq_id, CqListener::kNone);
  }
}

CASE(D47_two_queues_never_share_an_id) {
  Napi first, second;
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(first && second);
  ASSERT(table);
  CqListener a{.cq_id = 7, .napi = first.get()}, b{.cq_id = 7, .napi = second.get()};
  ASSERT(table->publish(a));
  EXPECT_EQ(table->publish(b).error(), Errno::kBusy);
  EXPECT_EQ(table->publish(a).error(), Errno::kBusy);
  // The one that came too late does not take the other's place away when it ends.
  table->unpublish(b);
  EXPECT(notify(*table, 7));
  EXPECT_EQ(first.polls(), 1u);
  EXPECT_EQ(second.polls(), 0u);
  table->unpublish(a);
  b.cq_id = 7;
  EXPECT(table->publish(b).ok());
}

CASE(D64_an_unpublished_listener_is_forgotten) {
  Napi napi;
  auto table = CqTable::create(8, kern::kAnyNode);
  auto listener = kern::Box<CqListener>::create(kern::kAnyNode);
  ASSERT(napi);
  ASSERT(table);
  ASSERT(listener);
  **listener = {.cq_id = 5, .napi = napi.get()};
  ASSERT(table->publish(**listener));
  table->unpublish(**listener);
  EXPECT_EQ((*listener)->cq_id, CqListener::kNone);
  *listener = {};  // freed: KASAN would see who still looks at it
  EXPECT(!notify(*table, 5));
  EXPECT_EQ(napi.polls(), 0u);
}

// Interrupts of one thread, publishing of another: a listener is found whole or not at all.
CASE(D64_publishing_while_interrupts_look) {
  Napi napi;
  auto table = CqTable::create(8, kern::kAnyNode);
  ASSERT(napi);
  ASSERT(table);
  CqListener listener{.cq_id = 5, .napi = napi.get()};
  kern::Atomic<bool> stop{false};
  u32 found = 0, missed = 0;
  auto look = [&] {
    while (!stop.load()) {
      if (notify(*table, 5))
        found++;
      else
        missed++;
    }
  };
  {
    Thread thread{look};
    for (u32 i = 0; i < 200; i++) {
      EXPECT(table->publish(listener).ok());
      if (i % 8 == 0)
        shim_sleep_ms(1);
      table->unpublish(listener);
      listener.cq_id = 5;
      if (i % 8 == 1)
        shim_sleep_ms(1);
    }
    stop.store(true);
  }
  EXPECT_NE(found, 0u);
  EXPECT_NE(missed, 0u);
  EXPECT_LE(napi.polls(), found);
  EXPECT_NE(napi.polls(), 0u);
}

CASE(a_table_without_room) {
  auto table = CqTable::create(0, kern::kAnyNode);
  ASSERT(table);
  CqListener listener{.cq_id = 0, .napi = nullptr};
  EXPECT_EQ(table->publish(listener).error(), Errno::kRange);
  EXPECT(!notify(*table, 0));
  EXPECT(!notify(CqTable{}, 0));
}

CASE(no_memory_is_an_error) {
  kunit_fail_allocation(1);
  auto table = CqTable::create(64, kern::kAnyNode);
  EXPECT_EQ(kunit_fail_allocation_left(), 0u);
  ASSERT(!table);
  EXPECT_EQ(table.error(), Errno::kNoMemory);
}

constexpr mana_case kCases[] = {
    LIST(D38_a_published_queue_is_polled),
    LIST(D38_each_queue_has_its_own_listener),
    LIST(D38_unknown_ids_wake_nobody),
    LIST(D38_an_id_that_changed_is_not_the_one_in_the_event),
    LIST(D47_ids_out_of_range_are_refused),
    LIST(D47_two_queues_never_share_an_id),
    LIST(D64_an_unpublished_listener_is_forgotten),
    LIST(D64_publishing_while_interrupts_look),
    LIST(a_table_without_room),
    LIST(no_memory_is_an_error),
};

}  // namespace

MANA_SUITE(cq_table, kCases)

}  // namespace mana::kunit
