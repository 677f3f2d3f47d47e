// SPDX-License-Identifier: GPL-2.0
// Text commands for people and test scripts.
#include "model/device.h"

namespace mana::model {

bool Device::control(const char* command, TextWriter& reply) {
  TextReader line{command, " \t:="};
  const Word name = line.next();
  if (name.is("objects")) {
    write_objects(reply);
    return true;
  }
  if (name.is("stats")) {
    write_statistics(reply);
    return true;
  }
  if (name.is("fault"))
    return control_fault(line, reply);
  if (name.is("load"))
    return fabric_.load().control(line, reply);
  if (name.is("help")) {
    reply.text(
        "objects; stats; load [PORT udp LENGTH | tcp PAYLOAD | echo | sink | off ...]; fault LINE "
        "[xCOUNT] [skip OCCASIONS]; fault clear; fault list; fault "
        "reset-request "
        "[REVOKE]; fault event TYPE [DATA]; "
        "fault link PORT up|down; fault timeout MILLISECONDS");
    Faults::help(reply);
    return true;
  }
  return false;
}

bool Device::control_fault(TextReader& line, TextWriter& reply) {
  TextReader copy = line;
  const Word name = copy.next();
  if (name.is("clear")) {
    context_.faults.clear();
    context_.host.schedule();
  } else if (name.is("list")) {
    context_.faults.list(reply);
    return true;
  } else if (name.is("reset-request") || name.is("link") || name.is("timeout") ||
             name.is("event")) {
    if (!control_event(name, copy))
      return false;
  } else if (!context_.faults.add(line)) {
    return false;
  }
  reply.text("ok");
  return true;
}

// Faults that are events: they happen now, once.
bool Device::control_event(Word name, TextReader& line) {
  u64 value = 0;
  if (name.is("reset-request")) {
    line.next().number(value);
    if (!hwc_.active() || (context_.driver_caps & wire::driver_cap::kSelfReset) == 0)
      return false;  // M-61
    hwc_.post_event(wire::EqeType::kVfResetRequest, wire::Eqe::RevokeVf::put(value));
    return true;
  }
  if (!line.next().number(value))
    return false;
  if (name.is("event")) {
    // On the EQ of the channel, whatever the driver said that it understands.
    u64 data = 0;
    line.next().number(data);
    if (!hwc_.active() || value > wire::Eqe::Type::kMax)
      return false;
    hwc_.post_event(static_cast<wire::EqeType>(value), static_cast<u32>(data));
    return true;
  }
  if (name.is("timeout")) {
    return post_reconfiguration(wire::driver_cap::kHwcTimeoutReconfiguration,
                                wire::ReconfigurationItem::kHwcTimeout, static_cast<u32>(value));
  }
  const Word state = line.next();
  if (value >= fabric_.count() || (!state.is("up") && !state.is("down")))
    return false;
  set_link(static_cast<u32>(value), state.is("up"));
  return true;
}

void Device::write_objects(TextWriter& reply) const {
  // The queues of the HWC are its own; the guest created one HWC.
  const u32 own = hwc_.active() ? 1 : 0;
  reply.text("{")
      .member("hwc", own, true)
      .member("regions", resources_.region_count())
      .member("eqs", resources_.eqs.count() - own)
      .member("cqs", resources_.cqs.count() - own)
      .member("sqs", resources_.sqs.count() - own)
      .member("rqs", resources_.rqs.count() - own)
      .member("registered", resources_.registered)
      .text("}");
}

void Device::write_port_statistics(TextWriter& reply, const Vport& vport) {
  const PortStatistics& s = vport.statistics;
  reply.text("{")
      .member("port", vport.index, true)
      .text(",\"mac\":\"")
      .mac(vport.mac)
      .text("\"")
      .member("link", vport.link_up)
      .member("rx_enabled", vport.steering.rx_enabled)
      .member("rss", vport.steering.rss_enabled)
      .member("tx_packets", s.tx_packets)
      .member("tx_bytes", s.tx_bytes)
      .member("tx_errors", s.tx_errors)
      .member("tx_lso_packets", s.tx_lso_packets)
      .member("tx_lso_segments", s.tx_lso_segments)
      .member("tx_checksums", s.tx_checksums)
      .member("tx_vlan_inserted", s.tx_vlan_inserted)
      .member("rx_packets", s.rx_packets)
      .member("rx_bytes", s.rx_bytes)
      .member("rx_dropped_no_wqe", s.rx_dropped_no_wqe)
      .member("rx_dropped_disabled", s.rx_dropped_disabled)
      .member("rx_dropped_link_down", s.rx_dropped_link_down)
      .member("rx_truncated", s.rx_truncated)
      .member("rx_checksum_bad", s.rx_checksum_bad)
      .member("rx_vlan_stripped", s.rx_vlan_stripped)
      .member("rx_coalesced", s.rx_coalesced)
      .text("}");
}

void Device::write_gf_statistics(TextWriter& reply) const {
  // In the order of wire::GfCounters.
  static constexpr const char* kNames[wire::kGfCounterBits] = {
      "rx_discards_no_wqe",
      "rx_errors_vport_disabled",
      "rx_bytes",
      "rx_unicast_packets",
      "rx_unicast_bytes",
      "rx_broadcast_packets",
      "rx_broadcast_bytes",
      "rx_multicast_packets",
      "rx_multicast_bytes",
      "tx_errors_gf_disabled",
      "tx_errors_vport_disabled",
      "tx_errors_invalid_vport_offset",
      "tx_errors_vlan_enforcement",
      "tx_errors_ethertype_enforcement",
      "tx_errors_source_address_enforcement",
      "tx_errors_sq_pdid_enforcement",
      "tx_errors_cq_pdid_enforcement",
      "tx_errors_mtu_violation",
      "tx_errors_invalid_oob",
      "tx_bytes",
      "tx_unicast_packets",
      "tx_unicast_bytes",
      "tx_broadcast_packets",
      "tx_broadcast_bytes",
      "tx_multicast_packets",
      "tx_multicast_bytes",
      "tx_errors_gdma",
  };
  const auto* values = reinterpret_cast<const u64*>(&context_.statistics.gf);
  reply.text("{");
  for (u32 i = 0; i < wire::kGfCounterBits; i++)
    reply.member(kNames[i], values[i], i == 0);
  reply.text("}");
}

void Device::write_statistics(TextWriter& reply) {
  const DeviceStatistics& s = context_.statistics;
  reply.text("{\"ports\":[");
  for (u32 i = 0; i < fabric_.count(); i++) {
    if (i > 0)
      reply.text(",");
    write_port_statistics(reply, fabric_.vport(i));
  }
  reply.text("],\"gf\":");
  write_gf_statistics(reply);
  reply.text(",\"doorbells\":{")
      .member("sq", s.doorbells_sq, true)
      .member("rq", s.doorbells_rq)
      .member("cq", s.doorbells_cq)
      .member("eq", s.doorbells_eq)
      .member("ignored", s.doorbells_ignored)
      .text("}")
      .member("interrupts", s.interrupts)
      .member("interrupts_lost", s.interrupts_lost)
      .member("eqes", s.eqes)
      .member("events_by_count", s.events_by_count)
      .member("events_by_time", s.events_by_time)
      .member("moderated_cqs", context_.moderated_cqs)
      .member("cqes", s.cqes)
      .member("entries_lost", s.entries_lost)
      .member("commands", s.commands)
      .member("commands_failed", s.commands_failed)
      .member("reclaimed", s.reclaimed)
      .member("frames_dropped", s.frames_dropped)
      .member("queues_disabled", s.queues_disabled)
      .text("}");
}

}  // namespace mana::model
