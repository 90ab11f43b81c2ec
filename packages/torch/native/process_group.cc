// Collectives over several processes, by libtorch's c10d: gloo, and NCCL between GPUs. A process is in one group at most.
#include "process_group.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "environment.h"
#include "kernels/whole_batch.h"
#include "nccl.h"

#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace espalier {

Processes* whole_batch = nullptr;

namespace {

using at::Tensor;

#ifdef USE_C10D_GLOO

c10::intrusive_ptr<c10d::Store> store;

c10d::Store& current_store() {
  if (!store) throw std::logic_error("no store is open");
  return *store;
}

// A store keeps its own limit, which is the longest that joining takes.
void open_file(const std::string& file, std::chrono::milliseconds timeout) {
  // A number of processes would have the last one delete the file, which is the caller's to do.
  store = c10::make_intrusive<c10d::FileStore>(file, -1);
  store->setTimeout(timeout);
}

// Libtorch from 2.4 on prefers libuv, which Debian's was built without; the older kind of store serves a few processes as well.
template <typename Options>
auto without_libuv(Options& options, int) -> decltype(options.useLibUV, void()) {
  options.useLibUV = false;
}
template <typename Options>
void without_libuv(Options&, long) {}

int64_t open_port(const std::string& host, int64_t port, bool serves, std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(port);
  options.isServer = serves;
  options.waitWorkers = false;
  options.timeout = timeout;
  without_libuv(options, 0);
  const auto opened = c10::make_intrusive<c10d::TCPStore>(host, options);
  store = opened;
  return opened->getPort();
}

class Group final : public Processes {
 public:
  Group(int64_t rank, int64_t size, const std::string& address, std::chrono::milliseconds timeout, const c10::Device& device) {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    options->threads = 1;
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, static_cast<int>(rank), static_cast<int>(size), options);
    if (each_has_a_gpu(device)) gpus_ = join_nccl(store, rank, size, timeout);
  }

  int64_t rank() const override { return gloo_->getRank(); }
  int64_t size() const override { return gloo_->getSize(); }

  // Whether tensors of a device are exchanged where they are; the others have to be on the CPU.
  bool carries(const c10::Device& device) const { return gpus_ != nullptr && device.is_cuda(); }

  void sum(Tensor& values) override {
    if (carries(values.device())) {
      between_gpus([&] { gpus_->sum(values); });
      return;
    }
    std::vector<Tensor> list{values};
    finish([&] { return gloo_->allreduce(list); });
  }

  void broadcast(Tensor& values, int64_t root) {
    if (carries(values.device())) {
      between_gpus([&] { gpus_->broadcast(values, root); });
      return;
    }
    std::vector<Tensor> list{values};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    finish([&] { return gloo_->broadcast(list, options); });
  }

  void barrier() {
    finish([&] { return gloo_->barrier(); });
  }

 private:
  // Whether all processes have a GPU, none of them the same one, and an addon with NCCL. All come to the same answer.
  bool each_has_a_gpu(const c10::Device& device) {
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    const int64_t own[] = {has_nccl() && device.is_cuda(), static_cast<int64_t>(std::hash<std::string>()(host)),
                           device.has_index() ? device.index() : 0};
    constexpr int64_t width = 3;
    Tensor table = at::zeros({size(), width}, at::TensorOptions().dtype(at::kLong));
    int64_t* const rows = table.data_ptr<int64_t>();
    std::copy(own, own + width, rows + rank() * width);
    sum(table);
    std::vector<std::pair<int64_t, int64_t>> gpus;
    for (int64_t row = 0; row < size(); ++row) {
      if (rows[row * width] == 0) return false;
      gpus.emplace_back(rows[row * width + 1], rows[row * width + 2]);
    }
    std::sort(gpus.begin(), gpus.end());
    return std::adjacent_find(gpus.begin(), gpus.end()) == gpus.end();
  }

  // A process that waits for a lost one in NCCL waits for the whole timeout; in gloo it knows at once.
  template <typename Exchange>
  void between_gpus(Exchange exchange) {
    barrier();
    explained(exchange);
  }

  template <typename Begin>
  static void finish(Begin begin) {
    explained([&] { begin()->wait(); });
  }

  // The libraries' own messages name a line of their code and a socket.
  template <typename Exchange>
  static void explained(Exchange exchange) {
    try {
      exchange();
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string("another process of the group has ended or is out of reach (") + error.what() + ")");
    }
  }

  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
  // Null: tensors on GPUs are exchanged through the host's memory.
  std::unique_ptr<BetweenGpus> gpus_;
};

#else

[[noreturn]] void refuse() {
  throw std::runtime_error("this libtorch has no collectives for several processes: it was built without gloo; "
                           "allowed: one process, or an addon that is built with another libtorch");
}

struct NoStore {
  void set(const std::string&, const std::vector<uint8_t>&) { refuse(); }
  bool check(const std::vector<std::string>&) { refuse(); }
};
NoStore& current_store() { refuse(); }
void open_file(const std::string&, std::chrono::milliseconds) { refuse(); }
int64_t open_port(const std::string&, int64_t, bool, std::chrono::milliseconds) { refuse(); }
NoStore* store = nullptr;

