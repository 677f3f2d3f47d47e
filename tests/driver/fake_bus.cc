// SPDX-License-Identifier: GPL-2.0
// The PCI function: DMA, registers, interrupts. Streaming mappings bounce, as on a machine whose
// memory the device cannot reach: what is not synced is not seen.
#include <sys/mman.h>

#include <cstdlib>

#include "fake_kernel.h"

namespace mana::test {

u64 FakeKernel::add_region(Region region) {
  const u64 address = next_dma_;
  next_dma_ += (region.bytes + 0xFFF) / 0x1000 * 0x1000 + 0x1000;
  if (region.kind != Region::kCoherent)
    region.bounce.assign(region.memory, region.memory + region.bytes);
  // A mapping keeps its place in the page, so that misalignment shows.
  const u64 inside = region.kind == Region::kMap ? 0x40 : 0;
  next_dma_ += inside ? 0x1000 : 0;
  regions_.emplace(address + inside, std::move(region));
  return address + inside;
}

void FakeKernel::remove_region(u64 address, Region::Kind kind, u64 bytes) {
  const auto found = regions_.find(address);
  if (found == regions_.end() || found->second.kind != kind || found->second.bytes != bytes)
    return error("DMA memory or a mapping is given back that is not there");
  regions_.erase(found);
}

FakeKernel::Region* FakeKernel::region_of(u64 address, u64 length, u64* start) {
  auto found = regions_.upper_bound(address);
  if (found == regions_.begin())
    return nullptr;
  --found;
  const u64 offset = address - found->first;
  if (offset > found->second.bytes || found->second.bytes - offset < length)
    return nullptr;
  if (start)
    *start = found->first;
  return &found->second;
}

u8* FakeKernel::coherent(u64 address, u64 length) {
  u64 start = 0;
  Region* region = region_of(address, length, &start);
  return region && region->kind == Region::kCoherent ? region->memory + (address - start) : nullptr;
}

size_t FakeKernel::coherent_count() const {
  size_t count = 0;
  for (const auto& [address, region] : regions_)
    count += region.kind == Region::kCoherent;
  return count;
}

bool FakeKernel::dma_valid(u64 address, u64 length) const {
  return const_cast<FakeKernel*>(this)->region_of(address, length) != nullptr;
}

bool FakeKernel::dma_read(u64 address, void* to, u64 length) {
  u64 start = 0;
  Region* region = region_of(address, length, &start);
  if (!region || !region->to_device) {
    bad_dma++;
    if (!allow_bad_dma)
      error("the device reads memory that is not there for it");
    return false;
  }
  const u64 offset = address - start;
  const bool bounced = region->kind != Region::kCoherent;
  std::memcpy(to, (bounced ? region->bounce.data() : region->memory) + offset, length);
  return true;
}

bool FakeKernel::dma_write(u64 address, const void* from, u64 length) {
  u64 start = 0;
  Region* region = region_of(address, length, &start);
  bool good = region && region->from_device;
  if (good && region->kind == Region::kPage)
    for (const auto& [offset, bytes] : region->pg->held)
      good &= address - start + length <= offset || address - start >= offset + bytes;
  if (!good) {
    bad_dma++;
    if (!allow_bad_dma)
      error("the device writes to memory that is not its own");
    return false;
  }
  const u64 offset = address - start;
  const bool bounced = region->kind != Region::kCoherent;
  std::memcpy((bounced ? region->bounce.data() : region->memory) + offset, from, length);
  return true;
}

u64 FakeKernel::bar_offset(const void* address, u32 size) {
  const auto* byte = static_cast<const u8*>(address);
  if (!bar_ || byte < bar_ || byte + size > bar_ + bar_bytes_)
    error("an access outside BAR 0");
  const u64 offset = static_cast<u64>(byte - bar_);
  if (offset % size != 0)
    error("a misaligned register access");
  return offset;
}

u64 FakeKernel::access(u64 offset, u32 size, bool is_write, u64 value) {
  Mmio what{is_write, size, offset, value};
  if (on_mmio)
    on_mmio(what);
  if (!(fake_mmio && fake_mmio(what))) {
    if (is_write)
      device_->write(offset, value, size);
    else
      what.value = device_->read(offset, size);
  }
  if (record_mmio)
    mmio.push_back(what);
  return what.value;
}

}  // namespace mana::test

using mana::test::Failing;
using mana::test::FakeKernel;

namespace {

FakeKernel& kernel() { return FakeKernel::current(); }

constexpr int kNoMemory = -12;

}  // namespace

// --- dma.h ---

namespace {

u64 add_coherent(u8* memory, u64 bytes) {
  return kernel().add_region({.kind = FakeKernel::Region::kCoherent,
                              .memory = memory,
                              .bytes = bytes,
                              .bounce = {},
                              .to_device = true,
                              .from_device = true,
                              .pg = nullptr});
}

}  // namespace

