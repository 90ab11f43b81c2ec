// Checks the arguments of a kernel, once, where a call enters. Everything behind this door reads memory through raw
// pointers and relies on it. call.cc puts the operator's name before each message and the shapes of all arguments after it.
#pragma once

#include <ATen/ATen.h>

#include <sstream>
#include <string>
#include <vector>

namespace espalier {

// How a message shows a tensor: Float[2, 3].
inline std::string shown(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream out;
  out << tensor.scalar_type() << tensor.sizes();
  if (!tensor.device().is_cpu()) out << " on " << tensor.device();
  if (tensor.layout() != at::kStrided) out << ", " << tensor.layout();
  return out.str();
}

inline bool is_in_memory(const at::Tensor& tensor) { return tensor.defined() && tensor.device().is_cpu() && tensor.layout() == at::kStrided; }

// The tensor that decides the type of a call. `sizes` names its dimensions: "[N, C, H, W]".
inline at::ScalarType check_values(const char* name, const at::Tensor& tensor, int64_t dimensions, const char* sizes) {
  TORCH_CHECK(is_in_memory(tensor) && tensor.dim() == dimensions && (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble), "argument '",
              name, "' is ", shown(tensor), "; allowed: float32 or float64 ", sizes, " on the CPU");
  return tensor.scalar_type();
}

// A tensor of known type and sizes.
inline void check_tensor(const char* name, const at::Tensor& tensor, at::ScalarType type, at::IntArrayRef sizes) {
  TORCH_CHECK(is_in_memory(tensor) && tensor.scalar_type() == type && tensor.sizes() == sizes, "argument '", name, "' is ", shown(tensor), "; allowed: ",
              type, sizes, " on the CPU");
}

// One tensor of a list.
inline void check_item(const char* name, size_t index, const at::Tensor& tensor, at::ScalarType type, at::IntArrayRef sizes) {
  TORCH_CHECK(is_in_memory(tensor) && tensor.scalar_type() == type && tensor.sizes() == sizes, "argument '", name, "[", index, "]' is ", shown(tensor),
              "; allowed: ", type, sizes, " on the CPU");
}

inline void check_items(const char* name, at::TensorList tensors, at::ScalarType type, at::IntArrayRef sizes) {
  for (size_t i = 0; i < tensors.size(); ++i) check_item(name, i, tensors[i], type, sizes);
}

inline void check_between(const char* name, int64_t value, int64_t least, int64_t most) {
  TORCH_CHECK(value >= least && value <= most, "argument '", name, "' is ", value, "; allowed: ", least, " to ", most);
}

// More than any image's height or width, and small enough that sizes made of it fit into 64 bits.
constexpr int64_t kMostStep = (int64_t{1} << 31) - 1;

// The values of a checked tensor in the order in which kernels read them. Copies only where they lie in another order, or
// still have to be negated.
inline at::Tensor row_major(const at::Tensor& tensor) { return (tensor.is_neg() ? tensor.resolve_neg() : tensor).contiguous(); }
inline at::Tensor channels_last(const at::Tensor& tensor) {
  return (tensor.is_neg() ? tensor.resolve_neg() : tensor).contiguous(at::MemoryFormat::ChannelsLast);
}

// The same of several tensors, some of which may be undefined.
inline std::vector<at::Tensor> all_row_major(at::TensorList tensors) {
  std::vector<at::Tensor> result;
  result.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.defined() ? row_major(tensor) : tensor);
  return result;
}

// Calls body(T{}) for the type that check_values found.
template <typename Body>
auto for_type(at::ScalarType type, const Body& body) {
  return type == at::kFloat ? body(0.0f) : body(0.0);
}

template <typename T>
const T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
}

}  // namespace espalier
