// SPDX-License-Identifier: GPL-2.0
// src/hwc/event_queue.cc
#include "driver_test.h"

namespace mana::test {
namespace {

class EventQueueTest : public DriverTest {
 protected:
  // Data EQEs only: what is written to the ring of an EQ that CREATE_QUEUE made.
  bool is_data_event(u64 address, u32 length) {
    const auto regions = device->requests_of(wire::Command::kCreateDmaRegion);
    const auto queues = device->requests_of(wire::Command::kCreateQueue);
    for (const auto& region : regions) {
      u64 first = 0;
      std::memcpy(&first, &region.bytes[64], sizeof(first));
      const auto message = region.as<wire::CreateDmaRegionRequest>();
      if (message.length == 4096 && address >= first && address < first + 4096)
        return length == 15 || length == 1;
    }
    return false;
  }
};

TEST_F(EventQueueTest, D37_EveryEqIsArmedAfterItWasRead) {
  bring_up(2);
  for (int i = 0; i < 600; i++) {  // more than two laps
    kernel.mmio.clear();
    ASSERT_EQ(send(0, skb_of(kernel, {}), 1).size(), 1u) << i;
    size_t armed = 0;
    for (const Doorbell& bell : doorbells())
      if (bell.page == 1 && bell.reg == wire::doorbell::kEq) {
        EXPECT_TRUE(bell.arm);
        armed++;
      }
    ASSERT_GE(armed, 1u);
  }
}

TEST_F(EventQueueTest, D38_EventsOfUnknownCqsAreIgnored) {
  bring_up(2);
  for (u32 id : {0u, 0xFFFFFFu, 100'000u}) {
    device->edit_write = [this, id](u64 address, u8* bytes, u32 length) {
      if (length == 15 && is_data_event(address, length) &&
          bytes[12] == static_cast<u8>(wire::EqeType::kCompletion))
        std::memcpy(bytes, &id, sizeof(id));
    };
    EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 0u);
    device->edit_write = nullptr;
    poll_all();  // as if somebody had come round
    EXPECT_EQ(take_received(1).size(), 1u);
    EXPECT_EQ(traffic(1), 2u);
  }
}

TEST_F(EventQueueTest, D38_OtherEventTypesAreIgnored) {
  bring_up(2);
  device->edit_write = [this](u64 address, u8* bytes, u32 length) {
    if (length == 15 && is_data_event(address, length))
      bytes[12] = 0xB0;
  };
  EXPECT_EQ(send(0, skb_of(kernel, {}), 1).size(), 0u);
  device->edit_write = nullptr;
  poll_all();
  EXPECT_EQ(take_received(1).size(), 1u);
}

TEST_F(EventQueueTest, D39_AnOverrunEqRecovers) {
  bring_up(2);
  device->edit_write = [this, once = false](u64 address, u8* bytes, u32 length) mutable {
    if (length == 1 && is_data_event(address, length) && !std::exchange(once, true))
      bytes[0] = static_cast<u8>(bytes[0] + (3 << 5));
  };
  const u64 rounds = kernel.rounds;
  (void)send(0, skb_of(kernel, {}), 1);
  device->edit_write = nullptr;
  kernel.pass(1'000);
  EXPECT_LT(kernel.rounds - rounds, 1'000u);
  EXPECT_TRUE(kernel.logged("overrun"));
  // All its users get a new one.
  EXPECT_EQ(stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(stat(1, "queue_recoveries"), 1u);
  EXPECT_EQ(traffic(), 8u);
}

TEST_F(EventQueueTest, D64_ObjectsGoBeforeTheirEq) {
  bring_up(2);
  device->requests.clear();
  ASSERT_EQ(stop(0), 0);
  // The other port still has objects on the shared EQs.
  for (const auto& request : device->requests)
    EXPECT_NE(request.command, wire::Command::kDisableQueue);
  EXPECT_EQ(device->requests_of(wire::Command::kDestroyWqObject).size(), 4u);
  remove();
  const auto commands = device->commands();
  size_t destroyed = 0, disabled = 0;
  for (wire::Command command : commands) {
    destroyed += command == wire::Command::kDestroyWqObject;
    disabled += command == wire::Command::kDisableQueue;
    EXPECT_EQ(destroyed, disabled == 0 ? destroyed : 8);
  }
  EXPECT_EQ(disabled, 2u);
}

TEST_F(EventQueueTest, SharedAmongPortsAndKeptWhileTheyAreDown) {
  start();
  ASSERT_EQ(probe(), 0);
  EXPECT_EQ(kernel.handlers_.size(), 1u);
  ASSERT_EQ(open(0), 0);
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(device->requests_of(wire::Command::kCreateQueue).size(), 2u);
  EXPECT_EQ(kernel.handlers_.size(), 3u);
  for (int i = 0; i < 3; i++) {
    ASSERT_EQ(stop(0), 0);
    ASSERT_EQ(stop(1), 0);
    EXPECT_EQ(kernel.handlers_.size(), 3u);
    ASSERT_EQ(open(0), 0);
    ASSERT_EQ(open(1), 0);
    EXPECT_EQ(traffic(), 8u);
  }
  EXPECT_EQ(device->requests_of(wire::Command::kCreateQueue).size(), 2u);
  EXPECT_EQ(device->requests_of(wire::Command::kDisableQueue).size(), 0u);
  remove();
  EXPECT_EQ(device->requests_of(wire::Command::kDisableQueue).size(), 2u);
  EXPECT_TRUE(kernel.handlers_.empty());
}

// A queue whose interrupt was lost is silent, and the other port keeps it from being made anew.
TEST_F(EventQueueTest, ALostInterruptIsMadeUpForWhenAPortComesBack) {
  bring_up(2);
  device->fault("interrupt drop");
  (void)send(0, skb_of(kernel, {}), 1);
  device->fault("clear");
  EXPECT_LT(traffic(), 8u);
  ASSERT_EQ(stop(1), 0);
  ASSERT_EQ(open(1), 0);
  (void)take_received(0);
  (void)take_received(1);
  EXPECT_EQ(traffic(), 8u);
}

// What going down and up costs is bounded: commands of the channel, by number of queue pairs.
TEST_F(EventQueueTest, CommandsOfOpenAndStop) {
  bring_up(1);
  const size_t queues = config.queues;
  device->requests.clear();
  ASSERT_EQ(stop(0), 0);
  EXPECT_EQ(device->requests.size(), 1 + 3 * queues);
  device->requests.clear();
  ASSERT_EQ(open(0), 0);
  EXPECT_EQ(device->requests.size(), 2 + 6 * queues);
}

TEST_F(EventQueueTest, D11_AnEqThatMayStillExistKeepsItsMemory) {
  start();
  ASSERT_EQ(probe(), 0);
  const size_t memory = kernel.coherent_count();
  device->fault("hwc 12 late 40000 x1");  // created, and the answer comes too late
  EXPECT_LT(open(0), 0);
  EXPECT_GT(kernel.coherent_count(), memory);
  remove();
  EXPECT_EQ(kernel.coherent_count(), 0u);
}

TEST_F(EventQueueTest, D11_AnEqThatWasNotDisabledKeepsItsMemory) {
  bring_up(1);
  device->fault("hwc 13 status x2");
  // Both EQs, until the device confirms that it stopped.
  size_t most = 0;
  kernel.on_mmio = [&](const Mmio& access) {
    if (access.is_write && access.offset == wire::reg::kMapSize + 28)
      most = kernel.coherent_count();
  };
  remove();
  kernel.on_mmio = nullptr;
  EXPECT_EQ(most, 6u + 2);
  EXPECT_EQ(kernel.coherent_count(), 0u);
}

}  // namespace
}  // namespace mana::test
