// Tensors from bytes and to bytes, their properties and their lifetime.
#include "tensors.h"

#include <ATen/ATen.h>

#include <cstring>

#include "environment.h"
#include "hollow.h"

namespace espalier {
namespace {

const at::Tensor& tensor_of(const Arguments& arguments, size_t index = 0) {
  return Environment::of(arguments.env).tensors.get(to_double(arguments.env, arguments[index]));
}

}  // namespace

napi_value tensor_from_bytes(const Arguments& arguments) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(arguments.env, napi_get_typedarray_info(arguments.env, arguments[0], &type, &length, &data, nullptr, nullptr), "a Uint8Array");
  if (type != napi_uint8_array) throw std::invalid_argument("expected a Uint8Array");
  const auto dtype = static_cast<at::ScalarType>(to_int(arguments.env, arguments[1]));
  const std::vector<int64_t> shape = to_ints(arguments.env, arguments[2]);
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(dtype));
  if (tensor.nbytes() != length) {
    std::ostringstream message;
    message << "a " << dtype << " tensor of shape " << at::IntArrayRef(shape) << " has " << tensor.nbytes() << " bytes, but "
            << length << " were given";
    throw std::invalid_argument(message.str());
  }
  if (length > 0) std::memcpy(tensor.data_ptr(), data, length);
  return number(arguments.env, Environment::of(arguments.env).tensors.add(std::move(tensor)));
}

napi_value tensor_to_bytes(const Arguments& arguments) {
  const at::Tensor tensor = tensor_of(arguments).detach().to(at::kCPU).resolve_neg().contiguous();
  void* data;
  napi_value buffer;
  check(arguments.env, napi_create_arraybuffer(arguments.env, tensor.nbytes(), &data, &buffer), "memory for the copy");
  if (tensor.nbytes() > 0) std::memcpy(data, tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

napi_value tensor_item(const Arguments& arguments) {
  const at::Scalar scalar = tensor_of(arguments).item();
  return number(arguments.env, scalar.isFloatingPoint() ? scalar.toDouble()
                               : scalar.isBoolean()     ? static_cast<double>(scalar.toBool())
                                                        : static_cast<double>(scalar.toLong()));
}

napi_value tensor_shape(const Arguments& arguments) { return numbers(arguments.env, tensor_of(arguments).sizes()); }

napi_value tensor_strides(const Arguments& arguments) { return numbers(arguments.env, tensor_of(arguments).strides()); }

napi_value tensor_dtype(const Arguments& arguments) {
  return number(arguments.env, static_cast<double>(tensor_of(arguments).scalar_type()));
}

napi_value tensor_device(const Arguments& arguments) { return string(arguments.env, tensor_of(arguments).device().str()); }

napi_value tensor_is_contiguous(const Arguments& arguments) {
  const auto format = static_cast<at::MemoryFormat>(to_int(arguments.env, arguments[1]));
  return boolean(arguments.env, tensor_of(arguments).is_contiguous(format));
}

napi_value tensor_storage(const Arguments& arguments) {
  const c10::Storage& storage = tensor_of(arguments).storage();
  const auto identity = reinterpret_cast<uintptr_t>(storage.unsafeGetStorageImpl());
  const double parts[] = {static_cast<double>(identity), static_cast<double>(storage.nbytes())};
  return array(arguments.env, c10::ArrayRef<double>(parts), number);
}

napi_value hollow_tensor(const Arguments& arguments) {
  hollow(tensor_of(arguments));
  return nullptr;
}

napi_value free_tensor(const Arguments& arguments) {
  Environment::of(arguments.env).tensors.free(to_double(arguments.env, arguments[0]));
  return nullptr;
}

napi_value keep_tensor(const Arguments& arguments) {
  Environment::of(arguments.env).tensors.keep(to_double(arguments.env, arguments[0]));
  return nullptr;
}

napi_value is_live(const Arguments& arguments) {
  return boolean(arguments.env, Environment::of(arguments.env).tensors.contains(to_double(arguments.env, arguments[0])));
}

napi_value live_tensors(const Arguments& arguments) {
  return number(arguments.env, static_cast<double>(Environment::of(arguments.env).tensors.live()));
}

napi_value enter_scope(const Arguments& arguments) {
  Environment::of(arguments.env).tensors.enter_scope();
  return nullptr;
}

napi_value leave_scope(const Arguments& arguments) {
  Environment::of(arguments.env).tensors.leave_scope(to_doubles(arguments.env, arguments[0]));
  return nullptr;
}

}  // namespace espalier
