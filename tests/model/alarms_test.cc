// SPDX-License-Identifier: GPL-2.0
#include "model/alarms.h"

#include <gtest/gtest.h>

namespace mana::test {
namespace {

struct Sleeper {
  model::Alarm<Sleeper> alarm;
};
using Alarms = model::Alarms<Sleeper>;
constexpr u64 kNever = model::Alarm<Sleeper>::kNever;

TEST(Alarms, RingInAnyOrderAndOnce) {
  Alarms alarms;
  Sleeper a, b, c;
  EXPECT_EQ(alarms.earliest(), kNever);
  alarms.set(a, 20);
  alarms.set(b, 10);
  alarms.set(c, 30);
  EXPECT_EQ(alarms.earliest(), 10u);
  EXPECT_EQ(alarms.take_due(9), nullptr);
  EXPECT_EQ(alarms.take_due(10), &b);
  EXPECT_FALSE(b.alarm.set());
  EXPECT_EQ(alarms.take_due(10), nullptr);
  EXPECT_EQ(alarms.earliest(), 20u);
  EXPECT_NE(alarms.take_due(100), nullptr);
  EXPECT_NE(alarms.take_due(100), nullptr);
  EXPECT_EQ(alarms.take_due(100), nullptr);
}

TEST(Alarms, CanBeCancelledAndMoved) {
  Alarms alarms;
  Sleeper a, b, c;
  alarms.cancel(a);
  for (Sleeper* sleeper : {&a, &b, &c})
    alarms.set(*sleeper, 10);
  alarms.cancel(b);
  alarms.set(c, 5);
  EXPECT_EQ(alarms.find_if([&](const Sleeper& sleeper) { return &sleeper == &b; }), nullptr);
  EXPECT_EQ(alarms.take_due(5), &c);
  EXPECT_EQ(alarms.take_due(kNever - 1), &a);
  EXPECT_EQ(alarms.earliest(), kNever);
}

}  // namespace
}  // namespace mana::test
