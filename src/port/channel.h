// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "hwc/event_queue.h"
#include "port/moderator.h"
#include "port/rx_queue.h"
#include "port/tx_queue.h"

namespace mana::port {

struct ChannelConfig {
  u32 rx_depth;
  u32 tx_units;
  RxGeometry geometry;
  bool two_way;  // the device may read buffers
};

// Where a channel is attached: the vPort as CONFIG_VPORT_TX set it up.
struct ChannelTarget {
  const hwc::Device& device;
  gdma::CqTable& cqs;
  hwc::EventQueueSet& eqs;
  u64 vport;
  u32 vport_offset;
  const shim_coalesce* moderation;  // null: the device does not offer it
};

// One queue pair: an RX queue and a TX queue that share an event queue and a NAPI.
//
// Life: prepare() makes all host memory; attach() brings it to life on the device and detach()
// takes it off again, any number of times; the destructor frees. start() and stop() switch polling
// between the two. Control is under RTNL.
class Channel : NonCopyable {
 public:
  struct Owner {
    ::device* dev;
    int node;
    net_device* netdev;
    void (*broken)(void* context);  // a queue must be recreated; softirq
    void* context;
  };

  static Result<kern::Box<Channel>> prepare(const Owner& owner, u32 index,
                                            RxStatistics& rx_statistics,
                                            TxStatistics& tx_statistics,
                                            const ChannelConfig& config);

  Result<void> attach(const ChannelTarget& target);
  // False: the device may still use the memory, which then must not be freed.
  [[nodiscard]] bool detach();

  // Polling, between attach() and detach().
  void start();
  void stop();
  // Polls although no event asked for it: while the queues are emptied, when the event may be among
  // those that were lost (D-39). Process context.
  void kick() const {
    if (polling_)
      napi_.schedule();
  }

  // Before a channel that could not be detached goes to the quarantine: cuts its ties to the
  // netdev.
  void unlink();

  int poll(int budget);  // softirq

  // Between start() and stop(): see Moderator.
  void pause_moderation(bool rx, bool tx);
  void apply_moderation(const shim_coalesce& coalesce, bool rx, bool tx);

  u32 eq_id() const { return eq_ ? eq_->id() : 0; }
  // Under RTNL: the queues that are asked for.
  void describe(const kern::Text& text, bool rx, bool tx) const;
  void describe_words(const kern::Text& text, bool rx, bool tx) const;

  RxQueue& rx() { return rx_; }
  TxQueue& tx() { return tx_; }

 private:
  template <typename T>
  friend class kern::Box;

  Channel(const Owner& owner, u32 index) : owner_{owner}, index_{index} {}

  void sample();
  template <typename Queue>
  static void rearm(Queue& queue, gdma::CqListener& listener);

  Owner owner_;
  u32 index_;
  bool polling_ = false;
  bool reported_ = false;  // that a queue is broken, since start()
  hwc::EventQueueSet* eqs_ = nullptr;
  hwc::EventQueue* eq_ = nullptr;
  gdma::CqTable* cqs_ = nullptr;
  gdma::CqListener rx_listener_;
  gdma::CqListener tx_listener_;
  kern::Napi napi_;  // outlives the queues: their pool points to it
  TxQueue tx_;
  RxQueue rx_;
  Moderator rx_moderator_{false};
  Moderator tx_moderator_{true};
};

}  // namespace mana::port
