// SPDX-License-Identifier: GPL-2.0
// The learning switch between the vPorts that have no backend of their own.
#pragma once

#include "base/types.h"

namespace mana::model {

class L2Switch {
 public:
  static constexpr u32 kNoPort = 0xFFFFFFFF;

  // A frame with this source came in at `port`. Group addresses are not learned.
  void learn(const u8* mac, u32 port);
  // The port of a unicast address, or kNoPort.
  u32 find(const u8* mac) const;
  // Forgets what was learned at a port.
  void flush(u32 port);

 private:
  // A hash table of fixed size: when a bucket is full the oldest entry goes (M-60).
  static constexpr u32 kBuckets = 256;
  static constexpr u32 kWays = 4;

  struct Entry {
    u64 mac = 0;  // 0: empty
    u32 port = 0;
  };
  struct Bucket {
    Entry entries[kWays];
    u32 oldest = 0;
  };

  static u64 key_of(const u8* mac);
  static u32 bucket_of(u64 key);

  Bucket buckets_[kBuckets];
};

}  // namespace mana::model
