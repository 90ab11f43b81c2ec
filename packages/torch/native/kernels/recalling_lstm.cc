// An LSTM of several layers that reads its own earlier outputs (the controller of Zoph & Le 2016, sections 3.1 and 3.3): one
// step is too little work for calls of its own.
#include <torch/library.h>

#include <algorithm>

#include "arguments.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

// The weights of a layer: weight_ih [4H, H], weight_hh [4H, H], bias_ih [4H], bias_hh [4H].
constexpr int64_t kPerLayer = 4;

struct Size {
  int64_t times, rows, units, layers;

  int64_t state() const { return rows * units; }
  int64_t gates() const { return 4 * rows * units; }
};

// Everything from the forward pass that the backward pass needs.
struct Forward {
  Tensor read;     // the inputs of the first layer, [T, B, H]
  Tensor gates;    // activated, [layers, T, B, 4H]
  Tensor cells;    // [layers, T, B, H]
  Tensor hiddens;  // [layers, T, B, H]
};

// A weight [4H, H] in panels: transposed for the forward pass, as it is for the backward pass.
template <typename T>
Scratch<T> packed(const Size& size, const Tensor& weight, bool transposed) {
  const int64_t k = transposed ? size.units : 4 * size.units, n = transposed ? 4 * size.units : size.units;
  Scratch<T> result(k * (n + kPanel<T>));
  loops<T>().pack_panels(weight.data_ptr<T>(), transposed ? 1 : size.units, transposed ? size.units : 1, k, n, result.data());
  return result;
}

template <typename T>
Forward run_forward(const Size& size, const Tensor& given, const Tensor& recalled, const std::vector<Tensor>& weights) {
  const Loops<T>& loop = loops<T>();
  const int64_t units = size.units, rows = size.rows, times = size.times;
  Forward forward{given.clone(), at::empty({size.layers, times, rows, 4 * units}, given.options()), at::empty({size.layers, times, rows, units}, given.options()),
                at::empty({size.layers, times, rows, units}, given.options())};
  std::vector<Scratch<T>> of_input, of_hidden, bias;
  for (int64_t layer = 0; layer < size.layers; ++layer) {
    const Tensor* const own = &weights[layer * kPerLayer];
    of_input.push_back(packed<T>(size, own[0], true));
    of_hidden.push_back(packed<T>(size, own[1], true));
    bias.emplace_back(own[2].data_ptr<T>(), own[2].data_ptr<T>() + 4 * units);
    for (int64_t i = 0; i < 4 * units; ++i) bias.back()[i] += own[3].data_ptr<T>()[i];
  }
  const Scratch<T> nothing(units);
  T* const read = forward.read.data_ptr<T>();
  const T* const outputs = forward.hiddens.data_ptr<T>() + (size.layers - 1) * times * size.state();
  for (int64_t time = 0; time < times; ++time) {
    for (int64_t row = 0; row < rows; ++row) {
      const T* const shares = recalled.data_ptr<T>() + (time * rows + row) * times;
      T* const to = read + (time * rows + row) * units;
      for (int64_t earlier = 0; earlier < time; ++earlier) {
        if (shares[earlier] == 0) continue;
        const T* const from = outputs + (earlier * rows + row) * units;
        for (int64_t i = 0; i < units; ++i) to[i] += shares[earlier] * from[i];
      }
    }
    const T* input = read + time * size.state();
    for (int64_t layer = 0; layer < size.layers; ++layer) {
      const int64_t at = layer * times + time;
      T* const gates = forward.gates.data_ptr<T>() + at * size.gates();
      T* const cell = forward.cells.data_ptr<T>() + at * size.state();
      T* const hidden = forward.hiddens.data_ptr<T>() + at * size.state();
      loop.panel_product(input, units, of_input[layer].data(), bias[layer].data(), 0, gates, 4 * units, rows, units, 4 * units);
      if (time > 0)
        loop.panel_product(hidden - size.state(), units, of_hidden[layer].data(), gates, 4 * units, gates, 4 * units, rows, units, 4 * units);
      for (int64_t row = 0; row < rows; ++row)
        loop.lstm_step(units, gates + row * 4 * units, time > 0 ? cell - size.state() + row * units : nothing.data(), cell + row * units, hidden + row * units);
      input = hidden;
    }
  }
  return forward;
}

struct RecallingLstmBackward final : KernelNode {
  Size size;
  SavedVariable recalled, read, gates, cells, hiddens;
  std::vector<SavedVariable> weights;

  std::string name() const override { return "recalling_lstm"; }

