// SPDX-License-Identifier: GPL-2.0
// Owners of kernel memory. Allocation is explicit, takes a NUMA node and may fail; everything here
// is for process context (GFP_KERNEL).
#pragma once

#include "base/new.h"
#include "base/result.h"
#include "base/span.h"
#include "base/utility.h"
#include "shim/memory.h"

namespace mana::kern {

inline constexpr int kAnyNode = -1;

// One object on the heap, destroyed and freed with its owner.
template <typename T>
class Box {
 public:
  Box() = default;
  Box(Box&& other) : object_{exchange(other.object_, nullptr)} {}
  Box& operator=(Box&& other) {
    Box old{mana::move(*this)};
    object_ = exchange(other.object_, nullptr);
    return *this;
  }
  ~Box() {
    if (object_) {
      object_->~T();
      shim_free(object_);
    }
  }

  template <typename... Arguments>
  static Result<Box> create(int node, Arguments&&... arguments) {
    void* place = shim_alloc(sizeof(T), node);
    if (!place)
      return Errno::kNoMemory;
    return Box{::new (place) T(forward<Arguments>(arguments)...)};
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

  // Gives the object up without destroying it: adopt() is its only way back.
  [[nodiscard]] T* release() { return exchange(object_, nullptr); }
  static Box adopt(T* object) { return Box{object}; }

 private:
  explicit Box(T* object) : object_{object} {}

  T* object_ = nullptr;
};

// A fixed number of value-initialised elements.
template <typename T>
class Array {
 public:
  Array() = default;
  Array(Array&& other)
      : elements_{exchange(other.elements_, nullptr)}, size_{exchange(other.size_, 0u)} {}
  Array& operator=(Array&& other) {
    mana::swap(elements_, other.elements_);
    mana::swap(size_, other.size_);
    return *this;
  }
  ~Array() {
    for (u32 i = size_; i-- > 0;)
      elements_[i].~T();
    shim_free(elements_);
  }

  static Result<Array> create(u32 size, int node) {
    Array array;
    if (size == 0)
      return array;
    array.elements_ = static_cast<T*>(shim_alloc(size_t{size} * sizeof(T), node));
    if (!array.elements_)
      return Errno::kNoMemory;
    for (; array.size_ < size; array.size_++)
      ::new (static_cast<void*>(&array.elements_[array.size_])) T();
    return array;
  }

  // Gives trivial elements up; shim_free() is theirs.
  [[nodiscard]] T* release() {
    size_ = 0;
    return exchange(elements_, nullptr);
  }

  u32 size() const { return size_; }
  T* data() const { return elements_; }
  T* begin() const { return elements_; }
  T* end() const { return elements_ + size_; }
  T& operator[](u32 index) const { return elements_[index]; }
  operator Span<T>() const { return {elements_, size_}; }

 private:
  T* elements_ = nullptr;
  u32 size_ = 0;
};

}  // namespace mana::kern
