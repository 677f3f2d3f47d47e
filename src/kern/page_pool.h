// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/page_pool.h"

namespace mana::kern {

// A pool of pages that are mapped for one queue. Pages still held by the stack or by XDP outlive
// the owner; the kernel's pool waits for them.
class PagePool {
 public:
  static Result<PagePool> create(const shim_page_pool_config& config) {
    page_pool* pool = nullptr;
    const s32 code = shim_page_pool_create(&config, &pool);
    if (code < 0)
      return Result<>::from_errno(code).error();
    return PagePool{pool};
  }
  PagePool() = default;
  PagePool(PagePool&& other) : pool_{exchange(other.pool_, nullptr)} {}
  PagePool& operator=(PagePool&& other) {
    mana::swap(pool_, other.pool_);
    return *this;
  }
  ~PagePool() {
    if (pool_)
      shim_page_pool_destroy(pool_);
  }

  page_pool* get() const { return pool_; }
  explicit operator bool() const { return pool_ != nullptr; }

  page* allocate() const { return shim_page_pool_alloc(pool_); }
  void put(page* page) const { shim_page_pool_put(pool_, page); }
  void recycle_direct(page* page) const { shim_page_pool_recycle_direct(pool_, page); }
  void add_stats(shim_page_pool_stats& stats) const { shim_page_pool_add_stats(pool_, &stats); }
  u32 pages_taken() const { return shim_page_pool_taken(pool_); }
  u32 pages_released() const { return shim_page_pool_released(pool_); }

 private:
  explicit PagePool(page_pool* pool) : pool_{pool} {}

  page_pool* pool_ = nullptr;
};

}  // namespace mana::kern
