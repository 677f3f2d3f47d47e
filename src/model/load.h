// SPDX-License-Identifier: GPL-2.0
// A traffic generator behind the ports, for measuring drivers: it sends frames, or the segments of
// a TCP connection, and takes whatever the guest sends. What it does costs the guest nothing.
//
// It is set up by control lines, for each port:
//
//   load PORT udp LENGTH [flows N] [burst N] [interval NS] [to PORT]
//   load PORT tcp PAYLOAD [timestamps] [burst N] [interval NS]
//   load PORT echo       UDP comes back
//   load PORT sink       nothing comes back
//   load PORT off
//   load                 what it has done so far
//
// and started by the guest, which writes the number of frames for each port to kTrigger: so the
// beginning is an instruction of the guest, and not a moment of the person's.
#pragma once

#include "model/load_tcp.h"
#include "model/rx_engine.h"

namespace mana::model {

class Load : NonCopyable {
 public:
  static constexpr u64 kNever = ~0ull;
  // In the doorbell page that belongs to nobody. Reads answer how many frames are still to come.
  static constexpr u64 kTrigger = kDoorbellZone + 2ull * wire::kPageSize + 0xFF8;

  Load(Context& context, RxEngine& rx) : context_{context}, rx_{rx} {}
  void set_up(Vport* vports) { vports_ = vports; }

  bool control(TextReader& line, TextWriter& reply);
  bool active() const { return active_ != 0; }
  bool takes(const Vport& vport) const { return (active_ >> vport.index & 1) != 0; }

  void start(u64 frames);
  u64 remaining() const;
  // Sends what is due; returns when there will be more.
  u64 run();

  // A frame that the guest sent through a port of the generator's.
  void sink(Vport& from, const Frame& frame);

 private:
  enum class Kind : u8 { kNone, kUdp, kTcp, kEcho, kSink };

  struct Port {
    Kind kind = Kind::kNone;
    bool timestamps = false;
    u32 length = 0;  // of a frame (UDP), or of the payload (TCP)
    u32 flows = 1;
    u32 burst = 1;
    u32 to = 0;
    u64 interval = 0;

    u32 flow = 0;
    u64 remaining = 0;
    u64 next = 0;  // time of the next burst
    LoadTcpPeer tcp;

    u64 sent = 0;
    u64 refused = 0;  // the guest had no buffer
    u64 sunk = 0;
  };

  static constexpr u32 kFrameBytes = 9216 + kEthernetHeader;

  bool configure(u32 index, TextReader& line);
  void report(TextWriter& reply) const;
  void reply(Vport& vport, Port& port);
  void send_burst(Vport& vport, Port& port);
  bool deliver(Vport& vport, u32 length);

  u8* bytes() { return buffer_ + Frame::kHeadroom; }

  Context& context_;
  RxEngine& rx_;
  Vport* vports_ = nullptr;
  u32 active_ = 0;  // bit per port
  Port ports_[kMaxPorts];
  // Zero between two frames, so that only headers need to be written. deliver() and an echo clear
  // what was written.
  u8 buffer_[Frame::kHeadroom + kFrameBytes] = {};
};

}  // namespace mana::model