class Group final : public Processes {
 public:
  Group(int64_t, int64_t, const std::string&, std::chrono::milliseconds, const c10::Device&) { refuse(); }
  bool carries(const c10::Device&) const { refuse(); }
  int64_t rank() const override { refuse(); }
  int64_t size() const override { refuse(); }
  void sum(Tensor&) override { refuse(); }
  void broadcast(Tensor&, int64_t) { refuse(); }
  void barrier() { refuse(); }
};

#endif

std::unique_ptr<Group> group;

Group& current_group() {
  if (!group) throw std::logic_error("this process is in no group");
  return *group;
}

std::chrono::milliseconds to_milliseconds(const Arguments& arguments, size_t index) {
  return std::chrono::milliseconds(to_int(arguments.env, arguments[index]));
}

// What gloo computes with: it has no bfloat16.
at::ScalarType carried_as(at::ScalarType type) { return type == at::kBFloat16 ? at::kFloat : type; }

// Where the group exchanges the values of a tensor.
c10::Device exchanged_on(const Tensor& tensor) {
  return current_group().carries(tensor.device()) ? tensor.device() : c10::Device(at::kCPU);
}

// Does something in place with all values of each element type as one vector: a collective costs a round trip, however much
// it carries. That is on the CPU where the group does not exchange values where they are.
template <typename Collective>
void in_place(const Arguments& arguments, Collective collective) {
  at::NoGradGuard no_grad;
  // By element type, and whether they are on the CPU then.
  std::map<std::pair<at::ScalarType, bool>, std::vector<Tensor>> alike;
  for (const double handle : to_doubles(arguments.env, arguments[0])) {
    const Tensor tensor = Environment::of(arguments.env).tensors.get(handle).detach();
    if (tensor.numel() > 0) alike[{tensor.scalar_type(), exchanged_on(tensor).is_cpu()}].push_back(tensor);
  }
  for (auto& [kind, tensors] : alike) {
    std::vector<Tensor> parts;
    for (const Tensor& tensor : tensors)
      parts.push_back(tensor.to(exchanged_on(tensor), carried_as(kind.first)).reshape(-1));
    Tensor values = at::cat(parts);
    collective(values);
    int64_t from = 0;
    for (Tensor& tensor : tensors) {
      tensor.copy_(values.slice(0, from, from + tensor.numel()).view(tensor.sizes()));
      from += tensor.numel();
    }
  }
}

struct AllReduce : torch::autograd::Function<AllReduce> {
  static Tensor forward(torch::autograd::AutogradContext*, const Tensor& values) {
    Tensor summed = values.detach().to(exchanged_on(values)).clone(at::MemoryFormat::Contiguous);
    current_group().sum(summed);
    return summed.to(values.device());
  }

  // Each process's values are in the sums of all of them.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list gradients) {
    return {apply(gradients[0])};
  }
};

// The sums of the values over all processes. They can be differentiated: the gradient of the sum of all processes' losses.
Tensor differentiable_all_reduce(const Tensor& values) { return AllReduce::apply(values); }

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("all_reduce(Tensor values) -> Tensor", differentiable_all_reduce);
}

}  // namespace

napi_value open_store(const Arguments& arguments) {
  if (store) throw std::logic_error("a store is open already");
  if (is_nullish(arguments.env, arguments[0]))
    return number(arguments.env, static_cast<double>(open_port(to_string(arguments.env, arguments[1]), to_int(arguments.env, arguments[2]),
                                                               to_bool(arguments.env, arguments[3]), to_milliseconds(arguments, 4))));
  open_file(to_string(arguments.env, arguments[0]), to_milliseconds(arguments, 4));
  return number(arguments.env, 0);
}

napi_value store_set(const Arguments& arguments) {
  const std::string text = to_string(arguments.env, arguments[1]);
  current_store().set(to_string(arguments.env, arguments[0]), std::vector<uint8_t>(text.begin(), text.end()));
  return nullptr;
}

napi_value store_has(const Arguments& arguments) {
  return boolean(arguments.env, current_store().check(to_vector<std::string>(arguments.env, arguments[0], to_string)));
}

napi_value join_group(const Arguments& arguments) {
  current_store();
  if (group) throw std::logic_error("this process is in a group already");
  group = std::make_unique<Group>(to_int(arguments.env, arguments[0]), to_int(arguments.env, arguments[1]),
                                  to_string(arguments.env, arguments[2]), to_milliseconds(arguments, 3),
                                  c10::Device(to_string(arguments.env, arguments[4])));
  return string(arguments.env, group->carries(c10::Device(at::kCUDA)) ? "nccl" : "gloo");
}

napi_value leave_group(const Arguments&) {
  whole_batch = nullptr;
  group.reset();
  store = {};
  return nullptr;
}

napi_value all_reduce(const Arguments& arguments) {
  in_place(arguments, [](Tensor& values) { current_group().sum(values); });
  return nullptr;
}

napi_value broadcast(const Arguments& arguments) {
  const int64_t root = to_int(arguments.env, arguments[1]);
  in_place(arguments, [&](Tensor& values) { current_group().broadcast(values, root); });
  return nullptr;
}

napi_value barrier(const Arguments&) {
  current_group().barrier();
  return nullptr;
}

napi_value synchronise_norms(const Arguments& arguments) {
  const bool before = whole_batch != nullptr;
  whole_batch = to_bool(arguments.env, arguments[0]) ? &current_group() : nullptr;
  return boolean(arguments.env, before);
}

}  // namespace espalier
