// Reverse-mode differentiation by libtorch's engine, for several outputs and inputs at once.
#include "autograd.h"

#include <ATen/ATen.h>
#include <torch/csrc/api/include/torch/autograd.h>

#include <sstream>

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

void describe(std::ostream& out, const char* name, const std::vector<at::Tensor>& tensors) {
  out << name << "=[";
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (i > 0) out << ", ";
    if (tensors[i].defined())
      out << tensors[i].scalar_type() << tensors[i].sizes();
    else
      out << "undefined";
  }
  out << "]";
}

std::string explain(const char* function, const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& inputs,
                    const char* message) {
  std::ostringstream out;
  out << function << ": " << without_backtrace(message) << " (called with ";
  describe(out, "outputs", outputs);
  if (!inputs.empty()) describe(out, ", inputs", inputs);
  out << ")";
  return out.str();
}

// Runs libtorch's engine. Its errors get the name of the function and the shapes.
template <typename Differentiate>
auto differentiate(const char* function, const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& inputs,
                   Differentiate body) -> decltype(body()) {
  try {
    return body();
  } catch (const c10::Error& error) {
    throw std::runtime_error(explain(function, outputs, inputs, error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw std::runtime_error(explain(function, outputs, inputs, error.what()));
  }
}

}  // namespace

napi_value autograd_backward(const Arguments& arguments) {
  const std::vector<at::Tensor> outputs = tensors_of(arguments, 0);
  const std::vector<at::Tensor> gradients = tensors_of(arguments, 1);
  const bool retain_graph = to_bool(arguments.env, arguments[2]);
  const bool create_graph = to_bool(arguments.env, arguments[3]);
  differentiate("backward", outputs, {}, [&] { torch::autograd::backward(outputs, gradients, retain_graph, create_graph); });
  return nullptr;
}

napi_value autograd_grad(const Arguments& arguments) {
  const std::vector<at::Tensor> outputs = tensors_of(arguments, 0);
  const std::vector<at::Tensor> inputs = tensors_of(arguments, 1);
  const std::vector<at::Tensor> gradients = tensors_of(arguments, 2);
  const bool retain_graph = to_bool(arguments.env, arguments[3]);
  const bool create_graph = to_bool(arguments.env, arguments[4]);
  const bool allow_unused = to_bool(arguments.env, arguments[5]);
  return optional_tensors(arguments, differentiate("grad", outputs, inputs, [&] {
    return torch::autograd::grad(outputs, inputs, gradients, retain_graph, create_graph, allow_unused);
  }));
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
  // Other tensors have none, and libtorch warns when asked.
  for (const at::Tensor& tensor : tensors_of(arguments, 0))
    result.push_back(tensor.is_leaf() || tensor.retains_grad() ? tensor.grad() : at::Tensor());
  return optional_tensors(arguments, result);
}

napi_value set_gradients(const Arguments& arguments) {
  const std::vector<at::Tensor> tensors = tensors_of(arguments, 0);
  const std::vector<at::Tensor> values = tensors_of(arguments, 1);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor value = i < values.size() ? values[i] : at::Tensor();
    if (value.defined() && (value.sizes() != tensors[i].sizes() || value.scalar_type() != tensors[i].scalar_type())) {
      std::ostringstream message;
      message << "a gradient " << value.scalar_type() << value.sizes() << " does not fit its tensor "
              << tensors[i].scalar_type() << tensors[i].sizes();
      throw std::invalid_argument(message.str());
    }
    tensors[i].mutable_grad() = value;
  }
  return nullptr;
}

}  // namespace espalier
