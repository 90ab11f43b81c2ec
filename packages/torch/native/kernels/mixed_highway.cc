// The mixed operation of a node of a recurrent cell (DARTS, section 2.2 and A.1.2): highways from all earlier states, each to a
// weighted sum of activations of its product with the node's matrix.
#include <torch/library.h>

#include "gradient.h"
#include "loops.h"
#include "stretches.h"

namespace espalier {
namespace {

using at::Tensor;

constexpr int64_t kActivations = 4;

struct MixedHighwayBackward : KernelNode {
  SavedVariable states, products, weights;

  std::string name() const override { return "mixed_highway"; }

  void release_variables() override {
    states.reset_data();
    products.reset_data();
    weights.reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return gradient.scalar_type() == at::kFloat ? differentiate_as<float>(gradient) : differentiate_as<double>(gradient);
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Tensor state = states.unpack(), product = products.unpack(), weight = weights.unpack();
    const int64_t edges = state.size(0), rows = state.size(1), units = state.size(2);
    Tensor to_state = at::empty_like(state), to_product = at::empty_like(product), to_weight = at::zeros_like(weight);
    const int64_t threads = threads_for(rows);
    std::vector<std::vector<T>> sums(threads);
    in_stretches(rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
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
  in_stretches(rows, threads_for(rows), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t edge = 0; edge < edges; ++edge)
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = edge * rows + row;
        loops<T>().add_mixed_highway(units, states.data_ptr<T>() + at * units, products.data_ptr<T>() + at * 2 * units,
                                     weights.data_ptr<T>() + edge * kActivations, result.data_ptr<T>() + row * units);
      }
  });
  return result;
}

// states [edges, N, H], products [edges, N, 2H] (gates first), weights [edges, 4] of tanh, relu, sigmoid and identity: [N, H].
Tensor mixed_highway(const Tensor& states, const Tensor& products, const Tensor& weights) {
  const auto type = states.scalar_type();
  TORCH_CHECK(states.dim() == 3 && (type == at::kFloat || type == at::kDouble) && states.device().is_cpu(),
              "mixed_highway: the states are ", type, states.sizes(), " on ", states.device(),
              "; allowed: float32 or float64 [edges, N, H] on the CPU");
  TORCH_CHECK(products.sizes() == at::IntArrayRef({states.size(0), states.size(1), 2 * states.size(2)}) && products.scalar_type() == type &&
                  weights.sizes() == at::IntArrayRef({states.size(0), kActivations}) && weights.scalar_type() == type,
              "mixed_highway: for states ", states.sizes(), " the products are ", products.scalar_type(), products.sizes(), " and the weights ",
              weights.scalar_type(), weights.sizes(), "; allowed: [edges, N, 2H] and [edges, 4] of ", type);
  const std::vector<Tensor> inputs{states, products, weights};
  const bool recorded = is_recorded(inputs);
  Tensor held_states, held_products, held_weights;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    held_states = states.contiguous();
    held_products = products.contiguous();
    held_weights = weights.contiguous();
    outputs.push_back(type == at::kFloat ? run_forward<float>(held_states, held_products, held_weights)
                                         : run_forward<double>(held_states, held_products, held_weights));
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
