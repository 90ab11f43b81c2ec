// A stretch of text through the continuous relaxation of all recurrent cells (DARTS, section 2.2 and A.1.2): what happens
// between two times is too small for a call of its own.
#include <torch/library.h>

#include <algorithm>
#include <cmath>

#include "gradient.h"
#include "loops.h"
#include "scratch.h"
#include "stretches.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;
using c10::optional;

constexpr int64_t kActivations = 4;

// The sizes of a call. Node i reads the states 0 to i and makes state i + 1.
struct Recurrence {
  int64_t times, rows, units, nodes;

  int64_t edges() const { return first_edge(nodes); }
  // A state [rows, units], and a product [rows, 2 units].
  int64_t state_size() const { return rows * units; }
  int64_t product_size() const { return 2 * rows * units; }
  static int64_t first_edge(int64_t node) { return node * (node + 1) / 2; }
};

// The activation of the first state, as weights.
template <typename T>
constexpr T kTanhAlone[kActivations] = {1, 0, 0, 0};

// Everything that the gradient needs of the way forward.
struct Course {
  Tensor outputs;   // [T, N, H]
  Tensor states;    // after batch norm, [T, nodes + 1, N, H]
  Tensor inverse;   // 1 / sqrt(variance + epsilon) of each state's batch norm, [T, nodes + 1, H]
  Tensor products;  // that of the first state, then those of the edges, [T, edges + 1, N, 2H]
};

// The matrices in panels, or the transposed ones.
template <typename T>
std::vector<Scratch<T>> packed(const Recurrence& r, const std::vector<Tensor>& matrices, bool transposed) {
  const int64_t k = transposed ? 2 * r.units : r.units, n = transposed ? r.units : 2 * r.units;
  std::vector<Scratch<T>> result(matrices.size());
  in_stretches(static_cast<int64_t>(matrices.size()), threads_for(static_cast<int64_t>(matrices.size())), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      result[i].resize(k * (n + kPanel<T>));
      const T* const from = matrices[i].data_ptr<T>();
      loops<T>().pack_panels(from, transposed ? 1 : 2 * r.units, transposed ? 2 * r.units : 1, k, n, result[i].data());
    }
  });
  return result;
}

// Batch norm without scale and shift of one state, whose running statistics follow.
struct StateNorm {
  Tensor mean, variance;
  double momentum, epsilon;

  template <typename T>
  void run(const Recurrence& r, const T* values, T* normalised, T* inverse) const {
    Scratch<T> middle(r.units), squares(r.units), constant(r.units);
    loops<T>().moments(values, r.units, r.rows, r.units, middle.data(), squares.data());
    const T share = static_cast<T>(momentum);
    T* const kept_mean = mean.data_ptr<T>();
    T* const kept_variance = variance.data_ptr<T>();
    for (int64_t i = 0; i < r.units; ++i) {
      inverse[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(squares[i]) / static_cast<double>(r.rows) + epsilon));
      constant[i] = -middle[i] * inverse[i];
      kept_mean[i] += share * (middle[i] - kept_mean[i]);
      kept_variance[i] += share * (squares[i] / static_cast<T>(r.rows - 1) - kept_variance[i]);
    }
    const T* const terms[] = {values};
    const int64_t steps[] = {r.units};
    loops<T>().mix(r.rows, r.units, 1, terms, steps, inverse, constant.data(), normalised);
  }

  // The gradient of the values from that of the normalised ones (Ioffe & Szegedy 2015, section 3).
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

// Products of some rows of several states with one matrix: `left(state)` begins the rows of a state, `to(state)` those of its
// product, `width` values each. Each panel of the matrix serves all states while it is in the second cache.
template <typename T, typename Left, typename To>
void multiply_states(const Left& left, int64_t states, const Scratch<T>& matrix, const To& to, int64_t rows, int64_t units, int64_t width) {
  for (int64_t column = 0; column < width; column += kPanel<T>)
    for (int64_t state = 0; state < states; ++state)
      loops<T>().panel_product(left(state), units, matrix.data() + column * units, nullptr, 0, to(state) + column, width, rows, units,
                               std::min(kPanel<T>, width - column));
}

