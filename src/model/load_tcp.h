// SPDX-License-Identifier: GPL-2.0
// The other end of one TCP connection that the guest opens: sends segments of zeros as far as the
// guest's window lets it, and acknowledges whatever comes. Nothing is lost on the way, so it
// repeats nothing.
#pragma once

#include "model/load_frame.h"

namespace mana::model {

class LoadTcpPeer {
 public:
  bool connected() const { return connected_; }
  bool has_reply() const { return reply_ != 0; }
  // True if a segment of `payload` bytes fits into the guest's window.
  bool may_send(u32 payload) const {
    return connected_ && reply_ == 0 && static_cast<int>(limit_ - next_ - payload) >= 0;
  }

  // A segment from the guest. `frame` is IPv4 and TCP.
  void receive(const Frame& frame, bool want_timestamps);
  // The answer that is due. Builds it at `bytes`.
  u32 take_reply(u8* bytes);
  // A segment; counted as sent by sent().
  u32 make_segment(u8* bytes, u32 payload) const;
  void sent(u32 payload) { next_ += payload; }

 private:
  LoadTcp header(u8 flags) const;
  void accept(const Frame& frame, bool want_timestamps);
  void read_options(const u8* options, u32 length, bool want_timestamps);

  bool connected_ = false;
  bool timestamps_ = false;
  u8 reply_ = 0;  // flags of the answer that is due
  u8 scale_ = 0;  // of the guest's window
  u8 guest_mac_[6] = {};
  u32 guest_ = 0;
  u32 peer_ = 0;
  u32 guest_port_ = 0;
  u32 peer_port_ = 0;
  u32 next_ = 0;      // sequence number of what is sent next
  u32 limit_ = 0;     // the first that the guest has no room for
  u32 expected_ = 0;  // of the guest's next byte
};

}  // namespace mana::model
