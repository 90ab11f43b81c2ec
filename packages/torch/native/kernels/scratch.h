// Memory of a kernel's own. A register of 64 bytes that is read across the border of two lines of the cache takes two reads,
// and the standard library's vectors begin anywhere: these begin at such a border.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace espalier {

template <typename T>
struct LineAllocator {
  using value_type = T;

  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, kLine); }

  bool operator==(const LineAllocator&) const { return true; }
  bool operator!=(const LineAllocator&) const { return false; }

 private:
  static constexpr std::align_val_t kLine{64};
};

template <typename T>
using Scratch = std::vector<T, LineAllocator<T>>;

}  // namespace espalier
