// Reverse-mode differentiation: libtorch's own engine, reached for several outputs and inputs at once.
#include "autograd.h"

#include <ATen/ATen.h>
#include <torch/csrc/api/include/torch/autograd.h>

#include "environment.h"

namespace espalier {
namespace {

std::vector<at::Tensor> tensors_of(const Arguments& arguments, size_t index) {
  HandleTable& table = Environment::of(arguments.env).tensors;
  if (is_nullish(arguments.env, arguments[index])) return {};
  return to_vector<at::Tensor>(arguments.env, arguments[index], [&](napi_env env, napi_value value) {
    return is_nullish(env, value) ? at::Tensor() : table.get(to_double(env, value));
  });
}

napi_value optional_tensors(const Arguments& arguments, const std::vector<at::Tensor>& tensors) {
  HandleTable& table = Environment::of(arguments.env).tensors;
  return array(arguments.env, tensors, [&](napi_env env, const at::Tensor& tensor) {
    return tensor.defined() ? number(env, table.add(tensor)) : null(env);
  });
}

}  // namespace

napi_value autograd_backward(const Arguments& arguments) {
  torch::autograd::backward(tensors_of(arguments, 0), tensors_of(arguments, 1), to_bool(arguments.env, arguments[2]),
                            to_bool(arguments.env, arguments[3]));
  return nullptr;
}

napi_value autograd_grad(const Arguments& arguments) {
  return optional_tensors(arguments, torch::autograd::grad(tensors_of(arguments, 0), tensors_of(arguments, 1), tensors_of(arguments, 2),
                                                           to_bool(arguments.env, arguments[3]), to_bool(arguments.env, arguments[4]),
                                                           to_bool(arguments.env, arguments[5])));
}

napi_value set_grad_enabled(const Arguments& arguments) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(to_bool(arguments.env, arguments[0]));
  return boolean(arguments.env, before);
}

napi_value requires_grad(const Arguments& arguments) {
  return boolean(arguments.env, tensors_of(arguments, 0).at(0).requires_grad());
}

napi_value set_requires_grad(const Arguments& arguments) {
  const bool required = to_bool(arguments.env, arguments[1]);
  for (at::Tensor& tensor : tensors_of(arguments, 0)) tensor.set_requires_grad(required);
  return nullptr;
}

napi_value is_leaf(const Arguments& arguments) { return boolean(arguments.env, tensors_of(arguments, 0).at(0).is_leaf()); }

napi_value gradients(const Arguments& arguments) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors_of(arguments, 0)) result.push_back(tensor.grad());
  return optional_tensors(arguments, result);
}

napi_value set_gradients(const Arguments& arguments) {
  const std::vector<at::Tensor> tensors = tensors_of(arguments, 0);
  const std::vector<at::Tensor> values = tensors_of(arguments, 1);
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].mutable_grad() = i < values.size() ? values[i] : at::Tensor();
  return nullptr;
}

}  // namespace espalier