void* shim_dma_alloc_pages(device*, size_t bytes, u64* addresses) {
  kernel().process_context("shim_dma_alloc_pages");
  void* memory = nullptr;
  if (bytes == 0 || bytes % 4096 != 0 || posix_memalign(&memory, 4096, bytes) != 0) {
    kernel().error("DMA pages for " + std::to_string(bytes) + " bytes");
    return nullptr;
  }
  std::memset(memory, 0, bytes);
  // Each where the device cannot reach it from its neighbour.
  for (size_t i = 0; i < bytes / 4096; i++) {
    if (kernel().fails(Failing::kDma)) {
      while (i-- > 0)
        kernel().remove_region(addresses[i], FakeKernel::Region::kCoherent, 4096);
      std::free(memory);
      return nullptr;
    }
    addresses[i] = add_coherent(static_cast<u8*>(memory) + i * 4096, 4096);
  }
  kernel().ring_pages += static_cast<u32>(bytes / 4096);
  return memory;
}

void shim_dma_free_pages(device*, size_t bytes, void* memory, const u64* addresses) {
  kernel().process_context("shim_dma_free_pages");
  for (size_t i = 0; i < bytes / 4096; i++)
    kernel().remove_region(addresses[i], FakeKernel::Region::kCoherent, 4096);
  kernel().ring_pages -= static_cast<u32>(bytes / 4096);
  std::memset(memory, 0x5A, bytes);
  std::free(memory);
}

void* shim_dma_alloc(device*, size_t bytes, u64* address) {
  kernel().process_context("shim_dma_alloc");
  if (kernel().fails(Failing::kDma) || bytes > kernel().largest_coherent)
    return nullptr;
  void* memory = nullptr;
  if (bytes == 0 || bytes > 64u << 20 || posix_memalign(&memory, 4096, bytes) != 0) {
    kernel().error("DMA memory of " + std::to_string(bytes) + " bytes");
    return nullptr;
  }
  std::memset(memory, 0, bytes);
  *address = add_coherent(static_cast<u8*>(memory), bytes);
  return memory;
}

void shim_dma_free(device*, size_t bytes, void* memory, u64 address) {
  kernel().process_context("shim_dma_free");
  kernel().remove_region(address, FakeKernel::Region::kCoherent, bytes);
  std::memset(memory, 0x5A, bytes);
  std::free(memory);
}

u64 shim_dma_map(device*, const void* memory, u32 bytes) {
  if (bytes == 0)
    kernel().error("a mapping of no bytes");
  if (kernel().fails(Failing::kMap))
    return SHIM_DMA_ERROR;
  return kernel().add_region({.kind = FakeKernel::Region::kMap,
                              .memory = static_cast<u8*>(const_cast<void*>(memory)),
                              .bytes = bytes,
                              .bounce = {},
                              .to_device = true,
                              .from_device = false,
                              .pg = nullptr});
}

u64 shim_dma_map_frag(device* dev, sk_buff* skb, u32 index, u32 offset, u32 bytes) {
  if (index >= skb->frags.size() || offset + bytes > skb->frags[index].size()) {
    kernel().error("a mapping beyond a fragment");
    return SHIM_DMA_ERROR;
  }
  return shim_dma_map(dev, skb->frags[index].data() + offset, bytes);
}

void shim_dma_unmap(device*, u64 address, u32 bytes) {
  kernel().remove_region(address, FakeKernel::Region::kMap, bytes);
}

void shim_dma_sync_for_device(device*, u64 address, u32 bytes, bool bidirectional) {
  u64 start = 0;
  FakeKernel::Region* region = kernel().region_of(address, bytes, &start);
  if (!region || region->kind != FakeKernel::Region::kPage)
    return kernel().error("a sync of what is not mapped");
  if (bidirectional != region->to_device)
    kernel().error("a sync in the wrong direction");
  if (bidirectional)
    std::memcpy(&region->bounce[address - start], region->memory + (address - start), bytes);
}

bool shim_dma_needs_sync(device*) { return true; }
bool shim_dma_will_sync(device*) { return kernel().will_sync; }

void shim_dma_sync_for_cpu(device*, u64 address, u32 bytes, bool bidirectional) {
  u64 start = 0;
  FakeKernel::Region* region = kernel().region_of(address, bytes, &start);
  if (!region || region->kind != FakeKernel::Region::kPage)
    return kernel().error("a sync of what is not mapped");
  if (bidirectional != region->to_device)
    kernel().error("a sync in the wrong direction");
  std::memcpy(region->memory + (address - start), &region->bounce[address - start], bytes);
}

// --- mmio.h ---

