// Matrix products, for the layers of language models and the heads of classifiers. The BLAS behind libtorch starts threads of
// its own, which keep spinning beside libtorch's, and may not know the CPU.
#include <torch/library.h>

#include <algorithm>

#include "arguments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using c10::optional;

// A matrix in memory; one of the steps is 1.
template <typename T>
struct Matrix {
  const T* values;
  int64_t row_step, column_step;

  const T* at(int64_t row, int64_t column) const { return values + row * row_step + column * column_step; }
  Matrix transposed() const { return {values, column_step, row_step}; }
};

// The most terms of a sum and rows of the left side that are worked on at once. A panel (60 KB with AVX-512, otherwise at most
// a third of that) and the rows then stay in the second-level cache.
constexpr int64_t kTerms = 320, kRows = 512;
// A thread gets at least this many rows, or all of them.
constexpr int64_t kRowsEach = 128;

// The rows and columns of the result that one thread computes; columns in whole panels.
struct Share {
  int64_t row, row_end, column, column_end;
};

template <typename T>
std::vector<Share> shares(int64_t m, int64_t k, int64_t n) {
  const int64_t panels = (n + kPanel<T> - 1) / kPanel<T>;
  const int64_t threads = threads_for(std::max(m, panels), m * k * n);
  const int64_t down = std::max<int64_t>(1, std::min(threads, m / kRowsEach)), across = std::max<int64_t>(1, std::min(threads / down, panels));
  std::vector<Share> result;
  for (int64_t i = 0; i < down; ++i)
    for (int64_t j = 0; j < across; ++j)
      result.push_back({m * i / down, m * (i + 1) / down, std::min(n, panels * j / across * kPanel<T>), std::min(n, panels * (j + 1) / across * kPanel<T>)});
  return result;
}

// out[m, n] = left[m, k] right[k, n] + bias[n]; bias null: 0. The order of each sum does not depend on the threads.
template <typename T>
void multiply(const Matrix<T>& left, const Matrix<T>& right, const T* bias, T* out, int64_t m, int64_t k, int64_t n) {
  const Loops<T>& loop = loops<T>();
  const std::vector<Share> all = shares<T>(m, k, n);
  // Equal parts of the terms, since each part reads and writes the whole result again. At least one term, so that a product
  // without terms ends too.
  const int64_t parts = std::max<int64_t>(1, (k + kTerms - 1) / kTerms), part = std::max<int64_t>(1, (k + parts - 1) / parts);
  in_chunks(static_cast<int64_t>(all.size()), static_cast<int64_t>(all.size()), [&](int64_t thread, int64_t, int64_t) {
    const Share& own = all[thread];
    Scratch<T> panel(part * kPanel<T>), turned(left.column_step == 1 ? 0 : part * std::min(kRows, own.row_end - own.row));
    for (int64_t row = own.row; row < own.row_end; row += kRows) {
      const int64_t rows = std::min(kRows, own.row_end - row);
      for (int64_t term = 0; term == 0 || term < k; term += part) {
        const int64_t terms = std::min(part, k - term);
        const T* rows_of = left.at(row, term);
        int64_t row_step = left.row_step;
        if (left.column_step != 1) {
          loop.transpose(rows_of, left.column_step, terms, rows, turned.data(), terms);
          rows_of = turned.data();
          row_step = terms;
        }
        for (int64_t column = own.column; column < own.column_end; column += kPanel<T>) {
          const int64_t columns = std::min(kPanel<T>, own.column_end - column);
          T* const to = out + row * n + column;
          loop.pack_panels(right.at(term, column), right.row_step, right.column_step, terms, columns, panel.data());
          const T* const start = term > 0 ? to : bias == nullptr ? nullptr : bias + column;
          loop.panel_product(rows_of, row_step, panel.data(), start, term > 0 ? n : 0, to, n, rows, terms, columns);
        }
      }
    }
  });
}

