// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/nic.h"

namespace mana::kunit {

bool Skb::holds(const u8* bytes, u32 length) const {
  if (look().length != length)
    return false;
  u8 part[256];
  for (u32 at = 0; at < length; at += sizeof(part)) {
    const u32 size = min(length - at, static_cast<u32>(sizeof(part)));
    if (!kunit_skb_copy(skb_, at, part, size) || __builtin_memcmp(part, bytes + at, size) != 0)
      return false;
  }
  return true;
}

Nic::Nic(const Config& config)
    : bound_{config.bind},
      device_{{.ports = config.ports,
               .queues = config.queues,
               .mtu = config.mtu,
               .options = config.options}},
      function_{
          device_,
          {.vectors = config.vectors ? config.vectors : config.queues + 1, .bind = config.bind}} {
  if (function_)
    kunit_function_set_pace(function_.get(), config.pace);
  if (bound_ && function_)
    adapter_ = kunit_function_adapter(function_.get());
}

Nic::~Nic() {
  if (!function_)
    return;
  device_.on_request = nullptr;
  device_.on_doorbell = nullptr;
  device_.eat_write = nullptr;
  device_.edit_response = nullptr;
  device_.edit_write = nullptr;
  device_.stalled = false;
  kunit_function_set_pace(function_.get(), KUNIT_PACE_LATER);
  if (!bound_)
    remove();
  if (!bound_ && !objects_expected_ && device_.has_objects())
    FAIL("the device still has %s", device_.control("objects"));
}

int Nic::probe() {
  adapter_ = nullptr;
  return kunit_function_probe(function_.get(), &adapter_);
}

void Nic::remove() {
  if (adapter_)
    kunit_function_remove(function_.get(), exchange(adapter_, nullptr));
}

bool Nic::up(u32 ports) {
  if (!function_ || !device_)
    return false;
  if (!bound_) {
    if (const int error = probe(); error != 0) {
      FAIL("probe failed with %d", error);
      return false;
    }
  }
  for (u32 port = 0; port < ports; port++) {
    if (!netdev(port)) {
      FAIL("there is no netdev of port %u", port);
      return false;
    }
    if (const int error = open(port); error != 0) {
      FAIL("port %u does not open: %d", port, error);
      return false;
    }
  }
  settle();
  return true;
}

u64 Nic::stat(u32 port, const char* name) const {
  bool known = false;
  const u64 value = kunit_netdev_statistic(netdev(port), name, &known);
  if (!known)
    FAIL("there is no statistic \"%s\"", name);
  return value;
}

shim_link_stats Nic::link_stats(u32 port) const {
  shim_link_stats stats{};
  kunit_netdev_link_stats(netdev(port), &stats);
  return stats;
}

bool Nic::send(u32 port, const Frame& frame, u32 queue) const {
  return frame && send(port, frame.packet(), queue);
}

bool Nic::send(u32 port, const kunit_packet& packet, u32 queue) const {
  sk_buff* skb = kunit_skb(netdev(port), &packet);
  if (!skb) {
    FAIL("no memory for an skb");
    return false;
  }
  const bool taken = kunit_send_direct(skb, queue);
  settle();
  return taken;
}

bool Nic::traffic(u32 count) const {
  for (u8 from = 0; from < 2; from++) {
    const Tap tap{netdev(1 - from)};
    for (u32 i = 0; i < count; i++) {
      const Frame frame{{.payload = 20 + i * 300 % 1400,
                         .source = static_cast<u8>(from + 1),
                         .destination = static_cast<u8>(2 - from),
                         .source_port = static_cast<u16>(1000 + i),
                         .fill = static_cast<u8>(i)}};
      if (!send(from, frame)) {
        kunit_note("frame %u of port %u was not taken", i, u32{from});
        return false;
      }
      const Skb skb = tap.take();
      if (!skb || !skb.holds(frame) || tap.count() != 0) {
        kunit_note("frame %u of port %u %s", i, u32{from},
                   !skb               ? "did not arrive"
                   : tap.count() != 0 ? "arrived with others"
                                      : "arrived changed");
        const shim_link_stats sent = link_stats(from), received = link_stats(1 - from);
        kunit_note(
            "sender: %llu sent, %llu dropped, %llu errors; receiver: %llu received, "
            "%llu dropped, %llu missed, %llu errors",
            sent.tx_packets, sent.tx_dropped, sent.tx_errors, received.rx_packets,
            received.rx_dropped, received.rx_missed, received.rx_errors);
        kunit_note("device: %s", const_cast<ModelDevice&>(device_).control("stats"));
        return false;
      }
    }
  }
  return true;
}

}  // namespace mana::kunit
