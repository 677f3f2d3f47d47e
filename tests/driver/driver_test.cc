// SPDX-License-Identifier: GPL-2.0
#include "driver_test.h"

namespace mana::test {

int DriverTest::probe() {
  adapter = nullptr;
  return mana_adapter_probe(kernel.pdev(), &adapter);
}

void DriverTest::remove() {
  if (adapter)
    mana_adapter_remove(std::exchange(adapter, nullptr));
}

void DriverTest::bring_up(u32 ports) {
  start();
  ASSERT_EQ(probe(), 0) << (kernel.log.empty() ? "" : kernel.log.back());
  for (u32 i = 0; i < ports; i++)
    ASSERT_EQ(open(i), 0) << kernel.log.back();
  kernel.settle();
}

void DriverTest::TearDown() {
  kernel.clear_hooks();
  if (device) {
    device->edit_response = nullptr;
    device->edit_write = nullptr;
    device->on_request = nullptr;
    device->stalled = false;
  }
  remove();
  kernel.settle();
  kernel.free_received();
  kernel.audit();
  if (device && !expect_objects) {
    EXPECT_TRUE(device->has_no_objects()) << device->control("objects");
  }
}

bool DriverTest::transmit(u32 port, sk_buff* skb, u32 queue) {
  netdev_queue* txq = shim_txq(netdev(port), queue);
  if (txq->stopped || !netdev(port)->running)
    return false;
  shim_txq_lock(txq);
  const bool taken = mana_port_transmit(this->port(port), skb, queue);
  shim_txq_unlock(txq);
  return taken;
}

std::vector<Bytes> DriverTest::take_received(u32 port) {
  std::vector<Bytes> frames;
  auto& received = kernel.received;
  for (auto it = received.begin(); it != received.end();)
    if (it->netdev == netdev(port)) {
      frames.push_back(it->skb->bytes());
      kernel.free_skb(it->skb);
      it = received.erase(it);
    } else {
      ++it;
    }
  return frames;
}

std::vector<Bytes> DriverTest::send(u32 port, sk_buff* skb, u32 to, u32 queue) {
  if (!transmit(port, skb, queue)) {
    kernel.free_skb(skb);
    ADD_FAILURE() << "the queue is full or stopped";
  }
  kernel.settle();
  return take_received(to);
}

size_t DriverTest::traffic(u32 frames) {
  size_t arrived = 0;
  for (u32 i = 0; i < frames; i++)
    for (u8 from : {0, 1}) {
      sk_buff* skb = skb_of(kernel, {.source = static_cast<u8>(from + 1),
                                     .destination = static_cast<u8>(2 - from),
                                     .source_port = static_cast<uint16_t>(1000 + i)});
      if (!transmit(from, skb)) {
        kernel.free_skb(skb);
        continue;
      }
      kernel.settle();
      arrived += take_received(1 - from).size();
    }
  return arrived;
}

u64 DriverTest::stat(u32 port, const std::string& name) {
  const u32 count = mana_port_stat_count(this->port(port));
  std::vector<u8> names(size_t{count} * SHIM_STAT_NAME);
  std::vector<u64> values(count);
  mana_port_stat_names(this->port(port), names.data());
  under_rtnl([&] { return mana_port_stat_values(this->port(port), values.data()), 0; });
  for (u32 i = 0; i < count; i++)
    if (name == reinterpret_cast<const char*>(&names[size_t{i} * SHIM_STAT_NAME]))
      return values[i];
  ADD_FAILURE() << "no statistic " << name;
  return 0;
}

std::vector<Doorbell> DriverTest::doorbells(size_t from) const {
  std::vector<Doorbell> all;
  for (size_t i = from; i < kernel.mmio.size(); i++) {
    const Mmio& access = kernel.mmio[i];
    if (!access.is_write || access.offset < 0x1000)
      continue;
    all.push_back({.page = static_cast<u32>(access.offset / 4096 - 1),
                   .reg = static_cast<u32>(access.offset % 4096),
                   .id = static_cast<u32>(access.value & 0xFFFFFF),
                   .value = static_cast<u32>(access.value >> 32),
                   .arm = false});
    if (all.back().reg >= wire::doorbell::kCq) {
      all.back().arm = all.back().value >> 31;
      all.back().value &= 0x7FFFFFFF;
    }
  }
  return all;
}

void DriverTest::watch() {
  device->edit_response = [this](wire::Command command, u8* bytes, u32 length) {
    if (command != wire::Command::kCreateWqObject || length < sizeof(wire::CreateWqObjectResponse))
      return;
    wire::CreateWqObjectResponse response;
    std::memcpy(static_cast<void*>(&response), bytes, sizeof(response));
    // The two regions before it are the WQ's and the CQ's.
    const auto regions = device->requests_of(wire::Command::kCreateDmaRegion);
    const auto address = [&](size_t back) {
      u64 value = 0;
      std::memcpy(&value, &regions[regions.size() - back].bytes[64], sizeof(value));
      return value;
    };
    objects.push_back({device->requests.back().as<wire::CreateWqObjectRequest>(), address(2),
                       address(1), response.wq_id, response.cq_id});
  };
}

Bytes DriverTest::wqe(const Object& object, u32 position, u32 length) {
  Bytes bytes;
  for (u32 i = 0; i < length; i++)
    bytes.push_back(*kernel.coherent(object.wq_address + (position + i) % object.request.wq_bytes));
  return bytes;
}

void DriverTest::forge_cqe(const Object& object, u32 index, wire::Cqe cqe) {
  const u32 entries = object.request.cq_bytes / wire::Cqe::kSize;
  cqe.trailer = wire::OwnerBits::replace(cqe.trailer, (index / entries + 1) % wire::kOwnerLaps);
  u8* slot = kernel.coherent(object.cq_address + u64{index % entries} * wire::Cqe::kSize, 64);
  ASSERT_NE(slot, nullptr);
  std::memcpy(slot, &cqe, sizeof(cqe));
}

void DriverTest::poll_all() {
  for (napi_struct* napi : kernel.napis_)
    shim_napi_schedule(napi);
  kernel.settle();
}

}  // namespace mana::test
