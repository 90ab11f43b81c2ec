// Cross entropy over a vocabulary, from logits. It never writes the log-probabilities of all tokens, of which it needs only
// the targets'.
#include <torch/library.h>

#include <cmath>

#include "arguments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"

namespace espalier {
namespace {

using at::Tensor;

struct CrossEntropyBackward final : KernelNode {
  SavedVariable logits, targets, greatest, log_sums;

  std::string name() const override { return "cross_entropy"; }

  void release() override {
    for (SavedVariable* variable : {&logits, &targets, &greatest, &log_sums}) variable->reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return for_type(gradients[0].scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients[0]); });
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Tensor values = logits.unpack(), right = targets.unpack(), most = greatest.unpack(), sums = log_sums.unpack();
    const int64_t rows = values.size(0), count = values.size(1);
    const Tensor result = at::empty_like(values);
    const T factor = gradient.item<T>() / static_cast<T>(rows);
    in_chunks(rows, threads_for(rows, rows * count * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        T* const to = result.data_ptr<T>() + row * count;
        loops<T>().softmax(count, values.data_ptr<T>() + row * count, most.data_ptr<T>()[row], factor * std::exp(-sums.data_ptr<T>()[row]), to);
        to[right.data_ptr<int64_t>()[row]] -= factor;
      }
    });
    return {result};
  }
};

// The mean over the rows of -log softmax(logits)[target], for logits [M, V] and targets [M] from 0 to V - 1.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  const auto type = check_values("logits", logits, 2, "[M, V]");
  const int64_t rows = logits.size(0), count = logits.size(1);
  TORCH_CHECK(rows > 0 && count > 0, "argument 'logits' is ", shown(logits), "; allowed: at least one row and one token");
  check_tensor("targets", targets, at::kLong, {rows});
  const std::vector<Tensor> inputs{logits};
  const bool recorded = is_recorded(inputs);
  Tensor held_logits, held_targets, greatest, log_sums;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    held_logits = row_major(logits);
    held_targets = row_major(targets);
    greatest = at::empty({rows}, logits.options());
    log_sums = at::empty({rows}, logits.options());
    const int64_t* const right = held_targets.data_ptr<int64_t>();
    for (int64_t row = 0; row < rows; ++row)
      TORCH_CHECK(right[row] >= 0 && right[row] < count, "target ", row, " is ", right[row], "; allowed: 0 to ", count - 1);
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      const T* const values = held_logits.data_ptr<T>();
      T* const most = greatest.data_ptr<T>();
      T* const sums = log_sums.data_ptr<T>();
      in_chunks(rows, threads_for(rows, rows * count * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) sums[row] = loops<T>().log_sum(count, values + row * count, most + row);
      });
      double total = 0;
      for (int64_t row = 0; row < rows; ++row)
        total += static_cast<double>(sums[row]) + static_cast<double>(most[row]) - static_cast<double>(values[row * count + right[row]]);
      outputs.push_back(at::full({}, total / static_cast<double>(rows), logits.options()));
    });
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
