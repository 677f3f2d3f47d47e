// SPDX-License-Identifier: GPL-2.0
#include "model/load.h"

namespace mana::model {
namespace {

constexpr u32 kMaxFlows = 1024;
constexpr u32 kMaxBurst = 4096;
constexpr u32 kMaxTcpHeaders = kEthernetHeader + 20 + 60;
// What making a frame may have written; the rest of the buffer is zero all the time.
constexpr u32 kDirtyBytes = kMaxTcpHeaders;

}  // namespace

bool Load::control(TextReader& line, TextWriter& reply) {
  const Word first = line.next();
  if (first.empty()) {
    report(reply);
    return true;
  }
  u64 index = 0;
  if (!first.number(index) || index >= context_.config.ports ||
      !configure(static_cast<u32>(index), line))
    return false;
  reply.text("ok");
  return true;
}

bool Load::configure(u32 index, TextReader& line) {
  Port port;
  port.to = index;
  const Word kind = line.next();
  u64 value = 0;
  if (kind.is("off")) {
    ports_[index] = port;
    active_ &= ~(1u << index);
    return line.next().empty();
  }
  if (kind.is("echo")) {
    port.kind = Kind::kEcho;
  } else if (kind.is("sink")) {
    port.kind = Kind::kSink;
  } else if (kind.is("udp") || kind.is("tcp")) {
    port.kind = kind.is("udp") ? Kind::kUdp : Kind::kTcp;
    const u32 least = port.kind == Kind::kUdp ? kLoadMinUdp : 1;
    const u32 most = port.kind == Kind::kUdp ? kFrameBytes : kFrameBytes - kMaxTcpHeaders;
    if (!line.next().number(value) || value < least || value > most)
      return false;
    port.length = static_cast<u32>(value);
  } else {
    return false;
  }
  for (Word word = line.next(); !word.empty(); word = line.next()) {
    if (word.is("timestamps")) {
      port.timestamps = true;
      continue;
    }
    if (!line.next().number(value))
      return false;
    if (word.is("flows") && value >= 1 && value <= kMaxFlows)
      port.flows = static_cast<u32>(value);
    else if (word.is("burst") && value >= 1 && value <= kMaxBurst)
      port.burst = static_cast<u32>(value);
    else if (word.is("interval") && value >= 1)
      port.interval = value;
    else if (word.is("to") && value < context_.config.ports)
      port.to = static_cast<u32>(value);
    else
      return false;
  }
  ports_[index] = port;
  active_ |= 1u << index;
  return true;
}

void Load::report(TextWriter& reply) const {
  u64 sent = 0;
  u64 refused = 0;
  u64 sunk = 0;
  for (const Port& port : ports_) {
    sent += port.sent;
    refused += port.refused;
    sunk += port.sunk;
  }
  reply.text("{")
      .member("sent", sent, true)
      .member("refused", refused)
      .member("sunk", sunk)
      .member("remaining", remaining())
      .text("}");
}

void Load::start(u64 frames) {
  const u64 now = context_.host.now();
  for (Port& port : ports_) {
    if (port.kind != Kind::kUdp && port.kind != Kind::kTcp)
      continue;
    port.remaining = frames;
    port.next = now;
    port.flow = 0;
  }
}

u64 Load::remaining() const {
  u64 frames = 0;
  for (const Port& port : ports_)
    frames += port.remaining;
  return frames;
}

u64 Load::run() {
  u64 deadline = kNever;
  const u64 now = context_.host.now();
  for (u32 i = 0; active_ >> i != 0; i++) {
    Port& port = ports_[i];
    if (port.tcp.has_reply())
      reply(vports_[i], port);
    if (port.remaining > 0 && port.next <= now) {
      send_burst(vports_[i], port);
      // A host that comes late does not make bursts come closer together.
      port.next = now + max<u64>(port.interval, 1);
    }
    if (port.remaining > 0)
      deadline = min(deadline, port.next);
  }
  return deadline;
}

void Load::reply(Vport& vport, Port& port) { deliver(vport, port.tcp.take_reply(bytes())); }

void Load::send_burst(Vport& vport, Port& port) {
  for (u32 i = 0; i < port.burst && port.remaining > 0; i++) {
    if (port.kind == Kind::kTcp) {
      // The rest of the burst waits for the guest's window, or for a buffer.
      if (!port.tcp.may_send(port.length) ||
          !deliver(vport, port.tcp.make_segment(bytes(), port.length)))
        return;
      port.tcp.sent(port.length);
    } else {
      const LoadUdp udp = {
          .port = vport.index, .to = port.to, .flow = port.flow, .length = port.length};
      port.flow = port.flow + 1 < port.flows ? port.flow + 1 : 0;
      deliver(vport, make_load_udp(bytes(), vport.mac, udp));
    }
    port.remaining--;
  }
}

bool Load::deliver(Vport& vport, u32 length) {
  bool taken = true;
  if (vport.external) {
    context_.host.transmit(vport.index, bytes(), length);
  } else {
    Frame frame;
    frame.bytes = bytes();
    frame.length = length;
    frame.layout = parse_frame(frame.bytes, length);
    taken = rx_.deliver(vport, frame);
  }
  Port& port = ports_[vport.index];
  (taken ? port.sent : port.refused)++;
  clear_bytes(bytes(), min(length, kDirtyBytes));
  return taken;
}

void Load::sink(Vport& from, const Frame& frame) {
  Port& port = ports_[from.index];
  port.sunk++;
  if (frame.layout.l3 != L3::kIpv4)
    return;
  if (port.kind == Kind::kTcp && frame.layout.l4 == L4::kTcp) {
    port.tcp.receive(frame, port.timestamps);
    // One answer for all that is sent in one go.
    if (port.tcp.has_reply())
      context_.host.schedule();
  } else if (port.kind == Kind::kEcho && frame.layout.l4 == L4::kUdp &&
             frame.length <= kFrameBytes) {
    copy_bytes(bytes(), frame.bytes, frame.length);
    turn_around(bytes(), frame.layout);
    deliver(from, frame.length);
    clear_bytes(bytes(), frame.length);
  }
}

}  // namespace mana::model
