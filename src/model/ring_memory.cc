// SPDX-License-Identifier: GPL-2.0
#include "model/ring_memory.h"

namespace mana::model {

u64 RingMemory::piece(u32 offset, u32& length) const {
  length = min(length, bytes_ - offset);
  if (!pages_)
    return base_ + offset;
  u64 left = 0;
  const u64 address = pages_->translate(offset, left);
  if (left < length)
    length = static_cast<u32>(left);
  return address;
}

bool RingMemory::read(const Host& host, u32 position, void* to, u32 length) const {
  u8* target = static_cast<u8*>(to);
  while (length > 0) {
    u32 part = length;
    const u64 address = piece(position & (bytes_ - 1), part);
    if (!host.read(address, target, part))
      return false;
    target += part;
    position += part;
    length -= part;
  }
  return true;
}

bool RingMemory::write(const Host& host, u32 position, const void* from, u32 length) const {
  const u8* source = static_cast<const u8*>(from);
  while (length > 0) {
    u32 part = length;
    const u64 address = piece(position & (bytes_ - 1), part);
    if (!host.write(address, source, part))
      return false;
    source += part;
    position += part;
    length -= part;
  }
  return true;
}

}  // namespace mana::model
