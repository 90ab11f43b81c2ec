#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <functional>
#include <memory>

#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace espalier {

// What exchanges tensors between GPUs, without the host's memory. Its processes call it at the same time.
class BetweenGpus {
 public:
  virtual ~BetweenGpus() = default;
  virtual void sum(at::Tensor& values) = 0;
  virtual void broadcast(at::Tensor& values, int64_t root) = 0;
};

// Whether this libtorch has NCCL, and the addon was built with its headers.
bool has_nccl();
// Of all processes of a group, each with a GPU of its own. Throws where has_nccl() is false.
std::unique_ptr<BetweenGpus> join_nccl(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                                       std::chrono::milliseconds timeout);

}  // namespace espalier
#endif
