// The continuous relaxation of all recurrent cells (DARTS, sections 2.2 and A.1.2) over one BPTT length: one step is too little
// work for a call of its own.
#include <torch/library.h>

#include <algorithm>
#include <cmath>

#include "arguments.h"
#include "batch_moments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;
using c10::optional;

constexpr int64_t kActivations = 4;

// The sizes of a call. Node i reads the states 0 to i and produces state i + 1.
struct Recurrence {
  int64_t times, rows, units, nodes;

  int64_t edges() const { return first_edge(nodes); }
  // Of a state [rows, units] and of a product [rows, 2 units].
  int64_t state_size() const { return rows * units; }
  int64_t product_size() const { return 2 * rows * units; }
  static int64_t first_edge(int64_t node) { return node * (node + 1) / 2; }
};

// The mixture weights of the first state, whose activation is tanh.
template <typename T>
constexpr T kTanhAlone[kActivations] = {1, 0, 0, 0};

// Everything from the forward pass that the backward pass needs.
struct Forward {
  Tensor outputs;   // [T, N, H]
  Tensor states;    // after batch norm, [T, nodes + 1, N, H]
  Tensor inverse;   // 1 / sqrt(variance + epsilon) of each state's batch norm, [T, nodes + 1, H]
  Tensor products;  // of the first state, then of the edges, [T, edges + 1, N, 2H]
};

// The matrices, or their transposes, in panels.
template <typename T>
std::vector<Scratch<T>> packed(const Recurrence& r, const std::vector<Tensor>& matrices, bool transposed) {
  const int64_t k = transposed ? 2 * r.units : r.units, n = transposed ? r.units : 2 * r.units;
  std::vector<Scratch<T>> result(matrices.size());
  in_chunks(static_cast<int64_t>(matrices.size()), threads_for(static_cast<int64_t>(matrices.size())), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      result[i].resize(k * (n + kPanel<T>));
      const T* const from = matrices[i].data_ptr<T>();
      loops<T>().pack_panels(from, transposed ? 1 : 2 * r.units, transposed ? 2 * r.units : 1, k, n, result[i].data());
    }
  });
  return result;
}

// Batch norm of one state, without scale and shift. It updates the running statistics.
struct StateNorm {
  Tensor mean, variance;
  double momentum, epsilon;

  template <typename T>
  void run(const Recurrence& r, const T* values, T* normalised, T* inverse) const {
    Scratch<T> middle(r.units), squares(r.units), constant(r.units);
    loops<T>().moments(values, r.units, r.rows, r.units, middle.data(), squares.data());
    const T share = static_cast<T>(momentum);
    T* const running_mean = mean.data_ptr<T>();
    T* const running_variance = variance.data_ptr<T>();
    const int64_t mean_step = mean.stride(0), variance_step = variance.stride(0);
    for (int64_t i = 0; i < r.units; ++i) {
      inverse[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(squares[i]) / static_cast<double>(r.rows) + epsilon));
      constant[i] = -middle[i] * inverse[i];
      running_mean[i * mean_step] += share * (middle[i] - running_mean[i * mean_step]);
      running_variance[i * variance_step] += share * (squares[i] / static_cast<T>(r.rows - 1) - running_variance[i * variance_step]);
    }
    const T* const terms[] = {values};
    const int64_t steps[] = {r.units};
    loops<T>().mix(r.rows, r.units, 1, terms, steps, inverse, constant.data(), normalised);
  }

  // From the gradient of the normalised values to that of the values (Ioffe & Szegedy 2015, section 3).
  template <typename T>
  static void differentiate(const Recurrence& r, const T* gradient, const T* normalised, const T* inverse, T* to) {
    Scratch<T> products(r.units), sums(r.units), factors(2 * r.units, T(1));
    loops<T>().unmix(r.rows, r.units, gradient, normalised, r.units, factors.data(), nullptr, false, products.data());
    loops<T>().add_sums(r.rows, r.units, gradient, sums.data());
    for (int64_t i = 0; i < r.units; ++i) {
      factors[i] = inverse[i];
      factors[r.units + i] = -inverse[i] * products[i] / static_cast<T>(r.rows);
      sums[i] *= -inverse[i] / static_cast<T>(r.rows);
    }
    const T* const terms[] = {gradient, normalised};
    const int64_t steps[] = {r.units, r.units};
    loops<T>().mix(r.rows, r.units, 2, terms, steps, factors.data(), sums.data(), to);
  }
};

