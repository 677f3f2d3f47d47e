// SPDX-License-Identifier: GPL-2.0
// Fixtures. Both audit at the end: whatever the driver took must be back.
#pragma once

#include <memory>

#include "fake_kernel.h"
#include "model_device.h"
#include "wire/registers.h"
#include "wire/rx.h"
#include "wire/tx.h"

namespace mana::test {

// A kernel and no device.
class KernelTest : public ::testing::Test {
 protected:
  void TearDown() override {
    kernel.clear_hooks();
    kernel.settle();
    kernel.free_received();
    kernel.audit();
  }

  FakeKernel kernel;
};

// A write to a doorbell register of the driver's, taken apart.
struct Doorbell {
  u32 page;
  u32 reg;
  u32 id;
  u32 value;  // tail or index, without the arm bit
  bool arm;

  bool operator==(const Doorbell&) const = default;
};

// The whole driver on the model.
class DriverTest : public ::testing::Test {
 protected:
  void start() {
    device = std::make_unique<ModelDevice>(kernel, config), kernel.attach(device.get());
  }
  int probe();
  void remove();
  // Model, probe, and the first `ports` ports open.
  void bring_up(u32 ports);
  net_device* netdev(u32 port) { return kernel.netdevs.at(port); }
  mana_port* port(u32 index) { return netdev(index)->config.port; }
  int open(u32 index) { return kernel.open(netdev(index)); }
  int stop(u32 index) { return kernel.stop(netdev(index)); }
  void TearDown() override;

  // As the stack would: false if the queue is stopped or refuses.
  bool transmit(u32 port, sk_buff* skb, u32 queue = 0);
  // Sends and lets everything settle; the frames that came out at `to`.
  std::vector<Bytes> send(u32 port, sk_buff* skb, u32 to, u32 queue = 0);
  std::vector<Bytes> take_received(u32 port);
  size_t traffic(u32 frames = 4);  // of those frames in each direction, how many arrived

  u64 stat(u32 port, const std::string& name);
  std::vector<Doorbell> doorbells(size_t from = 0) const;

  // --- the rings, as the device sees them ---
  struct Object {
    wire::CreateWqObjectRequest request;
    u64 wq_address;
    u64 cq_address;
    u32 wq_id;
    u32 cq_id;
  };
  // Created while `watch()` is on, in order.
  void watch();
  std::vector<Object> objects;
  // The WQE at byte position `tail` of a ring.
  Bytes wqe(const Object& object, u32 position, u32 length);
  // Posts a completion into a CQ, as if the device had; `index` counts from the ring's start.
  void forge_cqe(const Object& object, u32 index, wire::Cqe cqe);
  void poll_all();  // as after an interrupt of each CQ

  template <typename Function>
  auto under_rtnl(Function function) {
    shim_rtnl_lock();
    auto result = function();
    shim_rtnl_unlock();
    return result;
  }

  FakeKernel kernel;
  ModelDevice::Config config;
  std::unique_ptr<ModelDevice> device;
  mana_adapter* adapter = nullptr;
  bool expect_objects = false;  // the model keeps some: the test says why
};

}  // namespace mana::test
