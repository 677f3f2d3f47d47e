// SPDX-License-Identifier: GPL-2.0
// One HWC request in private memory, and the reply under construction.
#pragma once

#include "base/utility.h"
#include "wire/gdma_commands.h"

namespace mana::model {

class Request {
 public:
  // `bytes` is 8-byte aligned, at least a request header long, and nobody changes it (V15).
  Request(const u8* bytes, u32 length) : bytes_{bytes}, length_{length} {}

  const wire::RequestHeader& header() const {
    return *reinterpret_cast<const wire::RequestHeader*>(bytes_);
  }
  wire::Command command() const {
    return static_cast<wire::Command>(header().request.message_type);
  }
  u32 version() const { return header().request.version; }
  u32 length() const { return length_; }

  // The message as its layout, or null if it is shorter (6.17).
  template <typename Message>
  const Message* as() const {
    return length_ >= sizeof(Message) ? reinterpret_cast<const Message*>(bytes_) : nullptr;
  }
  // `count` elements of `size` bytes at `offset`, or null if they are not all inside (V11).
  const u8* array(u32 offset, u32 count, u32 size) const {
    const u64 end = offset + static_cast<u64>(count) * size;
    return end <= length_ ? bytes_ + offset : nullptr;
  }
  // A little-endian number at `offset`, 0 if the message ends before.
  template <typename Number>
  Number number(u32 offset) const {
    Number value = 0;
    if (offset + sizeof(Number) <= length_)
      copy_bytes(&value, bytes_ + offset, sizeof(Number));
    return value;
  }

 private:
  const u8* bytes_;
  u32 length_;
};

class Reply {
 public:
  // `bytes` is kMaxHwcMessage long, zero, 8-byte aligned.
  explicit Reply(u8* bytes) : bytes_{bytes} {}

  // Makes the reply a message of this layout: all zero, to be filled in.
  template <typename Message>
  Message& become(u32 bytes = sizeof(Message)) {
    size_ = bytes;
    return *reinterpret_cast<Message*>(bytes_);
  }
  void set_version(u32 version) { version_ = version; }

  u8* bytes() const { return bytes_; }
  u32 size() const { return size_; }
  u32 version() const { return version_; }

 private:
  u8* bytes_;
  u32 size_ = sizeof(wire::ResponseHeader);
  u32 version_ = 1;
};

}  // namespace mana::model