// Products of some rows of several states with one matrix. left(state) points to the rows of a state, to(state) to the rows of its
// product, which have `width` values. Each panel of the matrix serves all states while it is in the second-level cache.
template <typename T, typename Left, typename To>
void multiply_states(const Left& left, int64_t states, const Scratch<T>& matrix, const To& to, int64_t rows, int64_t units, int64_t width) {
  for (int64_t column = 0; column < width; column += kPanel<T>)
    for (int64_t state = 0; state < states; ++state)
      loops<T>().panel_product(left(state), units, matrix.data() + column * units, nullptr, 0, to(state) + column, width, rows, units,
                               std::min(kPanel<T>, width - column));
}

// The rows of a state that a product reads: masked ones, written to `scratch`, or the state's own.
template <typename T>
const T* masked_rows(const Recurrence& r, const T* state, const T* mask, int64_t begin, int64_t end, T* scratch) {
  const int64_t at = begin * r.units;
  if (mask == nullptr) return state + at;
  loops<T>().mask((end - begin) * r.units, state + at, mask + at, scratch + at);
  return scratch + at;
}

template <typename T>
Forward run_forward(const Recurrence& r, const Tensor& read, const Tensor& initial, const Tensor& mask, const std::vector<Tensor>& matrices,
                   const Tensor& weights, const StateNorm& norm) {
  const Loops<T>& loop = loops<T>();
  Forward forward{at::empty({r.times, r.rows, r.units}, read.options()), at::empty({r.times, r.nodes + 1, r.rows, r.units}, read.options()),
                at::empty({r.times, r.nodes + 1, r.units}, read.options()),
                at::empty({r.times, r.edges() + 1, r.rows, 2 * r.units}, read.options())};
  const std::vector<Scratch<T>> panels = packed<T>(r, matrices, false);
  const T* const factors = data_or_null<T>(mask);
  const T* const weight = weights.data_ptr<T>();
  const int64_t size = r.state_size(), width = 2 * r.units;
  Scratch<T> masked(r.nodes * size), sum(size), nothing(r.units);
  const Scratch<T> shares(r.nodes * r.units, static_cast<T>(1) / static_cast<T>(r.nodes));
  const int64_t threads = threads_for(r.rows);
  const T* before = initial.data_ptr<T>();
  for (int64_t time = 0; time < r.times; ++time) {
    T* const states = forward.states.data_ptr<T>() + time * (r.nodes + 1) * size;
    T* const inverse = forward.inverse.data_ptr<T>() + time * (r.nodes + 1) * r.units;
    T* const products = forward.products.data_ptr<T>() + time * (r.edges() + 1) * r.product_size();
    const T* const given = read.data_ptr<T>() + time * r.product_size();
    in_chunks(r.rows, threads, [&](int64_t, int64_t begin, int64_t end) {
      const T* const left = masked_rows(r, before, factors, begin, end, masked.data());
      loop.panel_product(left, r.units, panels[0].data(), given + begin * width, width, products + begin * width, width, end - begin, r.units, width);
      std::fill(sum.begin() + begin * r.units, sum.begin() + end * r.units, T(0));
      for (int64_t row = begin; row < end; ++row)
        loop.add_mixed_highway(r.units, before + row * r.units, products + row * width, kTanhAlone<T>, sum.data() + row * r.units);
    });
    norm.run<T>(r, sum.data(), states, inverse);
    for (int64_t node = 0; node < r.nodes; ++node) {
      const int64_t first = Recurrence::first_edge(node);
      in_chunks(r.rows, threads, [&](int64_t, int64_t begin, int64_t end) {
        masked_rows(r, states + node * size, factors, begin, end, masked.data() + node * size);
        std::fill(sum.begin() + begin * r.units, sum.begin() + end * r.units, T(0));
        const T* const left = (factors == nullptr ? states : masked.data()) + begin * r.units;
        T* const of_edges = products + (1 + first) * r.product_size();
        multiply_states<T>([&](int64_t edge) { return left + edge * size; }, node + 1, panels[1 + node],
                           [&](int64_t edge) { return of_edges + edge * r.product_size() + begin * width; }, end - begin, r.units, width);
        for (int64_t edge = 0; edge <= node; ++edge)
          for (int64_t row = begin; row < end; ++row)
            loop.add_mixed_highway(r.units, states + edge * size + row * r.units, of_edges + edge * r.product_size() + row * width,
                                   weight + (first + edge) * kActivations, sum.data() + row * r.units);
      });
      norm.run<T>(r, sum.data(), states + (node + 1) * size, inverse + (node + 1) * r.units);
    }
    // The output of the cell is the mean of its nodes.
    T* const out = forward.outputs.data_ptr<T>() + time * size;
    std::vector<const T*> terms;
    for (int64_t node = 1; node <= r.nodes; ++node) terms.push_back(states + node * size);
    const std::vector<int64_t> steps(r.nodes, r.units);
    loop.mix(r.rows, r.units, r.nodes, terms.data(), steps.data(), shares.data(), nothing.data(), out);
    before = out;
  }
  return forward;
}

