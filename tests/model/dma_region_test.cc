// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;

class DmaRegion : public ScriptedDriver {
 protected:
  void SetUp() override { bring_up(); }

  struct Spec {
    uint64_t length = 4096;
    uint32_t offset = 0;
    uint32_t page_type = 0;
    uint32_t count = 1;
    uint32_t here = 1;
    std::vector<uint64_t> addresses;
    uint32_t extra = 0;  // unused addresses behind
  };
  Response create(const Spec& spec) {
    wire::CreateDmaRegionRequest message = {};
    message.length = spec.length;
    message.first_page_offset = spec.offset;
    message.page_type = spec.page_type;
    message.page_count = spec.count;
    message.addresses_here = spec.here;
    Bytes raw(sizeof(message) + (spec.addresses.size() + spec.extra) * 8);
    std::memcpy(raw.data(), static_cast<const void*>(&message), sizeof(message));
    if (!spec.addresses.empty())
      std::memcpy(&raw[sizeof(message)], spec.addresses.data(), spec.addresses.size() * 8);
    fill_header(raw, Command::kCreateDmaRegion);
    return exchange(raw);
  }
  Response add(uint64_t region, uint32_t here, const std::vector<uint64_t>& addresses) {
    wire::DmaRegionAddPagesRequest message = {};
    message.region = region;
    message.addresses_here = here;
    Bytes raw(sizeof(message) + addresses.size() * 8);
    std::memcpy(raw.data(), static_cast<const void*>(&message), sizeof(message));
    if (!addresses.empty())
      std::memcpy(&raw[sizeof(message)], addresses.data(), addresses.size() * 8);
    fill_header(raw, Command::kDmaRegionAddPages);
    return exchange(raw);
  }
  Response destroy(uint64_t region) {
    wire::DestroyDmaRegionRequest message = {};
    message.region = region;
    return command(Command::kDestroyDmaRegion, message);
  }
  uint64_t regions() {
    const std::string json = control("objects");
    return std::stoull(json.substr(json.find("\"regions\":") + 10));
  }
  static uint64_t handle(const Response& response) {
    return response.as<wire::CreateDmaRegionResponse>().region;
  }
};

TEST_F(DmaRegion, M36_V9_BadShapes) {
  const uint64_t page = host.take_pages(8192);
  const uint64_t before = regions();
  EXPECT_FALSE(create({.length = 0, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.length = 4097, .addresses = {page}}).ok()) << "too few pages";
  EXPECT_FALSE(create({.length = 4096, .offset = 1, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.offset = 4096, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.page_type = 64, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.count = 0, .here = 0}).ok());
  EXPECT_FALSE(create({.here = 0, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.here = 2, .addresses = {page, page}}).ok()) << "more than the region has";
  EXPECT_FALSE(create({.here = 1}).ok()) << "outside the message";
  EXPECT_FALSE(
      create({.length = ~0ull, .count = 0xFFFFFFFF, .here = 0xFFFFFFFF, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.length = ~0ull, .count = 1, .here = 1, .addresses = {page}}).ok());
  EXPECT_FALSE(create({.addresses = {page + 8}}).ok()) << "misaligned";
  EXPECT_FALSE(create({.addresses = {0x5000}}).ok()) << "not memory";
  EXPECT_FALSE(create({.addresses = {~0xFFFull}}).ok());
  EXPECT_EQ(regions(), before);
  EXPECT_TRUE(create({.length = 4000, .offset = 96, .addresses = {page}}).ok());
}

TEST_F(DmaRegion, M36_MessagesMayBeLonger) {
  EXPECT_TRUE(create({.addresses = {host.take_pages(4096)}, .extra = 15}).ok());
}

