// Divides the work of a kernel among threads. The division depends on nothing but the number of threads, so sums are the
// same to the bit in every run.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

namespace espalier {

// Calls body(thread, begin, end) for each thread's chunk of `count` items, for all threads at once.
template <typename Body>
void in_chunks(int64_t count, int64_t threads, const Body& body) {
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) body(thread, count * thread / threads, count * (thread + 1) / threads);
  });
}

// The fewest multiply-adds that are divided among threads: about 0.2 ms on one core. Waking a thread for less costs more
// time than the thread saves. Tests lower it, so that small tensors reach every thread.
inline std::atomic<int64_t> least_work{int64_t{1} << 22};

// The cost of a value that is read from memory and hardly computed with, in multiply-adds.
constexpr int64_t kValueRead = 8;

// The number of threads for `count` items.
inline int64_t threads_for(int64_t count) { return std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), count)); }

// The same for items that cost `work` multiply-adds together: one thread where that is too little to divide.
inline int64_t threads_for(int64_t count, int64_t work) { return work < least_work.load(std::memory_order_relaxed) ? 1 : threads_for(count); }

}  // namespace espalier
