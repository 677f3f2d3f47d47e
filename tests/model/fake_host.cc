// SPDX-License-Identifier: GPL-2.0
#include "fake_host.h"

#include <algorithm>
#include <cstdlib>

namespace mana::test {

FakeHost::~FakeHost() {
  for (auto& [memory, size] : sizes_)
    std::free(memory);
}

uint64_t FakeHost::take_pages(uint64_t bytes) {
  const uint64_t address = next_page_;
  next_page_ += (bytes + 4095) / 4096 * 4096;
  if (next_page_ > kMemoryBase + kMemoryBytes)
    std::abort();
  return address;
}

size_t FakeHost::take_interrupts(uint32_t vector) {
  const size_t count =
      static_cast<size_t>(std::count(interrupts.begin(), interrupts.end(), vector));
  std::erase(interrupts, vector);
  return count;
}

void FakeHost::note(bool is_write, bool is_interrupt, uint64_t address, uint64_t length) {
  const Access access{is_write, is_interrupt, address, length};
  if (on_access)
    on_access(access);
  if (record)
    accesses.push_back(access);
}

vnic_host FakeHost::callbacks() {
  vnic_host host{};
  host.size = sizeof(host);
  host.opaque = this;
  host.dma_read = [](void* opaque, uint64_t address, void* to, size_t length) {
    FakeHost* host = self(opaque);
    host->note(false, false, address, length);
    if (!host->is_memory(address, length))
      return false;
    std::memcpy(to, host->at(address), length);
    return true;
  };
  host.dma_write = [](void* opaque, uint64_t address, const void* from, size_t length) {
    FakeHost* host = self(opaque);
    host->note(true, false, address, length);
    if (!host->is_memory(address, length))
      return false;
    std::memcpy(host->at(address), from, length);
    return true;
  };
  host.dma_valid = [](void* opaque, uint64_t address, uint64_t length) {
    return self(opaque)->is_memory(address, length);
  };
  host.raise_msix = [](void* opaque, uint32_t vector) {
    self(opaque)->note(false, true, vector, 0);
    self(opaque)->interrupts.push_back(vector);
  };
  host.now = [](void* opaque) { return self(opaque)->now; };
  host.schedule = [](void* opaque) { self(opaque)->scheduled = true; };
  host.run_at = [](void* opaque, uint64_t deadline) { self(opaque)->deadline = deadline; };
  host.transmit = [](void* opaque, uint32_t port, const void* frame, size_t length) {
    const auto* bytes = static_cast<const uint8_t*>(frame);
    self(opaque)->transmitted.push_back({port, {bytes, bytes + length}});
  };
  host.allocate = [](void* opaque, size_t length) -> void* {
    FakeHost* host = self(opaque);
    if (host->fail_allocation > 0 && --host->fail_allocation == 0)
      return nullptr;
    // Exact size, so that the sanitizer sees the end.
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, length) != 0)
      return nullptr;
    std::memset(memory, 0, length);
    host->sizes_[memory] = length;
    host->live_allocations++;
    host->bytes_allocated += length;
    return memory;
  };
  host.release = [](void* opaque, void* memory) {
    FakeHost* host = self(opaque);
    host->bytes_allocated -= host->sizes_.at(memory);
    host->sizes_.erase(memory);
    host->live_allocations--;
    std::free(memory);
  };
  host.log = [](void* opaque, vnic_log_level, const char* text) {
    self(opaque)->log.push_back(text);
  };
  return host;
}

}  // namespace mana::test
