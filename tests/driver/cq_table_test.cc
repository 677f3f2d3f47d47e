// SPDX-License-Identifier: GPL-2.0
// src/gdma/cq_table.h
#include "gdma/cq_table.h"

#include "driver_test.h"

namespace mana::test {
namespace {

class CqTableTest : public KernelTest {
 protected:
  void SetUp() override {
    for (napi_struct* napi : {&first, &second}) {
      napi->enabled = true;
      kernel.napis_.insert(napi);
    }
  }
  void TearDown() override {
    kernel.napis_.clear();
    KernelTest::TearDown();
  }
  static bool notify(const gdma::CqTable& table, u32 id) {
    gdma::CqTable::Wakeups wakeups;
    return table.notify(id, wakeups);
  }

  napi_struct first, second;
};

TEST_F(CqTableTest, D47_TwoQueuesNeverShareAnId) {
  auto table = gdma::CqTable::create(8, 0);
  ASSERT_TRUE(table.ok());
  gdma::CqListener a{.cq_id = 7, .napi = &first}, b{.cq_id = 7, .napi = &second};
  EXPECT_TRUE(table->publish(a).ok());
  EXPECT_EQ(table->publish(b).error(), Errno::kBusy);
  b.cq_id = 8;
  EXPECT_EQ(table->publish(b).error(), Errno::kRange);
  b.cq_id = gdma::CqListener::kNone;
  EXPECT_EQ(table->publish(b).error(), Errno::kRange);
  // The one that failed does not take the other's place away.
  b.cq_id = 7;
  table->unpublish(b);
  EXPECT_TRUE(notify(*table, 7));
  EXPECT_TRUE(first.scheduled);
  EXPECT_FALSE(second.scheduled);
  table->unpublish(a);
  first.scheduled = false;
  EXPECT_FALSE(notify(*table, 7));
}

TEST_F(CqTableTest, D38_UnknownIdsNotifyNobody) {
  auto table = gdma::CqTable::create(8, 0);
  ASSERT_TRUE(table.ok());
  gdma::CqListener a{.cq_id = 3, .napi = &first};
  ASSERT_TRUE(table->publish(a).ok());
  for (u32 id : {0u, 2u, 4u, 7u, 8u, 0xFFFFFFu, 0xFFFFFFFFu})
    EXPECT_FALSE(notify(*table, id)) << id;
  EXPECT_FALSE(first.scheduled);
  // An id that changed under the table.
  a.cq_id = 4;
  EXPECT_FALSE(notify(*table, 3));
  a.cq_id = 3;
  EXPECT_TRUE(notify(*table, 3));
  EXPECT_TRUE(first.scheduled);
}

TEST_F(CqTableTest, D37_ANapiIsScheduledAfterTheLastOfItsEventsWasNoted) {
  auto table = gdma::CqTable::create(8, 0);
  ASSERT_TRUE(table.ok());
  gdma::CqListener a{.cq_id = 1, .napi = &first}, b{.cq_id = 2, .napi = &first},
      c{.cq_id = 3, .napi = &second};
  for (gdma::CqListener* listener : {&a, &b, &c})
    ASSERT_TRUE(table->publish(*listener).ok());
  {
    gdma::CqTable::Wakeups wakeups;
    EXPECT_TRUE(table->notify(1, wakeups));
    EXPECT_TRUE(table->notify(2, wakeups));
    EXPECT_FALSE(first.scheduled);
    EXPECT_TRUE(table->notify(3, wakeups));
    EXPECT_TRUE(first.scheduled);
    EXPECT_FALSE(second.scheduled);
    first.scheduled = false;
    // Somebody else's events came in between: it is woken once more.
    EXPECT_TRUE(table->notify(1, wakeups));
    EXPECT_TRUE(second.scheduled);
  }
  EXPECT_TRUE(first.scheduled);
  for (const gdma::CqListener* listener : {&a, &b, &c})
    EXPECT_TRUE(listener->fired);
}

TEST_F(CqTableTest, EmptyTable) {
  auto table = gdma::CqTable::create(0, 0);
  ASSERT_TRUE(table.ok());
  EXPECT_FALSE(notify(*table, 0));
}

}  // namespace
}  // namespace mana::test
