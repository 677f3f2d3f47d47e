// SPDX-License-Identifier: GPL-2.0
// The transmit side of port 0 under the microscope: what the driver writes into its rings, when it
// rings for it, and what comes out at port 1.
#pragma once

#include "kunit/harness/nic.h"
#include "kunit/shim/skbs.h"
#include "wire/tx.h"

namespace mana::kunit {

// A WQE as the device finds it, the wrap of the ring undone.
struct WqeView {
  bool taken = false;  // the driver took the packet
  u32 position = 0;    // bytes, of the ring's free-running index
  u32 word[wire::kMaxSqWqeBytes / 4] = {};

  u32 last_vbytes() const { return wire::WqeHeader::LastVbytes::get(word[0]); }
  u32 sges() const { return wire::WqeHeader::SgeCount::get(word[1]); }
  wire::OobSize oob_size() const {
    return static_cast<wire::OobSize>(wire::WqeHeader::OobSizeCode::get(word[1]));
  }
  bool is_lso() const { return wire::WqeHeader::ClientOobInSgl::get(word[1]) != 0; }
  u32 mss() const { return wire::WqeHeader::ClientDataUnit::get(word[1]); }
  u32 oob(u32 index) const { return word[2 + index]; }
  bool is_long() const { return oob_size() == wire::OobSize::k24; }
  u32 bytes() const { return wire::wqe_bytes(oob_size(), sges()); }
  wire::Sge sge(u32 index) const {
    wire::Sge sge;
    __builtin_memcpy(&sge, &word[wire::sgl_offset(oob_size()) / 4 + 4 * index], sizeof(sge));
    return sge;
  }
  u32 payload() const {  // of all SGEs
    u32 total = 0;
    for (u32 i = 0; i < sges(); i++)
      total += sge(i).size;
    return total;
  }
};

class TransmitBench : NonCopyable {
 public:
  struct Config {
    u32 ports = 2;
    u32 queues = 1;
    u32 mtu = 9000;
    u32 ring = 128;  // transmit, in BU; port 0
    const char* options = "vport-offset=5";
    kunit_pace pace = KUNIT_PACE_LATER;
  };
  explicit TransmitBench(const Config& config);
  TransmitBench() : TransmitBench{Config{}} {}
  ~TransmitBench();

  // Probes, opens all ports (small rings), taps port 1. GRO is off: frames arrive as they were
  // sent.
  bool up();

  struct Sq {
    u32 wq_id;
    u32 cq_id;
    u32 wq_bytes;
    u32 cq_bytes;
    u64 wq_address;
    u64 cq_address;
    u32 bells;  // doorbells
    u32 tail;   // the last one's, in bytes
    bool backwards;  // a tail that went back, or further than the ring is long
  };
  // The n-th SQ that was created since up() began, or since forget_sqs(): port 0's come first.
  const Sq& sq(u32 n = 0) const { return sqs_[n]; }
  u32 sq_count() const { return sq_count_; }
  void forget_sqs() { sq_count_ = 0; }

  net_device* netdev(u32 port = 0) const { return nic.netdev(port); }
  // Into a queue of port 0, stopped or not. False: not taken, and gone.
  bool send(sk_buff* skb, u32 queue = 0) const;
  bool send(const kunit_packet& packet, u32 queue = 0) const { return send(make(packet), queue); }
  sk_buff* make(const kunit_packet& packet) const;
  // send(), settle, and the WQE that was written.
  WqeView post(sk_buff* skb, u32 queue = 0);
  WqeView post(const kunit_packet& packet, u32 queue = 0) { return post(make(packet), queue); }
  WqeView wqe(const Sq& sq, u32 position) const;

  // While it holds, the device hears of no packet, but for what let() tells it.
  void hold(bool on) { holding_ = on; }
  void let(const Sq& sq, u32 tail);

  // At port 1.
  u32 arrived() const { return tap_ ? kunit_tap_count(tap_) : 0; }
  Skb take() const { return Skb{kunit_tap_take(tap_)}; }
  void clear_arrived() const {
    while (arrived() != 0)
      take();
  }
  // Until that many have arrived and port 0 has nothing in flight: sooner than settle(). False
  // after a while.
  bool await_arrived(u32 count) const;
  // Looks at port 1 no more: before the driver goes.
  void lose_tap();
  // The next that arrived is this frame.
  bool arrives(const Frame& frame) const;

  u64 stat(const char* name) const { return nic.stat(0, name); }
  // Nothing of port 0 is under way, nothing went wrong, and the port works.
  void expect_peace(u32 recoveries = 0) const;
  // After a recovery has been asked for: until it is done. False if it does not come.
  bool await_recoveries(u32 count) const;

  Nic nic;

 private:
  static constexpr u32 kMaxSqs = 16;

  Config config_;
  kunit_tap* tap_ = nullptr;
  bool holding_ = false;
  u32 sq_count_ = 0;
  Sq sqs_[kMaxSqs] = {};

  struct Learn {
    TransmitBench& bench;
    void operator()(wire::Command command, u8* bytes, u32 length) const;
  } learn_{*this};
  struct Watch {
    TransmitBench& bench;
    bool operator()(u64 offset, u64 value, u32 size) const;
  } watch_{*this};
};

}  // namespace mana::kunit
