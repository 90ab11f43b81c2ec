// How a kernel takes part in reverse-mode differentiation: a node of libtorch's graph that computes the gradients which
// the engine asks for.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <memory>
#include <vector>

namespace espalier {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

class KernelNode : public torch::autograd::Node {
 public:
  // Whether the engine wants the gradient of this input, counted as in the list given to `attach`.
  bool wants(size_t input) const { return task_should_compute_output(input); }

  bool wants_any(size_t first, size_t count) const {
    for (size_t i = first; i < first + count; ++i)
      if (wants(i)) return true;
    return false;
  }

  variable_list apply(variable_list&& gradients) final {
    TORCH_CHECK(!at::GradMode::is_enabled(), name(),
                ": kernels have first derivatives only; allowed: createGraph: false, or withoutKernels(...) around the forward pass");
    TORCH_CHECK(!released_, name(),
                ": the graph was differentiated before, which freed what it had saved; allowed: retainGraph: true in every call but the last");
    // A negation that libtorch has put off: kernels read what is in memory.
    for (at::Tensor& gradient : gradients)
      if (gradient.defined() && gradient.is_neg()) gradient = gradient.resolve_neg();
    return differentiate(std::move(gradients));
  }

  void release_variables() final {
    released_ = true;
    release();
  }

 private:
  virtual variable_list differentiate(variable_list&& gradients) = 0;
  // Frees the saved tensors.
  virtual void release() = 0;

  bool released_ = false;
};

// Whether the result of these inputs can be differentiated.
inline bool is_recorded(const std::vector<at::Tensor>& inputs) {
  return at::GradMode::is_enabled() && torch::autograd::any_variable_requires_grad(inputs);
}

// Makes `node` the origin of the outputs.
inline void attach(const std::shared_ptr<KernelNode>& node, const std::vector<at::Tensor>& inputs, std::vector<at::Tensor>& outputs) {
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  torch::autograd::set_history(outputs, node);
}

template <typename N>
std::shared_ptr<N> make_node() {
  return std::shared_ptr<N>(new N(), torch::autograd::deleteNode);
}

inline std::vector<SavedVariable> saved(at::TensorList tensors) {
  std::vector<SavedVariable> result;
  result.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) result.emplace_back(tensor, false);
  return result;
}

inline std::vector<at::Tensor> unpacked(const std::vector<SavedVariable>& variables) {
  std::vector<at::Tensor> result;
  result.reserve(variables.size());
  for (const SavedVariable& variable : variables) result.push_back(variable.unpack());
  return result;
}

using OptionalTensors = c10::List<c10::optional<at::Tensor>>;

// Missing tensors become undefined ones.
inline std::vector<at::Tensor> tensors_of(const OptionalTensors& list) {
  std::vector<at::Tensor> result;
  for (size_t i = 0; i < list.size(); ++i) {
    const c10::optional<at::Tensor> item = list.get(i);
    result.push_back(item.value_or(at::Tensor()));
  }
  return result;
}

}  // namespace espalier
