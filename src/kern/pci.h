// SPDX-License-Identifier: GPL-2.0
// The PCI function and its BAR 0.
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/mmio.h"
#include "shim/pci.h"
#include "shim/vectors.h"

namespace mana::kern {

// An enabled function. Its end disables it.
class PciFunction {
 public:
  static Result<PciFunction> enable(pci_dev* pdev) {
    const s32 code = shim_pci_enable(pdev);
    if (code < 0)
      return Result<>::from_errno(code).error();
    return PciFunction{pdev};
  }
  PciFunction(PciFunction&& other) : pdev_{exchange(other.pdev_, nullptr)} {}
  PciFunction& operator=(PciFunction&&) = delete;
  ~PciFunction() {
    if (pdev_)
      shim_pci_disable(pdev_);
  }

  pci_dev* get() const { return pdev_; }
  ::device* device() const { return shim_pci_device(pdev_); }
  int node() const { return shim_pci_node(pdev_); }
  const char* name() const { return shim_pci_name(pdev_); }

 private:
  explicit PciFunction(pci_dev* pdev) : pdev_{pdev} {}

  pci_dev* pdev_;
};

// BAR 0, mapped. Offsets are the caller's to check against size().
class Bar {
 public:
  static Result<Bar> map(const PciFunction& function) {
    u64 size = 0;
    void* base = shim_mmio_map(function.get(), &size);
    if (!base)
      return Errno::kNoDevice;
    return Bar{function.get(), static_cast<u8*>(base), size};
  }
  Bar(Bar&& other)
      : pdev_{other.pdev_}, base_{exchange(other.base_, nullptr)}, size_{other.size_} {}
  Bar& operator=(Bar&&) = delete;
  ~Bar() {
    if (base_)
      shim_mmio_unmap(pdev_, base_);
  }

  u64 size() const { return size_; }
  u8* at(u64 offset) const { return base_ + offset; }
  u32 read32(u64 offset) const { return shim_read32(at(offset)); }
  u64 read64(u64 offset) const { return shim_read64(at(offset)); }
  void write32(u64 offset, u32 value) const { shim_write32(at(offset), value); }

 private:
  Bar(pci_dev* pdev, u8* base, u64 size) : pdev_{pdev}, base_{base}, size_{size} {}

  pci_dev* pdev_;
  u8* base_;
  u64 size_;
};

// The function's MSI-X vectors; all handlers must be gone before its end.
class MsixVectors {
 public:
  static Result<MsixVectors> allocate(const PciFunction& function, u32 minimum, u32 maximum) {
    const s32 count = shim_vectors_alloc(function.get(), minimum, maximum);
    if (count < 0)
      return Result<>::from_errno(count).error();
    return MsixVectors{function.get(), static_cast<u32>(count)};
  }
  MsixVectors() = default;
  MsixVectors(MsixVectors&& other) : pdev_{exchange(other.pdev_, nullptr)}, count_{other.count_} {}
  MsixVectors& operator=(MsixVectors&& other) {
    mana::swap(pdev_, other.pdev_);
    mana::swap(count_, other.count_);
    return *this;
  }
  ~MsixVectors() {
    if (pdev_)
      shim_vectors_free(pdev_);
  }

  u32 count() const { return count_; }

 private:
  MsixVectors(pci_dev* pdev, u32 count) : pdev_{pdev}, count_{count} {}

  pci_dev* pdev_ = nullptr;
  u32 count_ = 0;
};

}  // namespace mana::kern