u32 shim_read32(const void* address) {
  return static_cast<u32>(kernel().access(kernel().bar_offset(address, 4), 4, false, 0));
}
u64 shim_read64(const void* address) {
  return kernel().access(kernel().bar_offset(address, 8), 8, false, 0);
}
void shim_write32(void* address, u32 value) {
  kernel().access(kernel().bar_offset(address, 4), 4, true, value);
}
void shim_write64(void* address, u64 value) {
  kernel().access(kernel().bar_offset(address, 8), 8, true, value);
}
void shim_dma_read_barrier(void) {}

// --- pci.h ---

int shim_pci_enable(pci_dev*) {
  if (kernel().fails(Failing::kPci))
    return -5;
  if (std::exchange(kernel().enabled_, true))
    kernel().error("the function is enabled twice");
  return 0;
}

void shim_pci_disable(pci_dev*) {
  if (!std::exchange(kernel().enabled_, false))
    kernel().error("the function is disabled twice");
}

void* shim_mmio_map(pci_dev*, u64* bytes) {
  if (kernel().fails(Failing::kPci))
    return nullptr;
  // Nobody can touch it but through mmio.h.
  constexpr u64 kRoom = 1 << 20;
  void* base = mmap(nullptr, kRoom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  kernel().bar_ = static_cast<u8*>(base);
  *bytes = kernel().bar_bytes_ = kernel().device_->bar_size();
  return base;
}

void shim_mmio_unmap(pci_dev*, void* bar) {
  if (bar != kernel().bar_)
    kernel().error("another BAR is unmapped than was mapped");
  munmap(bar, 1 << 20);
  kernel().bar_ = nullptr;
}

int shim_vectors_alloc(pci_dev*, u32 minimum, u32 maximum) {
  kernel().process_context("shim_vectors_alloc");
  if (kernel().fails(Failing::kVectors) || kernel().vectors_available < minimum)
    return -28;
  kernel().vectors_ = std::min(maximum, kernel().vectors_available);
  return static_cast<int>(kernel().vectors_);
}

void shim_vectors_free(pci_dev*) {
  if (!kernel().handlers_.empty())
    kernel().error("vectors are freed that have handlers");
  kernel().vectors_ = 0;
}

int shim_pci_reset(pci_dev*) {
  kernel().process_context("shim_pci_reset");
  if (kernel().fails(Failing::kReset))
    return -25;
  kernel().resets++;
  kernel().device_->reset();
  return 0;
}

device* shim_pci_device(pci_dev* pdev) { return &pdev->dev; }
const char* shim_pci_name(pci_dev*) { return "0001:00:02.0"; }
int shim_pci_node(pci_dev*) { return 0; }
u32 shim_online_cpus(void) { return kernel().online_cpus; }
const char* shim_kernel_release(void) { return "6.12.0-test"; }
const char* shim_kernel_version(void) { return "#1 SMP of a test"; }
u32 shim_kernel_version_code(void) { return 6 << 16 | 12 << 8 | 3; }

// --- irq.h ---

namespace {

int request(u32 vector, const char* name, mana_hwc* hwc, mana_eq* eq) {
  kernel().process_context("an interrupt request");
  if (kernel().fails(Failing::kIrq))
    return kNoMemory;
  if (vector >= kernel().vectors_ || kernel().handlers_.contains(vector)) {
    kernel().error("a vector that there is not, or that is taken");
    return -16;
  }
  kernel().handlers_[vector] = {hwc, eq, name};
  return 0;
}

void give_back(u32 vector, const void* object) {
  kernel().process_context("an interrupt's end");
  const auto found = kernel().handlers_.find(vector);
  if (found == kernel().handlers_.end() ||
      (found->second.hwc != object && static_cast<void*>(found->second.eq) != object))
    return kernel().error("an interrupt is given back that nobody has");
  if (std::strlen(found->second.name) == 0)
    kernel().error("an interrupt without a name");
  kernel().handlers_.erase(found);
}

}  // namespace

int shim_irq_request_hwc(pci_dev*, u32 vector, const char* name, mana_hwc* hwc) {
  return request(vector, name, hwc, nullptr);
}
int shim_irq_request_eq(pci_dev*, u32 vector, const char* name, mana_eq* eq) {
  return request(vector, name, nullptr, eq);
}
void shim_irq_free_hwc(pci_dev*, u32 vector, mana_hwc* hwc) { give_back(vector, hwc); }
void shim_irq_free_eq(pci_dev*, u32 vector, mana_eq* eq) { give_back(vector, eq); }
void shim_irq_synchronize(pci_dev*, u32) { kernel().process_context("shim_irq_synchronize"); }
void shim_irq_spread(pci_dev*, u32, u32) {}
int shim_vector_irq(pci_dev*, u32 vector) { return 100 + static_cast<int>(vector); }
