// SPDX-License-Identifier: GPL-2.0
// What ethtool shows and changes: firmware, rings, channels, receive side scaling.
#include "port/port.h"
#include "shim/log.h"

namespace mana::port {

// What there is in place of a firmware version: of the registers and of the protocol.
void Port::firmware(char* text, u32 bytes) const {
  const u32 version = context_.map.version();
  shim_format(text, bytes, "registers %u.%u.%u, protocol %u", wire::reg::VersionMajor::get(version),
              wire::reg::VersionMinor::get(version), wire::reg::VersionMicro::get(version),
              static_cast<u32>(wire::kGdmaProtocol));
}

Result<void> Port::set_rings(u32 rx, u32 tx, netlink_ext_ack* ack) {
  // Not rounded: who asks for 1000 entries and gets 1024 has not been told.
  if (!is_power_of_two(rx) || rx < kMinRing || rx > kMaxRxRing)
    return refuse(ack, "The receive ring has a power of two of entries, 128 to 8192.",
                  Errno::kInvalid);
  if (!is_power_of_two(tx) || tx < kMinRing || tx > kMaxTxRing)
    return refuse(ack, "The transmit ring has a power of two of entries, 128 to 16384.",
                  Errno::kInvalid);
  Settings next = settings_;
  next.rx_ring = rx;
  next.tx_ring = tx;
  if (next.rx_ring == settings_.rx_ring && next.tx_ring == settings_.tx_ring)
    return {};
  return reconfigure(next, ack);
}

Result<void> Port::set_rx_scatter(bool on) {
  Settings next = settings_;
  next.scatter = on;
  TRY(check_program(next, nullptr, "At this MTU the XDP program needs rx-scatter."));
  if (next.geometry() == settings_.geometry())
    settings_ = next;
  else
    TRY(reconfigure(next, nullptr));
  shim_netdev_set_rx_frags(netdev_, on);
  return {};
}

Result<void> Port::set_channels(u32 combined, netlink_ext_ack* ack) {
  if (combined == 0 || combined > max_channels())
    return refuse(ack, "The port has at least one channel, and not that many.", Errno::kInvalid);
  if (combined == settings_.channels)
    return {};
  Settings next = settings_;
  next.channels = combined;
  return reconfigure(next, ack);
}

void Port::get_rings(shim_rings& rings) const {
  rings = {
      .rx = settings_.rx_ring, .rx_max = kMaxRxRing, .tx = settings_.tx_ring, .tx_max = kMaxTxRing};
}

void Port::get_channels(shim_channels& channels) const {
  channels = {.combined = settings_.channels, .combined_max = max_channels()};
}

void Port::get_rss(shim_rss& rss) const {
  if (rss.table)
    copy_bytes(rss.table, indirection_.data(), indirection_.size() * sizeof(u32));
  if (rss.key)
    copy_bytes(rss.key, hash_key_, sizeof(hash_key_));
}

Result<void> Port::set_rss(const shim_rss& rss, netlink_ext_ack* ack) {
  if (rss.other_function)
    return refuse(ack, "The device hashes with Toeplitz, and nothing else.", Errno::kNotSupported);
  for (u32 i = 0; rss.table && i < indirection_.size(); i++)
    if (rss.table[i] >= settings_.channels)
      return refuse(ack, "The indirection table names a queue that does not exist; see ethtool -l.",
                    Errno::kInvalid);

  // On failure the device gets the old values again, so that it and we agree (data sheet 10.4).
  auto old_table = TRY(kern::Array<u32>::create(indirection_.size(), kern::kAnyNode));
  u8 old_key[sizeof(hash_key_)];
  shim_rss old{.table = old_table.data(), .key = old_key, .other_function = false};
  get_rss(old);
  const auto adopt = [this](const shim_rss& values) {
    if (values.table)
      copy_bytes(indirection_.data(), values.table, indirection_.size() * sizeof(u32));
    if (values.key)
      copy_bytes(hash_key_, values.key, sizeof(hash_key_));
  };
  const auto tell = [this](bool key, bool table) {
    return steer({.key = {hash_key_, key ? sizeof(hash_key_) : 0},
                  .table = {handles_.data(), table ? handles_.size() : 0}});
  };

  adopt(rss);
  if (!running())
    return {};
  auto told = tell(rss.key != nullptr, rss.table != nullptr);
  if (told)
    return {};
  log_failure("receive steering", told.error());
  adopt(old);
  (void)tell(true, true);
  return refuse(ack, "The device refused the new receive steering.", told.error());
}

}  // namespace mana::port