  void release() override {
    for (SavedVariable* variable : {&recalled, &read, &gates, &cells, &hiddens}) variable->reset_data();
    weights.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return for_type(gradient.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradient); });
  }

  // The inputs are given and recalled, then the weights.
  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    constexpr size_t kWeightsAt = 2;
    const Loops<T>& loop = loops<T>();
    const int64_t units = size.units, rows = size.rows, times = size.times;
    const Tensor shares = recalled.unpack(), all_read = read.unpack(), all_gates = gates.unpack(), all_cells = cells.unpack(), all_hiddens = hiddens.unpack();
    const std::vector<Tensor> weight = unpacked(weights);
    std::vector<Scratch<T>> to_input, to_hidden;
    for (int64_t layer = 0; layer < size.layers; ++layer) {
      to_input.push_back(packed<T>(size, weight[layer * kPerLayer], false));
      to_hidden.push_back(packed<T>(size, weight[layer * kPerLayer + 1], false));
    }
    Tensor to_given = at::empty_like(all_read), to_outputs = gradient.clone(), to_gates = at::empty_like(all_gates);
    // The gradients of each layer's states that come from the following step.
    Scratch<T> to_states(size.layers * size.state()), to_cells(size.layers * size.state());
    const Scratch<T> nothing(units);
    for (int64_t time = times - 1; time >= 0; --time) {
      // The gradient of a layer's output: from the layer above; of the last layer, from the caller and from later steps that recalled it.
      const T* above = to_outputs.data_ptr<T>() + time * size.state();
      T* const given = to_given.data_ptr<T>() + time * size.state();
      for (int64_t layer = size.layers - 1; layer >= 0; --layer) {
        const int64_t at = layer * times + time;
        const T* const own_gates = all_gates.data_ptr<T>() + at * size.gates();
        const T* const cell = all_cells.data_ptr<T>() + at * size.state();
        T* const to_own_gates = to_gates.data_ptr<T>() + at * size.gates();
        T* const state = to_states.data() + layer * size.state();
        T* const to_cell = to_cells.data() + layer * size.state();
        for (int64_t i = 0; i < size.state(); ++i) state[i] += above[i];
        for (int64_t row = 0; row < rows; ++row)
          loop.lstm_step_gradient(units, state + row * units, own_gates + row * 4 * units, time > 0 ? cell - size.state() + row * units : nothing.data(),
                                  cell + row * units, to_cell + row * units, to_own_gates + row * 4 * units);
        loop.panel_product(to_own_gates, 4 * units, to_hidden[layer].data(), nullptr, 0, state, units, rows, 4 * units, units);
        loop.panel_product(to_own_gates, 4 * units, to_input[layer].data(), nullptr, 0, given, units, rows, 4 * units, units);
        above = given;
      }
      for (int64_t row = 0; row < rows; ++row) {
        const T* const own_shares = shares.data_ptr<T>() + (time * rows + row) * times;
        for (int64_t earlier = 0; earlier < time; ++earlier) {
          if (own_shares[earlier] == 0) continue;
          T* const to = to_outputs.data_ptr<T>() + (earlier * rows + row) * units;
          for (int64_t i = 0; i < units; ++i) to[i] += own_shares[earlier] * given[row * units + i];
        }
      }
    }
    variable_list result(kWeightsAt + weight.size());
    result[0] = to_given;
    const auto flat = [](const Tensor& tensor, int64_t from, int64_t count) { return tensor.narrow(0, from, count).flatten(0, 1); };
    for (int64_t layer = 0; layer < size.layers; ++layer) {
      const size_t place = kWeightsAt + layer * kPerLayer;
      if (!wants_any(place, kPerLayer)) continue;
      const Tensor own = to_gates[layer];
      result[place] = flat(own, 0, times).t().mm(flat(layer == 0 ? all_read : all_hiddens[layer - 1], 0, times));
      result[place + 1] = times > 1 ? flat(own, 1, times - 1).t().mm(flat(all_hiddens[layer], 0, times - 1)) : at::zeros_like(weight[layer * kPerLayer + 1]);
      result[place + 2] = own.sum(at::IntArrayRef{0, 1});
      result[place + 3] = result[place + 2].clone();
    }
    return result;
  }
};

// given [T, B, H], recalled [T, B, T] (it gets no gradient), four weights for each layer. Returns the outputs of the last layer,
// [T, B, H].
Tensor recalling_lstm(const Tensor& given, const Tensor& recalled, TensorList weights) {
  const auto type = check_values("given", given, 3, "[T, B, H]");
  TORCH_CHECK(given.numel() > 0, "argument 'given' is ", shown(given), "; allowed: at least one step, row and unit");
  const Size size{given.size(0), given.size(1), given.size(2), static_cast<int64_t>(weights.size()) / kPerLayer};
  TORCH_CHECK(size.layers > 0 && static_cast<int64_t>(weights.size()) == size.layers * kPerLayer, "there are ", weights.size(),
              " weights; allowed: 4 for each layer");
  check_tensor("recalled", recalled, type, {size.times, size.rows, size.times});
  TORCH_CHECK(!recalled.requires_grad(), "argument 'recalled' requires a gradient; allowed: a tensor without one");
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::vector<int64_t> matrix{4 * size.units, size.units}, bias{4 * size.units};
    check_item("weights", i, weights[i], type, i % kPerLayer < 2 ? matrix : bias);
  }
  std::vector<Tensor> inputs{given, recalled};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  const bool recorded = is_recorded(inputs);
  Forward forward;
  std::vector<Tensor> held_weights;
  Tensor held_recalled;
  std::vector<Tensor> results;
  {
    at::NoGradGuard guard;
    held_weights = all_row_major(weights);
    held_recalled = row_major(recalled);
    const Tensor held_given = row_major(given);
    forward = for_type(type, [&](auto zero) { return run_forward<decltype(zero)>(size, held_given, held_recalled, held_weights); });
    results.push_back(forward.hiddens[size.layers - 1].clone());
  }
  if (recorded) {
    const auto node = make_node<RecallingLstmBackward>();
    attach(node, inputs, results);
    node->size = size;
    node->recalled = SavedVariable(held_recalled, false);
    node->read = SavedVariable(forward.read, false);
    node->gates = SavedVariable(forward.gates, false);
    node->cells = SavedVariable(forward.cells, false);
    node->hiddens = SavedVariable(forward.hiddens, false);
    node->weights = saved(held_weights);
  }
  return results[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) { library.def("recalling_lstm(Tensor given, Tensor recalled, Tensor[] weights) -> Tensor", recalling_lstm); }

}  // namespace espalier
