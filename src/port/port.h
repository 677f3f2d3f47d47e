// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "port/channel.h"
#include "port/device_counters.h"
#include "shim/devlink.h"
#include "shim/ethtool.h"

namespace mana::port {

class Port;

// What all ports of a function share. Outlives the ports.
struct PortContext {
  const kern::PciFunction& function;
  const gdma::RegisterMap& map;
  const hwc::Device& device;
  hwc::EventQueueSet& eqs;
  gdma::CqTable& cqs;
  hwc::Quarantine& quarantine;
  hwc::MaxResources limits;
  hwc::DeviceConfig config;
  bool moderation;  // of interrupts: the device offers it
  // The first `ports_ready` of them are registered, and stay so under RTNL.
  const kern::Array<kern::Box<Port>>& ports;
  const kern::Atomic<u32>& ports_ready;
  shim_devlink* devlink;  // or null
};

// A vPort as a netdev. Everything without a comment runs under RTNL, in process context.
//
// A change of MTU, rings, channels or XDP prepares a complete new set of channels before it touches
// the running one, so that it cannot fail for lack of memory half-way (P10); if the device refuses
// the new set, the old one, memory and all, is attached again.
class Port : NonCopyable {
 public:
  static constexpr u32 kMinRing = 128;
  static constexpr u32 kMaxRxRing = 8192;
  static constexpr u32 kMaxTxRing = 16384;
  static constexpr u32 kDefaultRxRing = 512;
  static constexpr u32 kDefaultTxRing = 256;
  static constexpr u32 kMaxChannels = 64;

  // Creates and registers the netdev of vPort `index`. Process context without RTNL.
  static Result<kern::Box<Port>> create(const PortContext& context, u32 index);
  ~Port();

  // --- netdev ---
  Result<void> open();
  void stop();
  Result<void> set_mtu(u32 mtu, netlink_ext_ack* ack);
  Result<void> set_xdp(bpf_prog* program, netlink_ext_ack* ack);
  void get_stats(shim_link_stats& stats);  // any context
  void tx_timeout(u32 queue);  // softirq
  bool transmit(sk_buff* skb, u32 queue);  // softirq
  int xdp_transmit(int count, xdp_frame** frames, bool flush);  // softirq
  static bool can_checksum(const sk_buff* skb);  // softirq
  static bool can_segment(const sk_buff* skb);  // softirq

  // --- ethtool ---
  u32 stat_count() const;
  void stat_names(u8* names) const;
  void stat_values(u64* values);
  // Of the live queues, and of all that is not theirs.
  void rx_queue_stats(u32 queue, shim_rx_queue_stats& stats) const;
  void tx_queue_stats(u32 queue, shim_tx_queue_stats& stats) const;
  void base_stats(shim_rx_queue_stats& rx, shim_tx_queue_stats& tx) const;
  void mac_stats(shim_mac_stats& stats);
  void firmware(char* text, u32 bytes) const;
  u32 dump_words() const;
  void dump(u32* words) const;
  // Writes an enum shim_test_result for each enum shim_self_test. False if one failed.
  bool self_test(u64* results);
  bool rx_scatter() const { return settings_.scatter; }
  Result<void> set_rx_scatter(bool on);
  void get_rings(shim_rings& rings) const;
  Result<void> set_rings(u32 rx, u32 tx, netlink_ext_ack* ack);
  void get_channels(shim_channels& channels) const;
  Result<void> set_channels(u32 combined, netlink_ext_ack* ack);
  // port_coalesce.cc
  void get_coalesce(shim_coalesce& coalesce) const;
  Result<void> set_coalesce(const shim_coalesce& coalesce, netlink_ext_ack* ack);
  u32 rx_coalescing() const { return settings_.rx_coalescing; }
  Result<void> set_rx_coalescing(u32 packets, netlink_ext_ack* ack);
  u32 rss_entries() const { return vport_.indirection_entries; }
  void get_rss(shim_rss& rss) const;
  Result<void> set_rss(const shim_rss& rss, netlink_ext_ack* ack);
  u32 link_speed() const { return context_.config.link_speed; }
  bool link_up() const { return link_up_.load(); }

