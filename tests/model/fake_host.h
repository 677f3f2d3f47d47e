// SPDX-License-Identifier: GPL-2.0
// A host without a machine: guest memory, an interrupt log, a clock that stands still.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vnic/device_model.h"

namespace mana::test {

class FakeHost {
 public:
  static constexpr uint64_t kMemoryBase = 0x1'0000'0000;
  static constexpr uint64_t kMemoryBytes = 16 << 20;

  FakeHost() : memory_(kMemoryBytes) {}
  ~FakeHost();

  vnic_host callbacks();

  // Zeroed pages that nobody else has.
  uint64_t take_pages(uint64_t bytes);
  uint8_t* at(uint64_t address) { return &memory_[address - kMemoryBase]; }
  bool is_memory(uint64_t address, uint64_t length) const {
    return address >= kMemoryBase && length <= kMemoryBytes &&
           address - kMemoryBase <= kMemoryBytes - length;
  }
  template <typename T>
  T load(uint64_t address) {
    T value;
    std::memcpy(&value, at(address), sizeof(value));
    return value;
  }
  template <typename T>
  void store(uint64_t address, const T& value) {
    std::memcpy(at(address), &value, sizeof(value));
  }
  void store_bytes(uint64_t address, const std::vector<uint8_t>& bytes) {
    std::memcpy(at(address), bytes.data(), bytes.size());
  }
  std::vector<uint8_t> bytes(uint64_t address, size_t length) {
    return {at(address), at(address) + length};
  }

  struct Access {
    bool is_write;
    bool is_interrupt;  // then `address` is the vector
    uint64_t address;
    uint64_t length;
  };
  struct Transmitted {
    uint32_t port;
    std::vector<uint8_t> frame;
  };

  std::vector<uint32_t> interrupts;
  std::vector<Transmitted> transmitted;
  std::vector<std::string> log;
  bool record = false;           // fill `accesses`
  std::vector<Access> accesses;
  std::function<void(const Access&)> on_access;  // called before each one
  bool scheduled = false;
  uint64_t deadline = UINT64_MAX;
  uint64_t now = 1'000'000'000;
  size_t live_allocations = 0;
  size_t fail_allocation = 0;  // the n-th from now returns null; 0: none
  uint64_t bytes_allocated = 0;

  // Interrupts of one vector since the last call.
  size_t take_interrupts(uint32_t vector);

 private:
  static FakeHost* self(void* opaque) { return static_cast<FakeHost*>(opaque); }
  void note(bool is_write, bool is_interrupt, uint64_t address, uint64_t length);

  std::vector<uint8_t> memory_;
  uint64_t next_page_ = kMemoryBase;
  std::map<void*, size_t> sizes_;
};

}  // namespace mana::test