struct MixedRecurrenceBackward final : KernelNode {
  Recurrence recurrence;
  SavedVariable initial, mask, weights, outputs, states, inverse, products;
  std::vector<SavedVariable> matrices;

  std::string name() const override { return "mixed_recurrence"; }

  void release() override {
    for (SavedVariable* variable : {&initial, &mask, &weights, &outputs, &states, &inverse, &products}) variable->reset_data();
    matrices.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return for_type(gradient.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradient); });
  }

  // The inputs are read, initial, mask and weights, then the matrices.
  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Recurrence& r = recurrence;
    const Loops<T>& loop = loops<T>();
    constexpr size_t kMixingAt = 3, kMatricesAt = 4;
    const Tensor start = initial.unpack(), factor = mask.unpack(), weight = weights.unpack();
    const Tensor all_outputs = outputs.unpack(shared_from_this()), all_states = states.unpack(), all_inverse = inverse.unpack(), all_products = products.unpack();
    const std::vector<Tensor> matrix = unpacked(matrices);
    const std::vector<Scratch<T>> panels = packed<T>(r, matrix, true);
    const T* const factors = data_or_null<T>(factor);
    const T* const mixing = weight.data_ptr<T>();
    const int64_t size = r.state_size(), width = 2 * r.units;
    const bool to_mixing = wants(kMixingAt), to_matrices = wants_any(kMatricesAt, matrix.size());

    Tensor to_read = at::empty({r.times, r.rows, width}, gradient.options()), to_initial = at::empty_like(start);
    variable_list to_matrix(matrix.size());
    if (to_matrices)
      for (size_t i = 0; i < matrix.size(); ++i) to_matrix[i] = at::zeros_like(matrix[i]);
    Scratch<T> to_states((r.nodes + 1) * size), through(size), carried(size), masked((r.nodes + 1) * size), to_products(r.edges() * r.product_size());
    Scratch<T> nothing(r.units);
    const Scratch<T> shares(2 * r.units, static_cast<T>(1) / static_cast<T>(r.nodes));
    std::vector<double> totals(r.edges() * kActivations);
    const int64_t threads = threads_for(r.rows);
    std::vector<Scratch<T>> sums(threads), scratch(threads);
    // For some rows of the edges into a node: the gradients of their states, directly and through the product's matrix and mask.
    const auto differentiate_edges = [&](int64_t thread, int64_t begin, int64_t end, int64_t edges, const T* states_of, const T* products_of, const T* own_weights,
                                         const Scratch<T>& transposed, T* to_products_of, T* weight_sums, T* to_states_of) {
      const int64_t part = (end - begin) * r.units;
      T* const direct = scratch[thread].data();
      T* const from_products = direct + edges * part;
      for (int64_t edge = 0; edge < edges; ++edge)
        for (int64_t row = begin; row < end; ++row)
          loop.mixed_highway_gradient(r.units, through.data() + row * r.units, states_of + edge * size + row * r.units,
                                      products_of + edge * r.product_size() + row * width, own_weights + edge * kActivations,
                                      direct + edge * part + (row - begin) * r.units, to_products_of + edge * r.product_size() + row * width,
                                      weight_sums == nullptr ? nullptr : weight_sums + edge * kActivations * r.units);
      multiply_states<T>([&](int64_t edge) { return to_products_of + edge * r.product_size() + begin * width; }, edges, transposed,
                         [&](int64_t edge) { return from_products + edge * part; }, end - begin, width, r.units);
      for (int64_t edge = 0; edge < edges; ++edge)
        loop.add_masked(part, direct + edge * part, from_products + edge * part, factors == nullptr ? nullptr : factors + begin * r.units,
                        to_states_of + edge * size + begin * r.units);
    };

    for (int64_t time = r.times - 1; time >= 0; --time) {
      const T* const before = time == 0 ? start.data_ptr<T>() : all_outputs.data_ptr<T>() + (time - 1) * size;
      const T* const own_states = all_states.data_ptr<T>() + time * (r.nodes + 1) * size;
      const T* const own_inverse = all_inverse.data_ptr<T>() + time * (r.nodes + 1) * r.units;
      const T* const own_products = all_products.data_ptr<T>() + time * (r.edges() + 1) * r.product_size();
      T* const to_first = to_read.data_ptr<T>() + time * r.product_size();
      in_chunks(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
        if (to_mixing) sums[thread].assign(r.edges() * kActivations * r.units, T(0));
        scratch[thread].resize(2 * r.nodes * (end - begin) * r.units);
        const int64_t at = begin * r.units;
        std::fill_n(to_states.begin() + at, (end - begin) * r.units, T(0));
        // Each node has an equal share of the output, which the next step reads as well.
        const T* const terms[] = {gradient.data_ptr<T>() + time * size + at, carried.data() + at};
        const int64_t steps[] = {r.units, r.units};
        for (int64_t node = 1; node <= r.nodes; ++node)
          loop.mix(end - begin, r.units, 2, terms, steps, shares.data(), nothing.data(), to_states.data() + node * size + at);
        if (to_matrices && factors != nullptr) {
          masked_rows(r, before, factors, begin, end, masked.data());
          for (int64_t state = 0; state < r.nodes; ++state)
            masked_rows(r, own_states + state * size, factors, begin, end, masked.data() + (1 + state) * size);
        }
      });
      for (int64_t node = r.nodes - 1; node >= 0; --node) {
        const int64_t first = Recurrence::first_edge(node);
        StateNorm::differentiate<T>(r, to_states.data() + (node + 1) * size, own_states + (node + 1) * size, own_inverse + (node + 1) * r.units, through.data());
        in_chunks(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
          differentiate_edges(thread, begin, end, node + 1, own_states, own_products + (1 + first) * r.product_size(), mixing + first * kActivations,
                              panels[1 + node], to_products.data() + first * r.product_size(),
                              to_mixing ? sums[thread].data() + first * kActivations * r.units : nullptr, to_states.data());
        });
      }
      StateNorm::differentiate<T>(r, to_states.data(), own_states, own_inverse, through.data());
      in_chunks(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
        std::fill_n(carried.begin() + begin * r.units, (end - begin) * r.units, T(0));
        differentiate_edges(thread, begin, end, 1, before, own_products, kTanhAlone<T>, panels[0], to_first, nullptr, carried.data());
      });
      for (size_t place = 0; to_mixing && place < totals.size(); ++place)
        for (const Scratch<T>& own : sums)
          for (int64_t i = 0; i < r.units; ++i) totals[place] += static_cast<double>(own[place * r.units + i]);
      if (!to_matrices) continue;
      // Each thread computes some rows of every matrix, so threads have no sums to add up.
      in_chunks(r.units, threads_for(r.units), [&](int64_t, int64_t begin, int64_t end) {
        const auto add = [&](const T* left, const T* slopes, int64_t rows, const Tensor& to) {
          // As many at once as stay in the first-level cache.
          constexpr int64_t kBlock = 128;
          for (int64_t row = 0; row < rows; row += kBlock)
            loop.add_outer_products(left + row * r.units + begin, r.units, slopes + row * width, width, to.data_ptr<T>() + begin * width,
                                    std::min(kBlock, rows - row), end - begin, width);
        };
        add(factors == nullptr ? before : masked.data(), to_first, r.rows, to_matrix[0]);
        for (int64_t node = 0; node < r.nodes; ++node)
          add(factors == nullptr ? own_states : masked.data() + size, to_products.data() + Recurrence::first_edge(node) * r.product_size(),
              (node + 1) * r.rows, to_matrix[1 + node]);
      });
    }
    std::copy(carried.begin(), carried.end(), to_initial.data_ptr<T>());
    Tensor to_weights;
    if (to_mixing) {
      to_weights = at::empty_like(weight);
      for (size_t place = 0; place < totals.size(); ++place) to_weights.template data_ptr<T>()[place] = static_cast<T>(totals[place]);
    }
    variable_list result{to_read, to_initial, Tensor(), to_weights};
    result.insert(result.end(), to_matrix.begin(), to_matrix.end());
    return result;
  }
};

