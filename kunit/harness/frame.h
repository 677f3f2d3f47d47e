// SPDX-License-Identifier: GPL-2.0
// Ethernet frames, made by hand.
#pragma once

#include "base/utility.h"
#include "kunit/shim/stack.h"

namespace mana::kunit {

struct FrameSpec {
  u32 family = 4;     // 4, 6, or 0: not IP
  u32 protocol = 17;  // 6 TCP, 17 UDP
  u32 payload = 100;  // bytes
  u8 source = 1;      // port number + 1: last octet of MAC and address
  u8 destination = 2; // 0xFF: broadcast
  u16 source_port = 2794;
  u16 destination_port = 1766;
  u32 sequence = 0x10000;
  u8 flags = 0x18;    // TCP: PSH, ACK
  u32 tcp_options = 0;  // bytes, a multiple of 4
  bool tagged = false;  // in band
  u16 tci = 0;
  bool partial = false;  // the L4 checksum is the pseudo header's sum, for the device to finish
  u8 fill = 0;        // byte n of the payload is fill + n
};

// A frame with right checksums. Each is an allocation of its own.
class Frame : NonCopyable {
 public:
  explicit Frame(const FrameSpec& spec);
  // Raw: `length` bytes, byte n is fill + n, behind an Ethernet header.
  static Frame raw(u32 length, u8 source, u8 destination, u8 fill = 0);
  Frame(Frame&& other)
      : bytes_{exchange(other.bytes_, nullptr)},
        length_{exchange(other.length_, 0u)},
        l3_{other.l3_},
        l4_{other.l4_},
        payload_{other.payload_} {}
  ~Frame();

  explicit operator bool() const { return bytes_ != nullptr; }
  u8* bytes() const { return bytes_; }
  u32 length() const { return length_; }
  // Offsets in the frame.
  u32 l3() const { return l3_; }
  u32 l4() const { return l4_; }
  u32 payload() const { return payload_; }

  // For kunit_skb(), linear.
  kunit_packet packet() const;

 private:
  explicit Frame(u32 length);

  u8* bytes_;
  u32 length_;
  u32 l3_ = 14;
  u32 l4_ = 14;
  u32 payload_ = 14;
  bool partial_ = false;
  bool tcp_ = false;
};

inline u32 get16(const u8* at) { return u32{at[0]} << 8 | at[1]; }
inline u32 get32(const u8* at) { return get16(at) << 16 | get16(at + 2); }
inline void put16(u8* at, u32 value) {
  at[0] = static_cast<u8>(value >> 8);
  at[1] = static_cast<u8>(value);
}
inline void put32(u8* at, u32 value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xFFFF);
}

// RFC 1071 over `length` bytes: what a correct sum makes 0xFFFF. Host order.
u32 internet_sum(const u8* bytes, u32 length, u32 start = 0);
// True if the IP header and the L4 checksum of an untagged frame are right.
bool checksums_are_right(const u8* frame, u32 length);

}  // namespace mana::kunit
