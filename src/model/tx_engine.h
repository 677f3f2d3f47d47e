// SPDX-License-Identifier: GPL-2.0
// The sending half of a vPort: fetch, check, finish the frame, send, complete (data sheet 8.1 to
// 8.5).
#pragma once

#include "model/fabric.h"
#include "model/tx_offload.h"

namespace mana::model {

class TxEngine : NonCopyable {
 public:
  // The largest LSO packet, headers and payload.
  static constexpr u32 kMaxPacket = 128 * 1024;
  static constexpr u32 kBufferBytes = Frame::kHeadroom + kMaxPacket;

  TxEngine(Context& context, Fabric& fabric) : context_{context}, fabric_{fabric} {}
  // kBufferBytes of the host's memory.
  void set_buffer(u8* buffer) { buffer_ = buffer; }

  // Works off WQEs while it is within `budget` frames; returns the frames' number.
  u32 process(WorkQueue& sq, u32 budget);

 private:
  // What the OOB says, either form.
  struct Oob {
    bool is_ipv4, is_ipv6;
    bool ip_checksum, tcp_checksum, udp_checksum;
    bool suppress_cqe;
    bool inject_vlan;
    u16 tci;
    u32 transport_offset;
    u32 vport_offset;
  };

  wire::TxCqeType execute(WorkQueue& sq, u32& frames);
  wire::TxCqeType read_oob(const WorkQueue& sq, Oob& oob) const;
  wire::TxCqeType check_vport(const WorkQueue& sq, u32 offset);
  bool is_lso() const { return wire::WqeHeader::ClientOobInSgl::get(wqe_.header.dw1) != 0; }
  bool lso_is_well_formed() const;
  bool gather(Frame& frame);
  // Where the VLAN tag goes. True if it was taken out of the frame.
  static bool place_tag(const Oob& oob, Frame& frame, u32& transport_offset);
  static bool matches(const Oob& oob, const FrameLayout& layout);
  wire::TxCqeType send_packet(WorkQueue& sq, const Oob& oob, Frame& frame, u32& frames);
  wire::TxCqeType send_lso(WorkQueue& sq, const Oob& oob, Frame& frame, u32& frames);

  void count(Vport& vport, const Frame& frame);
  void count_error(Vport& vport, wire::TxCqeType type);
  void post(WorkQueue& sq, wire::TxCqeType type, u32 vendor_error, u32 position);
  void complete(WorkQueue& sq, wire::TxCqeType type);
  void disable(WorkQueue& sq, u32 vendor_error);

  Context& context_;
  Fabric& fabric_;
  u8* buffer_ = nullptr;
  u32 vendor_error_ = 0;      // of the WQE in work, diagnostic
  bool suppress_cqe_ = false;  // of the WQE in work
  Wqe wqe_;
  Segmenter segmenter_;
};

}  // namespace mana::model
