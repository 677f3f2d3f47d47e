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
  EXPECT_TRUE(table->notify(7));
  EXPECT_TRUE(first.scheduled);
  EXPECT_FALSE(second.scheduled);
  table->unpublish(a);
  first.scheduled = false;
  EXPECT_FALSE(table->notify(7));
}

TEST_F(CqTableTest, D38_UnknownIdsNotifyNobody) {
  auto table = gdma::CqTable::create(8, 0);
  ASSERT_TRUE(table.ok());
  gdma::CqListener a{.cq_id = 3, .napi = &first};
  ASSERT_TRUE(table->publish(a).ok());
  for (u32 id : {0u, 2u, 4u, 7u, 8u, 0xFFFFFFu, 0xFFFFFFFFu})
    EXPECT_FALSE(table->notify(id)) << id;
  EXPECT_FALSE(first.scheduled);
  // An id that changed under the table.
  a.cq_id = 4;
  EXPECT_FALSE(table->notify(3));
  a.cq_id = 3;
  EXPECT_TRUE(table->notify(3));
  EXPECT_TRUE(first.scheduled);
}

TEST_F(CqTableTest, EmptyTable) {
  auto table = gdma::CqTable::create(0, 0);
  ASSERT_TRUE(table.ok());
  EXPECT_FALSE(table->notify(0));
}

}  // namespace
}  // namespace mana::test