TEST_F(DmaRegion, M36_HandlesAreUniqueAndNeverZero) {
  std::vector<uint64_t> handles;
  const uint64_t page = host.take_pages(4096);
  for (int i = 0; i < 100; i++) {
    handles.push_back(create_region(page, 4096));
    EXPECT_NE(handles.back(), 0u);
  }
  std::sort(handles.begin(), handles.end());
  EXPECT_EQ(std::unique(handles.begin(), handles.end()), handles.end());
  // A freed handle does not come back.
  EXPECT_TRUE(destroy(handles[0]).ok());
  EXPECT_FALSE(destroy(handles[0]).ok());
  EXPECT_NE(create_region(page, 4096), handles[0]);
}

TEST_F(DmaRegion, M36_SeveralMessages) {
  std::vector<uint64_t> pages;
  const uint64_t memory = host.take_pages(8 * 4096);
  for (uint64_t i = 0; i < 8; i++)
    pages.push_back(memory + (7 - i) * 4096);  // scattered: backwards
  Response response =
      create({.length = 32768, .count = 8, .here = 3, .addresses = {pages[0], pages[1], pages[2]}});
  ASSERT_TRUE(response.arrived);
  EXPECT_EQ(response.status, 0x105u);
  const uint64_t region = handle(response);
  EXPECT_NE(region, 0u);

  // Not usable yet.
  wire::CreateQueueRequest queue = {};
  queue.type = wire::QueueType::kEq;
  queue.pdid = pdid;
  queue.doorbell_id = page_;
  queue.region = region;
  queue.queue_bytes = 32768;
  EXPECT_FALSE(command(Command::kCreateQueue, queue).ok());

  EXPECT_EQ(add(region, 1, {pages[3]}).status, 0x105u);
  EXPECT_EQ(add(region, 5, {pages[4], pages[5], pages[6], pages[7], pages[7]}).status, 1u)
      << "more than is missing: nothing taken";
  EXPECT_EQ(add(region, 4, {pages[4]}).status, 1u) << "outside the message";
  EXPECT_EQ(add(region, 0, {}).status, 1u);
  EXPECT_EQ(add(region, 1, {0x123000}).status, 1u);
  EXPECT_EQ(add(region, 4, {pages[4], pages[5], pages[6], pages[7]}).status, 0u);
  EXPECT_EQ(add(region, 1, {pages[7]}).status, 1u) << "complete";

  // The ring really lies in those pages: event 256 is in the second, which lies lower in memory.
  response = command(Command::kCreateQueue, queue);
  ASSERT_TRUE(response.ok());
  wire::GenerateTestEqeRequest test = {};
  test.eq_id = response.as<wire::CreateQueueResponse>().queue_id;
  for (int i = 0; i < 257; i++)
    ASSERT_TRUE(command(Command::kGenerateTestEqe, test).ok());
  EXPECT_EQ(host.load<wire::Eqe>(pages[0]).trailer, 0x20000040u);
  EXPECT_EQ(host.load<wire::Eqe>(pages[0] + 4080).trailer, 0x20000040u);
  EXPECT_EQ(host.load<wire::Eqe>(pages[1]).trailer, 0x20000040u);
  EXPECT_EQ(host.load<wire::Eqe>(pages[1] + 16).trailer, 0u);
  EXPECT_EQ(host.load<wire::Eqe>(pages[2]).trailer, 0u);
}

TEST_F(DmaRegion, M36_AnIncompleteRegionCanBeDestroyed) {
  const uint64_t page = host.take_pages(4096);
  const Response response = create({.length = 8192, .count = 2, .here = 1, .addresses = {page}});
  EXPECT_EQ(response.status, 0x105u);
  const uint64_t before = regions();
  EXPECT_TRUE(destroy(handle(response)).ok());
  EXPECT_EQ(regions(), before - 1);
  EXPECT_FALSE(add(handle(response), 1, {page}).ok());
}

TEST_F(DmaRegion, M36_FiveHundredAndFourPagesInOneMessage) {
  const uint64_t page = host.take_pages(4096);
  std::vector<uint64_t> pages(504, page);
  EXPECT_TRUE(create({.length = 504 * 4096, .count = 504, .here = 504, .addresses = pages}).ok());
}

