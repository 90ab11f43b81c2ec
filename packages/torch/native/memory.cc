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

// Asks for huge pages in the part of the heap that is new since the last time, on systems where programs have to ask. The first touch
// of a page takes microseconds, and a training step touches a hundred thousand small ones.
void ask_for_huge_pages(std::uintptr_t block) {
  static std::atomic<std::uintptr_t> asked{0};
  std::uintptr_t before = asked.load(std::memory_order_relaxed);
  if (block < before) return;
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / kHugePage * kHugePage;
  // A block beyond the heap lies in a thread's own arena or in a mapping of its own.
  if (block >= end || !asked.compare_exchange_strong(before, end)) return;
  const std::uintptr_t begin = before == 0 ? (block + kHugePage - 1) / kHugePage * kHugePage : before;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}
#endif

// libtorch's own allocator calls posix_memalign. Before glibc 2.38, that trims the hole it allocates from, and the next block of the
// same size no longer fits.
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
    TORCH_CHECK(bytes == 0 || memory != nullptr, "not enough memory for a tensor of ", bytes, " bytes");
    return {memory, memory, &give_back_lines, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

#ifdef __SANITIZE_ADDRESS__

// AddressSanitizer sees an access behind the last byte only where the block ends there.
void* take_lines(std::size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, kLine, bytes) == 0 ? memory : nullptr;
}

void give_back_lines(void* memory) { std::free(memory); }

#else

void* take_lines(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - kLine) return nullptr;
  char* const block = static_cast<char*>(std::malloc(bytes + kLine));
  if (block == nullptr) return nullptr;
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
  if (bytes >= kLarge) ask_for_huge_pages(reinterpret_cast<std::uintptr_t>(block));
#endif
  // The address of the block is stored before the first line, where the alignment leaves room for it.
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

#endif

void keep_freed_memory() {
#ifdef __GLIBC__
  // By default glibc gives large blocks and the free end of the heap back to the system at once.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  // Grow the heap in steps with room for huge pages. They take no memory until they are touched.
  mallopt(M_TOP_PAD, 64 << 20);
#endif
  static TensorMemory memory;
  static const bool set = (c10::SetCPUAllocator(&memory, 1), true);
  (void)set;
}

}  // namespace espalier