  // --- adapter ---
  u32 max_channels() const;
  void set_link(bool up);  // any context
  void request_recovery();  // any context
  void quiesce();  // under RTNL: off the device for good (shutdown)
  void suspend();  // under RTNL: off the device until resume()
  // Under RTNL: reads the vPort again and, if the port was up, opens it again.
  Result<void> resume();
  // Under RTNL: recreates the queues now, because somebody asks for it.
  Result<void> repair();
  // Under RTNL: the port, its queues in numbers, and the words in their rings.
  void describe(const kern::Text& text) const;
  void describe_queues(const kern::Text& text, bool rx, bool tx) const;
  void describe_rings(const kern::Text& text, bool rx, bool tx) const;
  void device_lost();  // any context: no carrier until the device is probed again

 private:
  template <typename T>
  friend class kern::Box;

  // What a person configures; what the channels are made from.
  struct Settings {
    u32 channels;
    u32 rx_ring;
    u32 tx_ring;
    u32 mtu;
    bpf_prog* program;  // XDP, or null
    bool two_way;  // the device may read receive buffers, for XDP_TX; stays when the program goes
    bool scatter;  // rather several pages for a jumbo frame than a large one
    shim_coalesce coalesce{};
    u32 rx_coalescing = 0;  // packets that may share a completion: 0, 4 or 8

    RxGeometry geometry() const { return RxGeometry::for_mtu(mtu, scatter); }
  };

  using ChannelSet = kern::Array<kern::Box<Channel>>;

  Port(const PortContext& context, u32 index);

  Result<void> query();
  u32 max_mtu() const;

  Result<void> init();
  Result<ChannelSet> prepare(const Settings& settings);
  Result<void> activate(ChannelSet set, const Settings& settings);
  void deactivate();
  Result<void> bring_up();
  void take_down();
  void drain_tx();
  void stop_rx();
  bool fence_rx();
  bool await_fence(Channel& channel);
  bool buffers_go_both_ways(const bpf_prog* program) const;
  Result<void> reconfigure(const Settings& next, netlink_ext_ack* ack);
  Result<void> check_program(const Settings& next, netlink_ext_ack* ack,
                             const char* sentence) const;
  Result<void> refuse(netlink_ext_ack* ack, const char* sentence, Errno error) const;
  Result<u32> steer(const hwc::Steering& what);
  Result<void> check_moderation(const shim_moderation& wanted, netlink_ext_ack* ack) const;
  void accept_coalesced(u32 packets);
  void spread_indirection(u32 channels);
  void recover();
  bool wants_recovery() const;
  Result<void> recreate();
  void report_trouble();
  u64 rx_missed();
  void update_device_counters();
  void refresh_device_counters();
  shim_page_pool_stats pool_stats() const;
  Result<void> test(u32 number, bool& skipped);
  Result<void> test_loopback(bool& skipped);
  void update_carrier();
  void log_failure(const char* what, Errno error) const;

  u32 default_channels() const;
  bool running() const { return active_.size() != 0; }
  hwc::HardwareChannel& channel() const { return *context_.device.channel; }

  const PortContext& context_;
  u32 index_;
  hwc::VportConfig vport_{};
  u32 vport_offset_ = 0;
  net_device* netdev_ = nullptr;
  bool registered_ = false;
  Settings settings_{};
  u8 hash_key_[wire::hash::kKeyBytes];
  kern::Array<u32> indirection_;  // queue of each table entry
  kern::Array<u64> handles_;  // the same as RX object handles, for the device
  kern::Array<RxStatistics> rx_statistics_;  // by queue index, for the port's life
  kern::Array<TxStatistics> tx_statistics_;

  ChannelSet active_;  // what the device has; empty while the port is down
  kern::Atomic<u32> live_channels_{0};  // those that the data path may use now
  kern::Atomic<bool> recovery_wanted_{false};
  u32 failed_recoveries_ = 0;  // in a row
  kern::Atomic<bool> hung_{false};  // a transmit queue, since the last recovery
  bool reported_rx_ = false;  // to devlink, and not recovered yet; the work's
  bool reported_tx_ = false;

  kern::Atomic<bool> link_up_{true};
  kern::Atomic<bool> lost_{false};
  kern::Counter recoveries_;
  kern::Counter tx_timeouts_;
  kern::Work<Port, &Port::recover> recovery_;

  DeviceCounters device_counters_;
  kern::Atomic<u64> rx_missed_{0};
  kern::Atomic<u64> device_counters_asked_{0};  // when, in milliseconds since boot
  kern::Work<Port, &Port::refresh_device_counters> device_counters_work_;
};

}  // namespace mana::port
