// SPDX-License-Identifier: GPL-2.0
// The receive side of a port under the microscope: its rings, its page pools, and frames that come
// out of nowhere.
#pragma once

#include "kunit/harness/nic.h"
#include "kunit/shim/pools.h"
#include "wire/rx.h"

namespace mana::kunit {

class ReceiveBench : NonCopyable {
 public:
  struct Config {
    u32 ports = 1;   // the last one is the one that is looked at
    u32 queues = 1;
    u32 ring = 128;  // receive buffers of the last port
    u32 mtu = 1500;  // of all ports
    bool scatter = false;  // likewise
    kunit_pace pace = KUNIT_PACE_LATER;
    const char* options = "";  // of the device
  };
  explicit ReceiveBench(const Config& config);
  ReceiveBench() : ReceiveBench{Config{}} {}
  ~ReceiveBench();

  // Probes, sets rings and MTU, opens all ports, taps the last one. GRO is off there.
  bool up();
  // The same, but the ports stay down, and there is no tap.
  bool probe();

  u32 port() const { return config_.ports - 1; }
  net_device* netdev() const { return nic.netdev(port()); }
  net_device* other() const { return nic.netdev(0); }
  kunit_function* function() const { return nic.function().get(); }

  // --- frames ---

  // A numbered frame of no protocol that anybody knows, told apart by its content. `payload`: more
  // than 4 bytes.
  static Frame numbered(u32 n, u32 payload = 100);
  // Frames that come out of nowhere into the port, all at the same moment; then settle. The number
  // that the device had buffers for.
  u32 inject(u32 count, u32 first = 0, u32 payload = 100);
  // The same of any frames of equal length; make(i) is the i-th.
  u32 inject_each(u32 count, Hook<Frame(u32)> make);
  bool inject(const Frame& frame);
  // The same one `count` times at the same moment.
  u32 inject_same(const Frame& frame, u32 count);
  // From a hook: the device delivers one now.
  bool inject_now(const Frame& frame);
  // The next that arrived are these, in this order, and there are no others.
  bool arrive(u32 count, u32 first = 0, u32 payload = 100);
  // inject() and arrive(), some at a time.
  bool pass(u32 count, u32 first = 0, u32 payload = 100);
  // From a generator behind the port, of UDP with zeros inside: bursts that are `interval`
  // nanoseconds apart. Returns at once; traffic_left() is what is still to come.
  void start_traffic(u32 count, u32 bytes = 60, u32 burst = 16, u32 interval = 30'000'000);
  u64 traffic_left();
  void end_traffic();  // as long as there is a generator, inject() does not work

  u32 arrived() const { return tap_ ? kunit_tap_count(tap_) : 0; }
  Skb take() const { return Skb{tap_ ? kunit_tap_take(tap_) : nullptr}; }
  void clear_arrived() const {
    while (arrived() != 0)
      take();
  }
  // Before the netdev goes.
  void remove_tap();

  // --- what the driver made ---

  struct Rq {
    u32 wq_id;
    u32 cq_id;
    u32 wq_bytes;
    u32 cq_bytes;
    u64 wq_address;
    u64 cq_address;

    // doorbells
    u32 bells;
    u32 tail;  // bytes
    bool backwards;  // a tail that went back, or further than the ring is long
    u32 wqe_counts;  // sum of what the doorbells say in their count field
    u32 cq_bells;
    u32 arms;
    u32 index;  // the last one's
  };
  // The n-th of the last port that was created, the newest first.
  const Rq& rq(u32 n = 0) const { return rqs_[(rq_count_ - 1 - n) % kRqs]; }
  u32 rq_count() const { return rq_count_; }
  wire::Cqe* cqe(u32 index, u32 n = 0) const;  // index of the lap; in the driver's own memory
  const u8* wqe(u32 index, u32 n = 0) const;
  // Before the device sees it.
  Hook<void(const Doorbell&)> on_doorbell;
  // The completions of packets, before the driver sees them; the owner bits are not there yet.
  Hook<void(wire::RxCqe&)> on_completion;
  Hook<void(wire::RxCqe&)> on_fence;  // likewise

  kunit_pool pool(u32 index = 0) const;  // the oldest first
  u32 pools() const { return kunit_pools(netdev()); }
  kunit_dma_calls dma() const;
  // Buffers that the device has when it was told of all, and those that the ring holds: one more.
  u32 buffers() const { return config_.ring - 1; }
  u32 held() const { return config_.ring; }
  // Of the posted ones the device may not have been told yet, at most.
  static constexpr u32 kUntold = 31;

  // A statistic of queue 0, e.g. "packets"; of the port, e.g. "queue_recoveries".
  u64 queue_stat(const char* name) const;
  u64 stat(const char* name) const { return nic.stat(port(), name); }
  // Frames that the device had no buffer for.
  u64 without_buffer() { return nic.device().port_statistic(port(), "rx_dropped_no_wqe"); }
  bool await_recoveries(u32 count) const;
  // Until so many pools are left, those included that wait for pages.
  bool await_pools(u32 count) const;
  // The ring is whole: it takes as many frames in one go as it has buffers, and they all arrive.
  void expect_whole_ring();

  Nic nic;

 private:
  static constexpr u32 kRqs = 4;
  static constexpr u32 kRegions = 8;

  Rq* find(u32 id, bool cq);

  Config config_;
  kunit_tap* tap_ = nullptr;
  u32 rq_count_ = 0;
  Rq rqs_[kRqs] = {};
  struct {
    u64 handle;
    u64 address;
  } regions_[kRegions] = {};
  u32 region_count_ = 0;

  struct Learn {
    ReceiveBench& bench;
    void operator()(wire::Command command, u8* bytes, u32 length) const;
  } learn_{*this};
  struct Watch {
    ReceiveBench& bench;
    bool operator()(u64 offset, u64 value, u32 size) const;
  } watch_{*this};
  struct Ring {
    ReceiveBench& bench;
    void operator()(const Doorbell& doorbell) const;
  } ring_{*this};
  struct Edit {
    ReceiveBench& bench;
    void operator()(u64 address, u8* bytes, u32 length) const;
  } edit_{*this};
};

}  // namespace mana::kunit