// The sum of the rows of [m, n].
template <typename T>
Tensor sum_of_rows(const Tensor& rows, int64_t m, int64_t n) {
  const int64_t threads = threads_for(m, m * n * kValueRead);
  std::vector<Scratch<T>> sums(threads);
  in_chunks(m, threads, [&](int64_t thread, int64_t begin, int64_t end) {
    sums[thread].assign(n, T(0));
    loops<T>().add_sums(end - begin, n, rows.data_ptr<T>() + begin * n, sums[thread].data());
  });
  const Tensor result = at::zeros({n}, rows.options());
  T* const total = result.data_ptr<T>();
  for (const Scratch<T>& own : sums)
    for (int64_t i = 0; i < n; ++i) total[i] += own[i];
  return result;
}

// left [..., K], m rows in all; right [K, N], or [N, K] where it is `turned`.
struct Sizes {
  int64_t m, k, n;
  bool turned;

  template <typename T>
  Matrix<T> right(const Tensor& values) const {
    return turned ? Matrix<T>{values.data_ptr<T>(), 1, k} : Matrix<T>{values.data_ptr<T>(), n, 1};
  }
};

struct MatmulBackward final : KernelNode {
  Sizes sizes;
  SavedVariable left, right;

  std::string name() const override { return "matmul"; }

  void release() override {
    left.reset_data();
    right.reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous();
    return for_type(gradient.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradient); });
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const auto [m, k, n, turned] = sizes;
    const Tensor from = left.unpack(), matrix = right.unpack();
    const Matrix<T> slopes{gradient.data_ptr<T>(), n, 1}, rows{from.data_ptr<T>(), k, 1};
    variable_list to(3);
    if (wants(0)) {
      to[0] = at::empty_like(from);
      multiply<T>(slopes, sizes.right<T>(matrix).transposed(), nullptr, to[0].template data_ptr<T>(), m, n, k);
    }
    if (wants(1)) {
      to[1] = at::empty_like(matrix);
      T* const out = to[1].template data_ptr<T>();
      if (turned)
        multiply<T>(slopes.transposed(), rows, nullptr, out, n, m, k);
      else
        multiply<T>(rows.transposed(), slopes, nullptr, out, k, m, n);
    }
    if (wants(2)) to[2] = sum_of_rows<T>(gradient, m, n);
    return to;
  }
};

// left [..., K] times right [K, N] (`turned`: [N, K]), plus bias [N]: [..., N].
Tensor matmul(const Tensor& left, const Tensor& right, const optional<Tensor>& bias, bool turned) {
  TORCH_CHECK(left.dim() > 0, "argument 'left' is ", shown(left), "; allowed: float32 or float64 [..., K] on the CPU");
  const auto type = check_values("left", left, left.dim(), "[..., K]");
  const int64_t k = left.size(-1);
  TORCH_CHECK(is_in_memory(right) && right.dim() == 2 && right.size(turned ? 1 : 0) == k && right.scalar_type() == type, "argument 'right' is ",
              shown(right), " for left ", shown(left), "; allowed: ", type, turned ? "[N, " : "[", k, turned ? "]" : ", N]", " on the CPU");
  const Tensor start = bias.value_or(Tensor());
  std::vector<int64_t> size = left.sizes().vec();
  int64_t rows = 1;
  for (size_t dimension = 0; dimension + 1 < size.size(); ++dimension) rows *= size[dimension];
  const Sizes sizes{rows, k, right.size(turned ? 0 : 1), turned};
  size.back() = sizes.n;
  if (start.defined()) check_tensor("bias", start, type, {sizes.n});
  const std::vector<Tensor> inputs{left, right, start};
  const bool recorded = is_recorded(inputs);
  Tensor held_left, held_right;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    held_left = row_major(left);
    held_right = row_major(right);
    outputs.push_back(at::empty(size, left.options()));
    const Tensor held_start = start.defined() ? row_major(start) : start;
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      multiply<T>({held_left.data_ptr<T>(), k, 1}, sizes.right<T>(held_right), data_or_null<T>(held_start), outputs[0].data_ptr<T>(), sizes.m, k,
                  sizes.n);
    });
  }
  if (recorded) {
    const auto node = make_node<MatmulBackward>();
    attach(node, inputs, outputs);
    node->sizes = sizes;
    node->left = SavedVariable(held_left, false);
    node->right = SavedVariable(held_right, false);
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("matmul(Tensor left, Tensor right, Tensor? bias, bool turned) -> Tensor", matmul);
}

}  // namespace espalier
