// The state of the whole process: the random generators, the number of threads, libtorch itself.
#include "process.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "kernels/chunks.h"
#include "kernels/loops.h"

namespace espalier {
namespace {

// The generator of a device. libtorch finds that of a GPU, so this compiles without CUDA's headers.
at::Generator generator_of(const Arguments& arguments, size_t index) {
  return at::globalContext().defaultGenerator(at::Device(to_string(arguments.env, arguments[index])));
}

}  // namespace

napi_value manual_seed(const Arguments& arguments) {
  // This seeds the generator of every device.
  at::manual_seed(static_cast<uint64_t>(to_int(arguments.env, arguments[0])));
  return nullptr;
}

napi_value generator_state(const Arguments& arguments) {
  at::Generator generator = generator_of(arguments, 0);
  std::lock_guard<std::mutex> lock(generator.mutex());
  const at::Tensor state = generator.get_state();
  void* data;
  napi_value buffer;
  check(arguments.env, napi_create_arraybuffer(arguments.env, state.nbytes(), &data, &buffer), "memory for the state");
  std::memcpy(data, state.data_ptr(), state.nbytes());
  return buffer;
}

napi_value set_generator_state(const Arguments& arguments) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(arguments.env, napi_get_typedarray_info(arguments.env, arguments[0], &type, &length, &data, nullptr, nullptr), "a Uint8Array");
  if (type != napi_uint8_array) throw std::invalid_argument("expected a Uint8Array");
  at::Tensor state = at::empty({static_cast<int64_t>(length)}, at::TensorOptions().dtype(at::kByte));
  std::memcpy(state.data_ptr(), data, length);
  at::Generator generator = generator_of(arguments, 1);
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
  return nullptr;
}

napi_value threads(const Arguments& arguments) { return number(arguments.env, at::get_num_threads()); }

napi_value set_threads(const Arguments& arguments) {
  // Where the system refuses a thread, OpenMP ends the process.
  const int64_t most = std::max<int64_t>(64, std::thread::hardware_concurrency());
  const int64_t count = to_int(arguments.env, arguments[0]);
  if (count < 1 || count > most)
    throw std::invalid_argument("the number of threads is " + std::to_string(count) + "; allowed: 1 to " + std::to_string(most));
  at::set_num_threads(static_cast<int>(count));
  // Debian's libtorch multiplies matrices with an OpenBLAS that has threads of its own, which libtorch does not inform.
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(static_cast<int>(count));
  return nullptr;
}

napi_value set_least_work(const Arguments& arguments) {
  const int64_t work = to_int(arguments.env, arguments[0]);
  if (work < 0) throw std::invalid_argument("the least work of several threads is " + std::to_string(work) + "; allowed: 0 or more multiply-adds");
  return number(arguments.env, static_cast<double>(least_work.exchange(work)));
}

napi_value version(const Arguments& arguments) { return string(arguments.env, TORCH_VERSION); }

napi_value instruction_set_name(const Arguments& arguments) { return string(arguments.env, instruction_set()); }

napi_value configuration(const Arguments& arguments) { return string(arguments.env, at::show_config()); }

}  // namespace espalier
