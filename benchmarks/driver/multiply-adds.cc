// Prints the rate of fused multiply-adds that never leave the registers, in GFLOP/s: the limit of float32 arithmetic on this machine,
// whatever BLAS libtorch has. The argument is the number of threads. Compile with -O3 -march=native -pthread.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));

// Enough independent sums to hide the latency of a multiply-add, few enough for 16 registers.
constexpr int kSums = 12;
constexpr long kRounds = 20'000'000;

float work() {
  Vector sums[kSums], factor, term;
  for (int i = 0; i < kSums; ++i) sums[i] = Vector{} + static_cast<float>(i);
  factor = Vector{} + 0.5f;
  term = Vector{} + 1.0f;
  // The compiler must not know the factors, or it computes the sums itself.
  asm volatile("" : "+m"(factor), "+m"(term));
  const Vector by = factor, plus = term;
  for (long round = 0; round < kRounds; ++round)
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * by + plus;
  Vector total = {};
  for (const Vector& sum : sums) total += sum;
  return total[0];
}

int main(int, char** arguments) {
  const int threads = std::atoi(arguments[1]);
  double best = 0;
  volatile float kept = 0;
  for (int tries = 0; tries < 3; ++tries) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> all;
    for (int thread = 0; thread < threads; ++thread) all.emplace_back([&kept] { kept = work(); });
    for (std::thread& thread : all) thread.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double lanes = kBytes / sizeof(float);
    best = std::max(best, 2 * lanes * kSums * kRounds * threads / seconds / 1e9);
  }
  std::printf("%f\n", best);
}
