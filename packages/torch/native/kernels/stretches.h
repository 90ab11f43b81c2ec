// Work shared out between threads, always in the same way for a number of threads: sums come out the same to the bit.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace espalier {

// Splits `count` pieces of work into as many stretches as there are threads, the same ones in each run.
template <typename Body>
void in_stretches(int64_t count, int64_t threads, const Body& body) {
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) body(thread, count * thread / threads, count * (thread + 1) / threads);
  });
}

// About 0.2 ms on one core, in multiply-adds: to wake another one for less takes longer than it saves.
constexpr int64_t kLeastWork = int64_t{1} << 22;
// A value that is read from memory and little is done with, as so many multiply-adds.
constexpr int64_t kValueRead = 8;

// How many threads share `count` pieces of work, of so many multiply-adds together.
inline int64_t threads_for(int64_t count, int64_t work = kLeastWork) {
  return work < kLeastWork ? 1 : std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), count));
}

template <typename T>
const T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
}

}  // namespace espalier
