// SPDX-License-Identifier: GPL-2.0
#include "model/slot_table.h"

#include <gtest/gtest.h>

namespace mana::test {
namespace {

TEST(SlotTable, IdsStartAtTheBaseAndAreReusedLast) {
  model::SlotTable<int, 4, 10> table;
  int objects[5];
  u32 id = 0;
  for (u32 i = 0; i < 4; i++) {
    ASSERT_TRUE(table.insert(&objects[i], id));
    EXPECT_EQ(id, 10 + i);
  }
  EXPECT_FALSE(table.insert(&objects[4], id));
  EXPECT_EQ(table.remove(11), &objects[1]);
  EXPECT_EQ(table.remove(11), nullptr);
  EXPECT_EQ(table.remove(12), &objects[2]);
  ASSERT_TRUE(table.insert(&objects[4], id));
  EXPECT_EQ(id, 11u);
  EXPECT_EQ(table.remove(11), &objects[4]);
  ASSERT_TRUE(table.insert(&objects[4], id));
  EXPECT_EQ(id, 12u) << "11 was used last";
  for (const u32 bad : {0u, 9u, 14u, 0xFFFFFFFFu})
    EXPECT_EQ(table.find(bad), nullptr);
}

}  // namespace
}  // namespace mana::test