// What a product reads of some rows of a state: the masked ones, written to `scratch`, or the state's own.
template <typename T>
const T* masked_rows(const Recurrence& r, const T* state, const T* mask, int64_t begin, int64_t end, T* scratch) {
  const int64_t at = begin * r.units;
  if (mask == nullptr) return state + at;
  loops<T>().mask((end - begin) * r.units, state + at, mask + at, scratch + at);
  return scratch + at;
}

template <typename T>
Course run_forward(const Recurrence& r, const Tensor& read, const Tensor& initial, const Tensor& mask, const std::vector<Tensor>& matrices,
                   const Tensor& weights, const StateNorm& norm) {
  const Loops<T>& loop = loops<T>();
  Course course{at::empty({r.times, r.rows, r.units}, read.options()), at::empty({r.times, r.nodes + 1, r.rows, r.units}, read.options()),
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
    T* const states = course.states.data_ptr<T>() + time * (r.nodes + 1) * size;
    T* const inverse = course.inverse.data_ptr<T>() + time * (r.nodes + 1) * r.units;
    T* const products = course.products.data_ptr<T>() + time * (r.edges() + 1) * r.product_size();
    const T* const given = read.data_ptr<T>() + time * r.product_size();
    in_stretches(r.rows, threads, [&](int64_t, int64_t begin, int64_t end) {
      const T* const left = masked_rows(r, before, factors, begin, end, masked.data());
      loop.panel_product(left, r.units, panels[0].data(), given + begin * width, width, products + begin * width, width, end - begin, r.units, width);
      std::fill(sum.begin() + begin * r.units, sum.begin() + end * r.units, T(0));
      for (int64_t row = begin; row < end; ++row)
        loop.add_mixed_highway(r.units, before + row * r.units, products + row * width, kTanhAlone<T>, sum.data() + row * r.units);
    });
    norm.run<T>(r, sum.data(), states, inverse);
    for (int64_t node = 0; node < r.nodes; ++node) {
      const int64_t first = Recurrence::first_edge(node);
      in_stretches(r.rows, threads, [&](int64_t, int64_t begin, int64_t end) {
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
    // The cell gives out the mean of its nodes.
    T* const out = course.outputs.data_ptr<T>() + time * size;
    std::vector<const T*> terms;
    for (int64_t node = 1; node <= r.nodes; ++node) terms.push_back(states + node * size);
    const std::vector<int64_t> steps(r.nodes, r.units);
    loop.mix(r.rows, r.units, r.nodes, terms.data(), steps.data(), shares.data(), nothing.data(), out);
    before = out;
  }
  return course;
}

struct MixedRecurrenceBackward : KernelNode {
  Recurrence recurrence;
  SavedVariable initial, mask, weights, outputs, states, inverse, products;
  std::vector<SavedVariable> matrices;

  std::string name() const override { return "mixed_recurrence"; }

  void release_variables() override {
    for (SavedVariable* variable : {&initial, &mask, &weights, &outputs, &states, &inverse, &products}) variable->reset_data();
    matrices.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return gradient.scalar_type() == at::kFloat ? differentiate_as<float>(gradient) : differentiate_as<double>(gradient);
  }

  // The inputs are read, initial, mask, weights, then the matrices.
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
    // Some rows of the edges to a node: what their states get back directly, and through the products' matrix and the mask.
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
      in_stretches(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
        if (to_mixing) sums[thread].assign(r.edges() * kActivations * r.units, T(0));
        scratch[thread].resize(2 * r.nodes * (end - begin) * r.units);
        const int64_t at = begin * r.units;
        std::fill_n(to_states.begin() + at, (end - begin) * r.units, T(0));
        // Each node has its share of the output, which the next time reads too.
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
        in_stretches(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
          differentiate_edges(thread, begin, end, node + 1, own_states, own_products + (1 + first) * r.product_size(), mixing + first * kActivations,
                              panels[1 + node], to_products.data() + first * r.product_size(),
                              to_mixing ? sums[thread].data() + first * kActivations * r.units : nullptr, to_states.data());
        });
      }
      StateNorm::differentiate<T>(r, to_states.data(), own_states, own_inverse, through.data());
      in_stretches(r.rows, threads, [&](int64_t thread, int64_t begin, int64_t end) {
        std::fill_n(carried.begin() + begin * r.units, (end - begin) * r.units, T(0));
        differentiate_edges(thread, begin, end, 1, before, own_products, kTanhAlone<T>, panels[0], to_first, nullptr, carried.data());
      });
      for (size_t place = 0; to_mixing && place < totals.size(); ++place)
        for (const Scratch<T>& own : sums)
          for (int64_t i = 0; i < r.units; ++i) totals[place] += static_cast<double>(own[place * r.units + i]);
      if (!to_matrices) continue;
      // Each thread has some rows of all matrices: no sums of several threads to add up.
      in_stretches(r.units, threads_for(r.units), [&](int64_t, int64_t begin, int64_t end) {
        const auto add = [&](const T* left, const T* slopes, int64_t rows, const Tensor& to) {
          // As many at once as stay in the first cache.
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

// read [T, N, 2H], initial [N, H], mask [N, H] (of what a product reads), weights [edges, 4], matrices: that of the first
// state, then the nodes', [H, 2H] each; running mean, variance and number of batches of the batch norm. Returns [T, N, H].
Tensor mixed_recurrence(const Tensor& read, const Tensor& initial, const optional<Tensor>& hidden_mask, const Tensor& weights, TensorList matrices,
                        TensorList running, double momentum, double epsilon) {
  const auto type = read.scalar_type();
  TORCH_CHECK(read.dim() == 3 && (type == at::kFloat || type == at::kDouble) && read.device().is_cpu(), "mixed_recurrence: what is read is ", type,
              read.sizes(), " on ", read.device(), "; allowed: float32 or float64 [T, N, 2H] on the CPU");
  const int64_t units = read.size(2) / 2, nodes = static_cast<int64_t>(matrices.size()) - 1;
  const Recurrence r{read.size(0), read.size(1), units, nodes};
  TORCH_CHECK(nodes > 0 && r.times > 0 && r.rows > 1, "mixed_recurrence: ", r.times, " times of ", r.rows, " texts through ", nodes,
              " nodes; allowed: at least 1, 2 (one has no variance to normalise by) and 1");
  const Tensor held_mask = hidden_mask.has_value() && hidden_mask->defined() ? hidden_mask->contiguous() : Tensor();
  const auto check = [&](const char* name, const Tensor& tensor, at::IntArrayRef sizes) {
    TORCH_CHECK(tensor.sizes() == sizes && tensor.scalar_type() == type, "mixed_recurrence: ", name, " is ", tensor.scalar_type(), tensor.sizes(),
                "; allowed: ", type, sizes);
  };
  check("the initial state", initial, {r.rows, units});
  if (held_mask.defined()) check("the mask", held_mask, {r.rows, units});
  check("the weights", weights, {r.edges(), kActivations});
  for (const Tensor& matrix : matrices) check("a matrix", matrix, {units, 2 * units});
  TORCH_CHECK(running.size() == 3, "mixed_recurrence: there are ", running.size(), " running statistics; allowed: mean, variance and number of batches");
  check("the running mean", running[0], {units});
  check("the running variance", running[1], {units});
  std::vector<Tensor> inputs{read, initial, held_mask, weights};
  inputs.insert(inputs.end(), matrices.begin(), matrices.end());
  const bool recorded = is_recorded(inputs);
  Course course;
  Tensor held_initial, held_weights;
  std::vector<Tensor> held_matrices;
  {
    at::NoGradGuard guard;
    held_initial = initial.contiguous();
    held_weights = weights.contiguous();
    for (const Tensor& matrix : matrices) held_matrices.push_back(matrix.contiguous());
    const StateNorm norm{running[0], running[1], momentum, epsilon};
    const Tensor held_read = read.contiguous();
    course = type == at::kFloat ? run_forward<float>(r, held_read, held_initial, held_mask, held_matrices, held_weights, norm)
                                : run_forward<double>(r, held_read, held_initial, held_mask, held_matrices, held_weights, norm);
    *running[2].data_ptr<int64_t>() += r.times * (nodes + 1);
  }
  std::vector<Tensor> results{course.outputs};
  if (recorded) {
    const auto node = make_node<MixedRecurrenceBackward>();
    attach(node, inputs, results);
    node->recurrence = r;
    node->initial = SavedVariable(held_initial, false);
    node->mask = SavedVariable(held_mask, false);
    node->weights = SavedVariable(held_weights, false);
    node->outputs = SavedVariable(results[0], true);
    node->states = SavedVariable(course.states, false);
    node->inverse = SavedVariable(course.inverse, false);
    node->products = SavedVariable(course.products, false);
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
