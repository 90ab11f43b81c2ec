// The mixed operation of a node of a recurrent cell (DARTS, sections 2.2 and A.1.2): a highway from each earlier state to a
// weighted sum of activations of that state's product with the node's matrix.
#include <torch/library.h>

#include "arguments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"

namespace espalier {
namespace {

using at::Tensor;

constexpr int64_t kActivations = 4;

struct MixedHighwayBackward final : KernelNode {
  SavedVariable states, products, weights;

  std::string name() const override { return "mixed_highway"; }

  void release() override {
    states.reset_data();
    products.reset_data();
    weights.reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return for_type(gradient.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradient); });
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Tensor state = states.unpack(), product = products.unpack(), weight = weights.unpack();
    const int64_t edges = state.size(0), rows = state.size(1), units = state.size(2);
    Tensor to_state = at::empty_like(state), to_product = at::empty_like(product), to_weight = at::zeros_like(weight);
    const int64_t threads = threads_for(rows);
    std::vector<std::vector<T>> sums(threads);
    in_chunks(rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
      std::vector<T>& own = sums[thread];
      own.resize(edges * kActivations * units);
      for (int64_t edge = 0; edge < edges; ++edge)
        for (int64_t row = begin; row < end; ++row) {
          const int64_t at = edge * rows + row;
          loops<T>().mixed_highway_gradient(units, gradient.data_ptr<T>() + row * units, state.data_ptr<T>() + at * units,
                                            product.data_ptr<T>() + at * 2 * units, weight.data_ptr<T>() + edge * kActivations,
                                            to_state.data_ptr<T>() + at * units, to_product.data_ptr<T>() + at * 2 * units,
                                            own.data() + edge * kActivations * units);
        }
    });
    for (int64_t place = 0; place < edges * kActivations; ++place) {
      double total = 0;
      for (const std::vector<T>& own : sums)
        for (int64_t i = 0; i < units; ++i) total += static_cast<double>(own[place * units + i]);
      to_weight.data_ptr<T>()[place] = static_cast<T>(total);
    }
    return {to_state, to_product, to_weight};
  }
};

template <typename T>
Tensor run_forward(const Tensor& states, const Tensor& products, const Tensor& weights) {
  const int64_t edges = states.size(0), rows = states.size(1), units = states.size(2);
  const Tensor result = at::zeros({rows, units}, states.options());
  in_chunks(rows, threads_for(rows), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t edge = 0; edge < edges; ++edge)
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = edge * rows + row;
        loops<T>().add_mixed_highway(units, states.data_ptr<T>() + at * units, products.data_ptr<T>() + at * 2 * units,
                                     weights.data_ptr<T>() + edge * kActivations, result.data_ptr<T>() + row * units);
      }
  });
  return result;
}

// states [edges, N, H], products [edges, N, 2H] with the gates first, weights [edges, 4] of tanh, relu, sigmoid and identity.
// Returns [N, H].
Tensor mixed_highway(const Tensor& states, const Tensor& products, const Tensor& weights) {
  const auto type = check_values("states", states, 3, "[edges, N, H]");
  check_tensor("products", products, type, {states.size(0), states.size(1), 2 * states.size(2)});
  check_tensor("weights", weights, type, {states.size(0), kActivations});
  const std::vector<Tensor> inputs{states, products, weights};
  const bool recorded = is_recorded(inputs);
  Tensor held_states, held_products, held_weights;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    held_states = row_major(states);
    held_products = row_major(products);
    held_weights = row_major(weights);
    outputs.push_back(for_type(type, [&](auto zero) { return run_forward<decltype(zero)>(held_states, held_products, held_weights); }));
  }
  if (recorded) {
    const auto node = make_node<MixedHighwayBackward>();
    attach(node, inputs, outputs);
    node->states = SavedVariable(held_states, false);
    node->products = SavedVariable(held_products, false);
    node->weights = SavedVariable(held_weights, false);
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("mixed_highway(Tensor states, Tensor products, Tensor weights) -> Tensor", mixed_highway);
}

}  // namespace espalier
