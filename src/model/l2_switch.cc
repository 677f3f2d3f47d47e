// SPDX-License-Identifier: GPL-2.0
#include "model/l2_switch.h"

namespace mana::model {

u64 L2Switch::key_of(const u8* mac) {
  u64 key = 0;
  for (u32 i = 0; i < 6; i++)
    key = key << 8 | mac[i];
  return key;
}

u32 L2Switch::bucket_of(u64 key) {
  // Multiplicative hashing: consecutive addresses land in different buckets.
  return static_cast<u32>(key * 0x9E3779B97F4A7C15 >> 56) % kBuckets;
}

void L2Switch::learn(const u8* mac, u32 port) {
  const u64 key = key_of(mac);
  if ((mac[0] & 1) != 0 || key == 0)
    return;
  Bucket& bucket = buckets_[bucket_of(key)];
  for (Entry& entry : bucket.entries) {
    if (entry.mac == key) {
      entry.port = port;
      return;
    }
  }
  for (Entry& entry : bucket.entries) {
    if (entry.mac == 0) {
      entry = {key, port};
      return;
    }
  }
  bucket.entries[bucket.oldest] = {key, port};
  bucket.oldest = (bucket.oldest + 1) % kWays;
}

u32 L2Switch::find(const u8* mac) const {
  const u64 key = key_of(mac);
  for (const Entry& entry : buckets_[bucket_of(key)].entries) {
    if (entry.mac == key && key != 0)
      return entry.port;
  }
  return kNoPort;
}

void L2Switch::flush(u32 port) {
  for (Bucket& bucket : buckets_) {
    for (Entry& entry : bucket.entries) {
      if (entry.port == port)
        entry = {};
    }
  }
}

}  // namespace mana::model
