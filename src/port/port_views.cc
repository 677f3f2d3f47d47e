// SPDX-License-Identifier: GPL-2.0
// A port's state as text, for people who look for trouble. Under RTNL: channels come and go under
// it. What NAPI and transmit change meanwhile is shown as of about now.
#include "gdma/describe.h"
#include "port/port.h"

namespace mana::port {

void TxQueue::describe(const kern::Text& text) const {
  text.number("sq", object_.wq_id);
  text.number("cq", object_.cq_id);
  text.hex("object", object_.handle);
  gdma::describe(text, sq_, rung_);
  text.yes_no("open", open_.load());
  text.yes_no("stopped", shim_txq_stopped(txq_));
  text.yes_no("broken", broken_.load());
  const kern::Text::Group group{text, "completions"};
  gdma::describe(text, cq_);
}

void TxQueue::describe_words(const kern::Text& text) const {
  {
    const kern::Text::Group group{text, "sq"};
    gdma::describe_words(text, sq_);
  }
  const kern::Text::Group group{text, "cq"};
  gdma::describe_words(text, cq_);
}

void RxQueue::describe(const kern::Text& text) const {
  text.number("rq", object_.wq_id);
  text.number("cq", object_.cq_id);
  text.hex("object", object_.handle);
  gdma::describe(text, rq_, rq_.producer());
  text.number("buffer_stride", geometry_.stride);
  text.number("buffer_room", geometry_.room());
  text.number("buffer_pages_behind", geometry_.tails);
  text.number("pool_pages_taken", pool_.pages_taken());
  text.number("pool_pages_released", pool_.pages_released());
  text.yes_no("broken", broken_.load());
  text.number("coalesced_packets", coalesced_.load());
  const kern::Text::Group group{text, "completions"};
  gdma::describe(text, cq_);
}

void RxQueue::describe_words(const kern::Text& text) const {
  {
    const kern::Text::Group group{text, "rq"};
    gdma::describe_words(text, rq_);
  }
  const kern::Text::Group group{text, "cq"};
  gdma::describe_words(text, cq_);
}

void Channel::describe(const kern::Text& text, bool rx, bool tx) const {
  text.yes_no("polling", polling_);
  if (eq_) {
    text.number("eq", eq_->id());
    text.number("vector", eq_->vector());
    text.number("irq", static_cast<u32>(eq_->irq()));
    text.yes_no("eq_overrun", eq_->overrun());
  }
  if (rx) {
    const kern::Text::Group group{text, "rx"};
    rx_.describe(text);
    const kern::Text::Group moderation{text, "moderation"};
    rx_moderator_.describe(text);
  }
  if (tx) {
    const kern::Text::Group group{text, "tx"};
    tx_.describe(text);
    const kern::Text::Group moderation{text, "moderation"};
    tx_moderator_.describe(text);
  }
}

void Channel::describe_words(const kern::Text& text, bool rx, bool tx) const {
  if (rx) {
    const kern::Text::Group group{text, "rx"};
    rx_.describe_words(text);
  }
  if (tx) {
    const kern::Text::Group group{text, "tx"};
    tx_.describe_words(text);
  }
}

void Port::describe(const kern::Text& text) const {
  text.word("netdev", shim_netdev_name(netdev_));
  text.hex("vport", vport_.handle);
  text.number("vport_offset", vport_offset_);
  text.number("channels", settings_.channels);
  text.number("channels_max", max_channels());
  text.number("channels_live", live_channels_.load());
  text.number("rx_ring", settings_.rx_ring);
  text.number("tx_ring", settings_.tx_ring);
  text.number("mtu", settings_.mtu);
  text.number("mtu_max", max_mtu());
  text.number("indirection_entries", vport_.indirection_entries);
  text.yes_no("xdp", settings_.program != nullptr);
  text.yes_no("two_way", settings_.two_way);
  text.yes_no("rx_scatter", settings_.scatter);
  text.yes_no("link", link_up_.load());
  text.yes_no("lost", lost_.load());
  text.yes_no("recovery_wanted", recovery_wanted_.load());
  text.number("recoveries", recoveries_.get());
  text.number("failed_recoveries", failed_recoveries_);
  text.number("tx_timeouts", tx_timeouts_.get());
}

void Port::describe_queues(const kern::Text& text, bool rx, bool tx) const {
  for (u32 i = 0; i < active_.size(); i++) {
    if (!active_[i])
      continue;  // in the quarantine
    const kern::Text::Group group{text, "channel", i};
    active_[i]->describe(text, rx, tx);
  }
}

void Port::describe_rings(const kern::Text& text, bool rx, bool tx) const {
  for (u32 i = 0; i < active_.size(); i++) {
    if (!active_[i])
      continue;
    const kern::Text::Group group{text, "channel", i};
    active_[i]->describe_words(text, rx, tx);
  }
}

}  // namespace mana::port
