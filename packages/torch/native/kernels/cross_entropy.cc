// Cross entropy over a vocabulary, from logits: the logarithms of all probabilities, which only the right token's is read of,
// are never written.
#include <torch/library.h>

#include <cmath>

#include "gradient.h"
#include "loops.h"
#include "stretches.h"

namespace espalier {
namespace {

using at::Tensor;

struct CrossEntropyBackward : KernelNode {
  SavedVariable logits, targets, greatest, log_sums;

  std::string name() const override { return "cross_entropy"; }

  void release_variables() override {
    for (SavedVariable* variable : {&logits, &targets, &greatest, &log_sums}) variable->reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return gradients[0].scalar_type() == at::kFloat ? differentiate_as<float>(gradients[0]) : differentiate_as<double>(gradients[0]);
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Tensor values = logits.unpack(), right = targets.unpack(), most = greatest.unpack(), sums = log_sums.unpack();
    const int64_t rows = values.size(0), count = values.size(1);
    const Tensor result = at::empty_like(values);
    const T factor = gradient.item<T>() / static_cast<T>(rows);
    in_stretches(rows, threads_for(rows, rows * count * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        T* const to = result.data_ptr<T>() + row * count;
        loops<T>().softmax(count, values.data_ptr<T>() + row * count, most.data_ptr<T>()[row], factor * std::exp(-sums.data_ptr<T>()[row]), to);
        to[right.data_ptr<int64_t>()[row]] -= factor;
      }
    });
    return {result};
  }
};

// logits [M, V], targets [M] below V: the mean over the rows of -log softmax(logits)[target].
Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  const auto type = logits.scalar_type();
  TORCH_CHECK(logits.dim() == 2 && logits.numel() > 0 && (type == at::kFloat || type == at::kDouble) && logits.device().is_cpu(),
              "cross_entropy: the logits are ", type, logits.sizes(), " on ", logits.device(), "; allowed: float32 or float64 [M, V] on the CPU, not empty");
  const int64_t rows = logits.size(0), count = logits.size(1);
  TORCH_CHECK(targets.sizes() == at::IntArrayRef({rows}) && targets.scalar_type() == at::kLong, "cross_entropy: for ", rows, " rows the targets are ",
              targets.scalar_type(), targets.sizes(), "; allowed: int64 [", rows, "]");
  const std::vector<Tensor> inputs{logits};
  const bool recorded = is_recorded(inputs);
  Tensor held_logits, held_targets, greatest, log_sums;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    held_logits = logits.contiguous();
    held_targets = targets.contiguous();
    greatest = at::empty({rows}, logits.options());
    log_sums = at::empty({rows}, logits.options());
    const int64_t* const right = held_targets.data_ptr<int64_t>();
    for (int64_t row = 0; row < rows; ++row)
      TORCH_CHECK(right[row] >= 0 && right[row] < count, "cross_entropy: target ", row, " is ", right[row], "; allowed: 0 to ", count - 1);
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      const T* const values = held_logits.data_ptr<T>();
      T* const most = greatest.data_ptr<T>();
      T* const sums = log_sums.data_ptr<T>();
      in_stretches(rows, threads_for(rows, rows * count * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) sums[row] = loops<T>().log_sum(count, values + row * count, most + row);
      });
      double total = 0;
      for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(sums[row]) + static_cast<double>(most[row]) - static_cast<double>(values[row * count + right[row]]);
      outputs.push_back(at::full({}, total / static_cast<double>(rows), logits.options()));
    };
    if (type == at::kFloat)
      run(0.0f);
    else
      run(0.0);
  }
  if (recorded) {
    const auto node = make_node<CrossEntropyBackward>();
    attach(node, inputs, outputs);
    node->logits = SavedVariable(held_logits, false);
    node->targets = SavedVariable(held_targets, false);
    node->greatest = SavedVariable(greatest, false);
    node->log_sums = SavedVariable(log_sums, false);
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) { library.def("cross_entropy(Tensor logits, Tensor targets) -> Tensor", cross_entropy); }

}  // namespace espalier
