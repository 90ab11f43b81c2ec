// Tensors from files and into files.
#include "files.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "environment.h"

namespace espalier {
namespace {

// Linux moves at most 2^31 - 4096 bytes in one call.
constexpr size_t kMostAtOnce = size_t{1} << 30;

// Calls move(bytes done, bytes to move) until `bytes` have moved.
template <typename Move>
void move_all(size_t bytes, const char* action, const Move& move) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t moved = move(done, std::min(bytes - done, kMostAtOnce));
    if (moved < 0 && errno == EINTR) continue;
    if (moved <= 0)
      throw std::runtime_error(std::string(action) + " stopped after " + std::to_string(done) + " of " + std::to_string(bytes) +
                               " bytes: " + (moved < 0 ? std::strerror(errno) : "the file ends there"));
    done += static_cast<size_t>(moved);
  }
}

}  // namespace

napi_value read_tensor(const Arguments& arguments) {
  const int file = static_cast<int>(to_int(arguments.env, arguments[0]));
  const int64_t position = to_int(arguments.env, arguments[1]);
  const auto dtype = static_cast<at::ScalarType>(to_int(arguments.env, arguments[2]));
  at::Tensor tensor = at::empty(to_ints(arguments.env, arguments[3]), at::TensorOptions().dtype(dtype));
  char* const memory = static_cast<char*>(tensor.data_ptr());
  move_all(tensor.nbytes(), "reading a tensor", [&](size_t done, size_t count) {
    return pread(file, memory + done, count, static_cast<off_t>(position + static_cast<int64_t>(done)));
  });
  return number(arguments.env, Environment::of(arguments.env).tensors.add(std::move(tensor)));
}

napi_value write_tensor(const Arguments& arguments) {
  const int file = static_cast<int>(to_int(arguments.env, arguments[0]));
  const at::Tensor& given = Environment::of(arguments.env).tensors.get(to_double(arguments.env, arguments[1]));
  const at::Tensor tensor = given.detach().to(at::kCPU).resolve_neg().contiguous();
  const char* const memory = static_cast<const char*>(tensor.data_ptr());
  move_all(tensor.nbytes(), "writing a tensor", [&](size_t done, size_t count) { return write(file, memory + done, count); });
  return number(arguments.env, static_cast<double>(tensor.nbytes()));
}

}  // namespace espalier