// read [T, N, 2H], initial [N, H], mask [N, H] (a factor of the states that products read; it gets no gradient), weights
// [edges, 4], matrices [H, 2H] of the first state and of each node, running mean, variance and number of batches of the batch
// norm. Returns [T, N, H].
Tensor mixed_recurrence(const Tensor& read, const Tensor& initial, const optional<Tensor>& given_mask, const Tensor& weights, TensorList matrices,
                        TensorList running, double momentum, double epsilon) {
  const auto type = check_values("read", read, 3, "[T, N, 2H]");
  const int64_t units = read.size(2) / 2, nodes = static_cast<int64_t>(matrices.size()) - 1;
  const Recurrence r{read.size(0), read.size(1), units, nodes};
  TORCH_CHECK(units > 0 && read.size(2) % 2 == 0, "argument 'read' is ", shown(read), "; allowed: an even number of columns, at least 2");
  TORCH_CHECK(r.times > 0 && nodes > 0, r.times, " steps of ", nodes, " nodes; allowed: at least 1 of each");
  check_population(r.rows);
  const Tensor mask = given_mask.value_or(Tensor());
  check_tensor("initial", initial, type, {r.rows, units});
  if (mask.defined()) {
    check_tensor("mask", mask, type, {r.rows, units});
    TORCH_CHECK(!mask.requires_grad(), "argument 'mask' requires a gradient; allowed: a tensor without one");
  }
  check_tensor("weights", weights, type, {r.edges(), kActivations});
  check_items("matrices", matrices, type, {units, 2 * units});
  TORCH_CHECK(running.size() == 3, "there are ", running.size(), " running statistics; allowed: mean, variance and number of batches");
  check_running(running[0], running[1], running[2], type, units);
  std::vector<Tensor> inputs{read, initial, mask, weights};
  inputs.insert(inputs.end(), matrices.begin(), matrices.end());
  const bool recorded = is_recorded(inputs);
  Forward forward;
  Tensor held_initial, held_mask, held_weights;
  std::vector<Tensor> held_matrices;
  {
    at::NoGradGuard guard;
    held_initial = row_major(initial);
    held_weights = row_major(weights);
    held_matrices = all_row_major(matrices);
    if (mask.defined()) held_mask = row_major(mask);
    const StateNorm norm{running[0], running[1], momentum, epsilon};
    const Tensor held_read = row_major(read);
    forward = for_type(type, [&](auto zero) {
      return run_forward<decltype(zero)>(r, held_read, held_initial, held_mask, held_matrices, held_weights, norm);
    });
    *running[2].data_ptr<int64_t>() += r.times * (nodes + 1);
  }
  std::vector<Tensor> results{forward.outputs};
  if (recorded) {
    const auto node = make_node<MixedRecurrenceBackward>();
    attach(node, inputs, results);
    node->recurrence = r;
    node->initial = SavedVariable(held_initial, false);
    node->mask = SavedVariable(held_mask, false);
    node->weights = SavedVariable(held_weights, false);
    node->outputs = SavedVariable(results[0], true);
    node->states = SavedVariable(forward.states, false);
    node->inverse = SavedVariable(forward.inverse, false);
    node->products = SavedVariable(forward.products, false);
    node->matrices = saved(held_matrices);
  }
  return results[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def(
      "mixed_recurrence(Tensor read, Tensor initial, Tensor? mask, Tensor weights, Tensor[] matrices, Tensor[] running, float momentum, "
      "float epsilon) -> Tensor",
      mixed_recurrence);
}

}  // namespace espalier
