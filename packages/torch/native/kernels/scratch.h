// Memory of a kernel's own, aligned to lines of the cache. A register of 64 bytes that straddles two lines takes two reads, and
// the standard library aligns its vectors to 16 bytes.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "../memory.h"

namespace espalier {

template <typename T>
struct LineAllocator {
  using value_type = T;

  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) {}

  T* allocate(std::size_t count) {
    void* const memory = take_lines(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { give_back_lines(memory); }

  bool operator==(const LineAllocator&) const { return true; }
  bool operator!=(const LineAllocator&) const { return false; }
};

template <typename T>
using Scratch = std::vector<T, LineAllocator<T>>;

}  // namespace espalier
