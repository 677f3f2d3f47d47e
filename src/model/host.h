// SPDX-License-Identifier: GPL-2.0
// The host's callbacks as methods: guest memory, time, objects and messages.
#pragma once

#include "base/new.h"
#include "base/utility.h"
#include "model/text.h"
#include "vnic/device_model.h"

namespace mana::model {

class Host : NonCopyable {
 public:
  explicit Host(const vnic_host& host) { copy_bytes(&host_, &host, sizeof(host_)); }

  // Guest memory. Nothing read from it is stable: the guest may change it at any time (V15).
  bool read(u64 address, void* to, size_t length) const {
    return length == 0 || host_.dma_read(host_.opaque, address, to, length);
  }
  bool write(u64 address, const void* from, size_t length) const {
    return length == 0 || host_.dma_write(host_.opaque, address, from, length);
  }
  bool valid(u64 address, u64 length) const {
    return address + length >= address && host_.dma_valid(host_.opaque, address, length);
  }

  void raise_msix(u32 vector) const { host_.raise_msix(host_.opaque, vector); }
  u64 now() const { return host_.now(host_.opaque); }
  void schedule() const { host_.schedule(host_.opaque); }
  void run_at(u64 deadline) const { host_.run_at(host_.opaque, deadline); }
  void transmit(u32 port, const void* frame, size_t length) const {
    host_.transmit(host_.opaque, port, frame, length);
  }

  void* allocate(size_t length) const { return host_.allocate(host_.opaque, length); }
  void release(void* memory) const { host_.release(host_.opaque, memory); }

  // A T in zeroed memory, with `extra` bytes behind it; null if there is no memory.
  template <typename T, typename... Arguments>
  T* create(size_t extra, Arguments&&... arguments) const {
    void* memory = allocate(sizeof(T) + extra);
    return memory ? ::new (memory) T(forward<Arguments>(arguments)...) : nullptr;
  }
  template <typename T>
  void destroy(T* object) const {
    static_assert(std::is_trivially_destructible_v<T>);
    if (object)
      release(object);
  }

  void log(vnic_log_level level, const char* text) const { host_.log(host_.opaque, level, text); }
  // True if one more line about the guest may be written now: a few each second (M-25).
  bool may_blame_guest();

 private:
  vnic_host host_;
  u64 blame_second_ = 0;
  u32 blame_lines_ = 0;
};

// One line of text, logged at the end of the scope:  LogLine(host, VNIC_LOG_GUEST).text("...");
class LogLine : NonCopyable {
 public:
  LogLine(Host& host, vnic_log_level level)
      : host_{host},
        level_{level},
        wanted_{level != VNIC_LOG_GUEST || host.may_blame_guest()},
        writer_{buffer_, sizeof(buffer_)} {}
  ~LogLine() {
    if (wanted_)
      host_.log(level_, buffer_);
  }

  LogLine& text(const char* text) {
    writer_.text(text);
    return *this;
  }
  LogLine& number(u64 value) {
    writer_.number(value);
    return *this;
  }
  LogLine& hex(u64 value) {
    writer_.hex(value);
    return *this;
  }

 private:
  Host& host_;
  vnic_log_level level_;
  bool wanted_;
  char buffer_[160];
  TextWriter writer_;
};

}  // namespace mana::model