TEST_F(DmaRegion, M36_LargePages) {
  const uint64_t memory = FakeHost::kMemoryBase;
  EXPECT_TRUE(create({.length = 2 << 20, .page_type = 9, .addresses = {memory}}).ok());
  EXPECT_FALSE(create({.length = 64 << 20, .page_type = 15, .addresses = {memory}}).ok())
      << "longer than memory";
}

TEST_F(DmaRegion, M37_Q14_ConsumedOnSuccessOnly) {
  const uint64_t memory = host.take_pages(8192);
  const uint64_t region = create_region(memory, 8192);
  wire::CreateQueueRequest message = {};
  message.type = wire::QueueType::kEq;
  message.pdid = pdid;
  message.doorbell_id = page_;
  message.region = region;
  message.queue_bytes = 4096;  // not the region's length
  EXPECT_FALSE(command(Command::kCreateQueue, message).ok());
  EXPECT_TRUE(destroy(region).ok()) << "still the driver's";

  message.region = create_region(memory, 8192);
  message.queue_bytes = 8192;
  const Response response = command(Command::kCreateQueue, message);
  ASSERT_TRUE(response.ok());
  EXPECT_FALSE(destroy(message.region).ok());
  EXPECT_FALSE(command(Command::kCreateQueue, message).ok()) << "used up";
  EXPECT_FALSE(add(message.region, 1, {memory}).ok());
}

TEST_F(DmaRegion, M37_V8_RingShapes) {
  const auto refused = [&](uint64_t bytes) {
    wire::CreateQueueRequest message = {};
    message.type = wire::QueueType::kEq;
    message.pdid = pdid;
    message.doorbell_id = page_;
    message.region = create_region(host.take_pages(bytes), bytes);
    message.queue_bytes = static_cast<uint32_t>(bytes);
    EXPECT_NE(message.region, 0u);
    return !command(Command::kCreateQueue, message).ok();
  };
  EXPECT_TRUE(refused(2048));
  EXPECT_TRUE(refused(12288));
  EXPECT_TRUE(refused(5000));
  EXPECT_FALSE(refused(16384));
  // A ring starts at a page.
  const uint64_t memory = host.take_pages(8192);
  const Response response = create(
      {.length = 4096, .offset = 64, .count = 2, .here = 2, .addresses = {memory, memory + 4096}});
  ASSERT_TRUE(response.ok());
  wire::CreateQueueRequest message = {};
  message.type = wire::QueueType::kEq;
  message.pdid = pdid;
  message.doorbell_id = page_;
  message.region = handle(response);
  message.queue_bytes = 4096;
  EXPECT_FALSE(command(Command::kCreateQueue, message).ok());
}

TEST_F(DmaRegion, V9_M60_Quotas) {
  // Regions and page addresses are limited, whatever a guest asks for.
  const uint64_t page = host.take_pages(4096);
  const uint64_t before = host.bytes_allocated;
  int created = 0;
  while (create({.length = 504ull * 4096, .count = 504, .here = 1, .addresses = {page}}).status ==
         0x105)
    ASSERT_LT(++created, 10000);
  EXPECT_GT(created, 100);
  EXPECT_LT(host.bytes_allocated - before, 8u << 20);
  EXPECT_FALSE(
      create({.length = 1ull << 40, .count = 1u << 28, .here = 1, .addresses = {page}}).ok());
  // Destroying makes room again.
  EXPECT_EQ(ScriptedDriver::destroy(), 0x82u);
  device_id = {};
  bring_up();
  for (int i = 0; i < 4000; i++)
    ASSERT_NE(create_region(page, 4096), 0u);
}

TEST_F(DmaRegion, M60_NoMemoryIsAFailure) {
  host.fail_allocation = 1;
  EXPECT_FALSE(create({.addresses = {host.take_pages(4096)}}).ok());
  EXPECT_TRUE(create({.addresses = {host.take_pages(4096)}}).ok());
}

}  // namespace
}  // namespace mana::test
