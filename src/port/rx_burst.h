// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/completion_cursor.h"
#include "port/rx_completion.h"

namespace mana::port {

// What is left of a completion that stands for several packets (D-59): a poll may have to end in
// the middle. Copied out of the ring once (D-28).
class RxBurst {
 public:
  static constexpr u32 kMaxPackets = 8;

  bool empty() const { return next_ == count_; }
  void clear() { next_ = count_ = 0; }

  // `completion` is what was copied of the entry already. The first length of zero ends the list.
  void load(const wire::Cqe& cqe, const RxCompletion& completion) {
    const auto& entry = reinterpret_cast<const wire::RxCqe&>(cqe);
    flags_ = completion.flags;
    if (completion.type == wire::RxCqeType::kCoalesced8) {
      for (u32 i = 0; i < kMaxPackets; i += 2) {
        const wire::RxPacketPair& pair = entry.pairs[i / 2];
        packets_[i] = {kern::read_once(pair.length_even), kern::read_once(pair.hash_even)};
        packets_[i + 1] = {kern::read_once(pair.length_odd), kern::read_once(pair.hash_odd)};
      }
    } else {
      packets_[0] = {completion.length, completion.hash};
      for (u32 i = 1; i < 4; i++)
        packets_[i] = {kern::read_once(entry.packets[i].length),
                       kern::read_once(entry.packets[i].hash)};
    }
    const u32 room = completion.type == wire::RxCqeType::kCoalesced8 ? kMaxPackets : 4;
    next_ = 0;
    for (count_ = 0; count_ < room && packets_[count_].length != 0; count_++) {
    }
  }
  u32 count() const { return count_; }

  // The next packet, as if it had a completion of its own.
  RxCompletion take() {
    const Packet& packet = packets_[next_++];
    return {.type = wire::RxCqeType::kOk,
            .flags = flags_,
            .length = packet.length,
            .hash = packet.hash};
  }

 private:
  struct Packet {
    u32 length;
    u32 hash;
  };

  u32 next_ = 0;
  u32 count_ = 0;
  u32 flags_ = 0;
  Packet packets_[kMaxPackets] = {};
};

// A walk over packets where there may be several to a completion: what a CompletionCursor is to
// queues without coalescing. An entry is done with when its last packet is.
class BurstCursor {
 public:
  // `packets`: how many there may be, 4 or 8; more were not negotiated.
  BurstCursor(const gdma::CompletionCursor& cursor, RxBurst& burst, u32 packets,
              kern::Counter& shared)
      : cursor_{cursor}, burst_{burst}, packets_{packets}, shared_{shared} {}

  u32 trailer() const { return cursor_.trailer(); }
  bool ready(u32 trailer) const { return !burst_.empty() || cursor_.ready(trailer); }
  gdma::SlotState state(u32 trailer) const { return cursor_.state(trailer); }
  void prefetch_next() const { cursor_.prefetch_next(); }

  RxCompletion completion() {
    if (burst_.empty()) {
      const RxCompletion whole = RxCompletion::copy(cursor_.entry());
      if (!is_negotiated(whole.type))
        return whole;
      burst_.load(cursor_.entry(), whole);
      if (burst_.empty())  // stands for no packet at all
        return whole;
      shared_.add(burst_.count());
    }
    return burst_.take();
  }

  void advance() {
    if (!burst_.empty())
      return;
    cursor_.advance();
    entries_++;
  }
  u32 entries() const { return entries_; }

 private:
  bool is_negotiated(wire::RxCqeType type) const {
    return (type == wire::RxCqeType::kCoalesced4 && packets_ >= 4) ||
           (type == wire::RxCqeType::kCoalesced8 && packets_ >= 8);
  }

  gdma::CompletionCursor cursor_;
  RxBurst& burst_;
  u32 packets_;
  kern::Counter& shared_;
  u32 entries_ = 0;
};

// What the walk over packets asks either cursor for.
inline RxCompletion next_completion(const gdma::CompletionCursor& cursor) {
  return RxCompletion::copy(cursor.entry());
}
inline RxCompletion next_completion(BurstCursor& cursor) { return cursor.completion(); }

}  // namespace mana::port
