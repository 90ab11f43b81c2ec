#include "memory.h"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <torch/version.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace espalier {
namespace {

constexpr std::size_t kLine = 64;

#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
constexpr std::uintptr_t kHugePage = 2 << 20;
constexpr std::size_t kLarge = 1 << 20;

// Where the system leaves it to programs which memory has huge pages: what the heap has grown by since it was asked last. To
// touch a page for the first time takes microseconds, and a step touches a hundred thousand small ones.
void ask_for_huge_pages(std::uintptr_t block) {
  static std::atomic<std::uintptr_t> asked{0};
  std::uintptr_t before = asked.load(std::memory_order_relaxed);
  if (block < before) return;
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / kHugePage * kHugePage;
  // A block beyond the heap is one of a thread's own, or mapped by itself.
  if (block >= end || !asked.compare_exchange_strong(before, end)) return;
  const std::uintptr_t begin = before == 0 ? (block + kHugePage - 1) / kHugePage * kHugePage : before;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}
#endif

// The allocator of libtorch, but for what lies between blocks: posix_memalign of glibc before 2.38 cuts off what it does not
// need of a hole, and the next block of the same size does not fit into it any more.
class TensorMemory final : public c10::Allocator {
 public:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  c10::DataPtr allocate(std::size_t bytes) override { return take(bytes); }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }
#else
  c10::DataPtr allocate(std::size_t bytes) const override { return take(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &give_back_lines; }

 private:
  static c10::DataPtr take(std::size_t bytes) {
    void* const memory = bytes == 0 ? nullptr : take_lines(bytes);
    TORCH_CHECK(bytes == 0 || memory != nullptr, "not enough memory: there are no ", bytes, " bytes for a tensor");
    return {memory, memory, &give_back_lines, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

void* take_lines(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - kLine) return nullptr;
  char* const block = static_cast<char*>(std::malloc(bytes + kLine));
  if (block == nullptr) return nullptr;
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
  if (bytes >= kLarge) ask_for_huge_pages(reinterpret_cast<std::uintptr_t>(block));
#endif
  // Where the block begins stands in front of the first line, which leaves room for it.
  const auto first = (reinterpret_cast<std::uintptr_t>(block) + sizeof(void*) + kLine - 1) / kLine * kLine;
  void* const memory = reinterpret_cast<void*>(first);
  std::memcpy(static_cast<char*>(memory) - sizeof(void*), &block, sizeof(void*));
  return memory;
}

void give_back_lines(void* memory) {
  if (memory == nullptr) return;
  void* block;
  std::memcpy(&block, static_cast<char*>(memory) - sizeof(void*), sizeof(void*));
  std::free(block);
}

void keep_freed_memory() {
#ifdef __GLIBC__
  // glibc gives large blocks and the free end of the heap back to the system at once.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  // Room for huge pages ahead, which takes no memory before it is touched.
  mallopt(M_TOP_PAD, 64 << 20);
#endif
  static TensorMemory memory;
  static const bool set = (c10::SetCPUAllocator(&memory, 1), true);
  (void)set;
}

}  // namespace espalier
