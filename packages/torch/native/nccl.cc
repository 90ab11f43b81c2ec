// Collectives between GPUs, by libtorch's c10d with NCCL. Nobody has run this on a GPU yet.
#include "nccl.h"

#ifdef USE_C10D_GLOO

#include <stdexcept>

#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdlib>
#endif

namespace espalier {

#ifdef USE_C10D_NCCL

namespace {

class Nccl final : public BetweenGpus {
 public:
  Nccl(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size, std::chrono::milliseconds timeout) {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    // Both libraries write keys of their own into the store.
    const auto own = c10::make_intrusive<c10d::PrefixStore>("nccl", store);
    group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(own, static_cast<int>(rank), static_cast<int>(size), options);
  }

  void sum(at::Tensor& values) override {
    std::vector<at::Tensor> list{values};
    group_->allreduce(list)->wait();
  }

  void broadcast(at::Tensor& values, int64_t root) override {
    std::vector<at::Tensor> list{values};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    group_->broadcast(list, options)->wait();
  }

 private:
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

bool has_nccl() { return true; }

std::unique_ptr<BetweenGpus> join_nccl(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                                       std::chrono::milliseconds timeout) {
  // A wait lasts until the exchange is done and throws where another process is lost. Otherwise a thread of libtorch would end
  // this process. The second name is that of libtorch before 2.2.
  for (const char* name : {"TORCH_NCCL_BLOCKING_WAIT", "NCCL_BLOCKING_WAIT"}) setenv(name, "1", 0);
  return std::make_unique<Nccl>(store, rank, size, timeout);
}

#else

bool has_nccl() { return false; }

std::unique_ptr<BetweenGpus> join_nccl(const c10::intrusive_ptr<c10d::Store>&, int64_t, int64_t, std::chrono::milliseconds) {
  throw std::logic_error("this addon was built without NCCL");
}

#endif

}  // namespace espalier

#endif
