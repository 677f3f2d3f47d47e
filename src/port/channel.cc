// SPDX-License-Identifier: GPL-2.0
#include "port/channel.h"

namespace mana::port {

Result<kern::Box<Channel>> Channel::prepare(const Owner& owner, u32 index,
                                            RxStatistics& rx_statistics,
                                            TxStatistics& tx_statistics,
                                            const ChannelConfig& config) {
  auto channel = TRY(kern::Box<Channel>::create(owner.node, owner, index));
  channel->napi_ =
      TRY(kern::Napi::create(owner.netdev, reinterpret_cast<mana_channel*>(channel.get())));
  TRY(channel->tx_.prepare(owner.dev, owner.node, shim_txq(owner.netdev, index), tx_statistics,
                           {.units = config.tx_units}));
  TRY(channel->rx_.prepare(
      owner.dev, owner.node, owner.netdev, index, channel->napi_, rx_statistics,
      {.depth = config.rx_depth, .geometry = config.geometry, .two_way = config.two_way}));
  return channel;
}

Result<void> Channel::attach(const ChannelTarget& target) {
  eq_ = TRY(target.eqs.acquire(index_ % target.eqs.count()));
  eqs_ = &target.eqs;
  cqs_ = &target.cqs;

  hwc::Moderation rx_moderation;
  hwc::Moderation tx_moderation;
  if (target.moderation) {
    rx_moderation = rx_moderator_.first(target.moderation->rx);
    tx_moderation = tx_moderator_.first(target.moderation->tx);
  }
  TRY(tx_.attach(target.device, target.vport, target.vport_offset, eq_->id(),
                 target.moderation ? &tx_moderation : nullptr));
  tx_listener_ = {.cq_id = tx_.cq_id(), .napi = napi_.get()};
  if (auto published = cqs_->publish(tx_listener_); !published) {
    tx_listener_.cq_id = gdma::CqListener::kNone;  // the slot is somebody else's
    target.device.channel->diagnosis().set("the device gave an SQ a CQ id that is in use,",
                                           tx_.cq_id());
    return published;
  }

  TRY(rx_.attach(target.device, target.vport, eq_->id(),
                 target.moderation ? &rx_moderation : nullptr));
  rx_listener_ = {.cq_id = rx_.cq_id(), .napi = napi_.get()};
  if (auto published = cqs_->publish(rx_listener_); !published) {
    rx_listener_.cq_id = gdma::CqListener::kNone;
    target.device.channel->diagnosis().set("the device gave an RQ a CQ id that is in use,",
                                           rx_.cq_id());
    return published;
  }
  if (target.moderation) {
    tx_moderator_.attach(target.device.doorbell, tx_.cq_id(), target.moderation->tx);
    rx_moderator_.attach(target.device.doorbell, rx_.cq_id(), target.moderation->rx);
  }
  return {};
}

void Channel::start() {
  shim_napi_link(napi_.get(), index_, eq_->irq());
  reported_ = false;
  napi_.enable();
  polling_ = true;
  rx_.post_all();
  tx_.arm();
  rx_.arm();
}

void Channel::stop() {
  if (!mana::exchange(polling_, false))
    return;
  napi_.disable();
  shim_napi_unlink(napi_.get(), index_);
}

bool Channel::detach() {
  rx_moderator_.detach();
  tx_moderator_.detach();
  // D-63: RQ, then SQ; the failure of one does not keep the other. D-64: the objects go before
  // their EQ, and the CQs are unpublished and out of every handler before memory is freed.
  const bool rx_gone = rx_.detach();
  const bool tx_gone = tx_.detach();
  if (cqs_) {
    cqs_->unpublish(rx_listener_);
    cqs_->unpublish(tx_listener_);
  }
  if (eq_) {
    eq_->synchronize();
    eqs_->release(*eq_);
    eq_ = nullptr;
  }
  return rx_gone && tx_gone;
}

void Channel::unlink() {
  rx_.unlink();
  napi_ = {};
}

int Channel::poll(int budget) {
  const bool tx_done = tx_.reap(budget, rx_.stash());
  if (budget == 0)
    return 0;  // netpoll: transmit only
  const int work = static_cast<int>(rx_.poll(napi_, static_cast<u32>(budget), tx_));

  if ((rx_.broken() || tx_.broken()) && !mana::exchange(reported_, true))
    owner_.broken(owner_.context);
  if (work == budget || !tx_done)
    return budget;
  if (rx_moderator_.adaptive() || tx_moderator_.adaptive()) [[unlikely]]
    sample();
  if (napi_.complete(work)) {
    rearm(tx_, tx_listener_);
    rearm(rx_, rx_listener_);
  }
  return work;
}

// Before the NAPI is complete: afterwards another CPU may poll.
void Channel::sample() {
  if (rx_moderator_.adaptive())
    rx_moderator_.sample(rx_.statistics().packets.get(), rx_.statistics().bytes.get());
  if (tx_moderator_.adaptive())
    tx_moderator_.sample(tx_.statistics().packets.get(), tx_.statistics().bytes.get());
}

void Channel::pause_moderation(bool rx, bool tx) {
  if (rx)
    rx_moderator_.pause();
  if (tx)
    tx_moderator_.pause();
}

void Channel::apply_moderation(const shim_coalesce& coalesce, bool rx, bool tx) {
  if (rx)
    rx_moderator_.apply(coalesce.rx);
  if (tx)
    tx_moderator_.apply(coalesce.tx);
}

// Arms a CQ unless it is armed still: a doorbell is the dearest store there is.
//
// No wake-up is lost. An armed CQ notifies for the first completion after its arming, and is
// unarmed from then on. If neither a completion was taken out nor an event seen since, the event of
// the first is still to come, and schedules the NAPI. Otherwise it is armed here; if a completion
// came between the last look and the doorbell, the index in it is behind, and the device notifies
// at once. After complete() another CPU may poll and arm before us, and our doorbell, with an older
// index, may undo its arming; but then it brings an event, and that is why events count too.
template <typename Queue>
void Channel::rearm(Queue& queue, gdma::CqListener& listener) {
  if (!kern::read_once(listener.fired) && !queue.moved_since_arming())
    return;
  kern::write_once(listener.fired, false);
  queue.arm();
}

}  // namespace mana::port
