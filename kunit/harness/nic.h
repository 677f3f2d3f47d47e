// SPDX-License-Identifier: GPL-2.0
// The whole driver on the device model, in the real kernel: what most cases start with.
#pragma once

#include "kunit/harness/frame.h"
#include "kunit/harness/function.h"
#include "kunit/harness/model_device.h"
#include "kunit/shim/stack.h"
#include "shim/entry.h"

namespace mana::kunit {

// An skb that somebody may have to free.
class Skb : NonCopyable {
 public:
  Skb() = default;
  explicit Skb(sk_buff* skb) : skb_{skb} {}
  Skb(Skb&& other) : skb_{exchange(other.skb_, nullptr)} {}
  Skb& operator=(Skb&& other) {
    swap(skb_, other.skb_);
    return *this;
  }
  ~Skb() {
    if (skb_)
      kunit_skb_free(skb_);
  }
  explicit operator bool() const { return skb_ != nullptr; }
  sk_buff* get() const { return skb_; }
  sk_buff* release() { return exchange(skb_, nullptr); }

  kunit_received look() const {
    kunit_received received{};
    kunit_skb_look(skb_, &received);
    return received;
  }
  // The frame is these bytes, from the Ethernet header on.
  bool holds(const u8* bytes, u32 length) const;
  bool holds(const Frame& frame) const { return holds(frame.bytes(), frame.length()); }

 private:
  sk_buff* skb_ = nullptr;
};

// What a netdev delivers to the stack.
class Tap : NonCopyable {
 public:
  explicit Tap(net_device* netdev) : tap_{kunit_tap_create(netdev)} {
    if (!tap_)
      FAIL("no memory for a tap");
  }
  ~Tap() {
    if (tap_)
      kunit_tap_destroy(tap_);
  }
  u32 count() const { return kunit_tap_count(tap_); }
  Skb take() const { return Skb{kunit_tap_take(tap_)}; }
  void clear() const {
    while (count() != 0)
      take();
  }

 private:
  kunit_tap* tap_;
};

class Nic : NonCopyable {
 public:
  struct Config {
    u32 ports = 2;
    u32 queues = 2;
    u32 mtu = 9000;
    const char* options = "";
    u32 vectors = 0;  // 0: as many as the queues need; making one takes long
    bool bind = false;  // through the driver core, with the module's own pci_driver
    kunit_pace pace = KUNIT_PACE_LATER;
  };
  explicit Nic(const Config& config);
  Nic() : Nic{Config{}} {}
  // Removes the driver; then nothing of it may be left, on the device either.
  ~Nic();

  explicit operator bool() const { return static_cast<bool>(function_); }
  ModelDevice& device() { return device_; }
  const Function& function() const { return function_; }
  pci_dev* pdev() const { return function_.pdev(); }
  mana_adapter* adapter() const { return adapter_; }

  int probe();
  void remove();
  // probe and open of the first `ports` ports; true if all of it worked.
  bool up(u32 ports = 2);
  net_device* netdev(u32 port) const { return kunit_netdev(pdev(), port); }
  int open(u32 port) const { return kunit_netdev_open(netdev(port)); }
  void close(u32 port) const { kunit_netdev_close(netdev(port)); }
  void settle() const { function_.settle(); }
  // A statistic of ethtool's, e.g. "rx_0_packets"; an unknown name is a failure.
  u64 stat(u32 port, const char* name) const;
  shim_link_stats link_stats(u32 port) const;

  // One frame from a port's queue, and settle. False if the driver did not take it.
  bool send(u32 port, const Frame& frame, u32 queue = 0) const;
  bool send(u32 port, const kunit_packet& packet, u32 queue = 0) const;
  // `count` frames in each direction between ports 0 and 1: true if all arrive as they were.
  bool traffic(u32 count = 4) const;

  // The model keeps objects at the end: the case says so, and why.
  void expect_objects() { objects_expected_ = true; }

 private:
  bool bound_;
  bool objects_expected_ = false;
  ModelDevice device_;
  Function function_;
  mana_adapter* adapter_ = nullptr;
};

}  // namespace mana::kunit
