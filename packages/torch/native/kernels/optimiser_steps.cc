// Steps of optimisers over all parameters at once, in one pass over each parameter, its gradient and its state. libtorch makes a
// pass for every operation of the rule.
#include <torch/library.h>

#include <algorithm>
#include <cmath>

#include "arguments.h"
#include "chunks.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

// The values of tensors that belong together: a parameter, its state and its gradient.
template <typename T>
struct Values {
  std::vector<T*> of;
  int64_t count;
};

// Calls body(thread, values, begin, end) for chunks of all values, divided among threads.
template <typename T, typename Body>
void for_values(const std::vector<Values<T>>& all, const Body& body) {
  int64_t total = 0;
  for (const Values<T>& values : all) total += values.count;
  const int64_t threads = threads_for(total, total * kValueRead);
  in_chunks(total, threads, [&](int64_t thread, int64_t begin, int64_t end) {
    int64_t first = 0;
    for (const Values<T>& values : all) {
      const int64_t from = std::max<int64_t>(0, begin - first), to = std::min(values.count, end - first);
      if (from < to) body(thread, values, from, to);
      first += values.count;
    }
  });
}

// The tensors at one place of all lists belong together: they must have one shape and type. The first `changed` lists are
// written to.
void check_lists(const std::vector<TensorList>& lists, size_t changed) {
  const at::ScalarType type = lists[0][0].scalar_type();
  TORCH_CHECK(type == at::kFloat || type == at::kDouble, "the first tensor is ", shown(lists[0][0]), "; allowed: float32 or float64");
  for (size_t i = 0; i < lists[0].size(); ++i)
    for (size_t list = 0; list < lists.size(); ++list) {
      const Tensor& tensor = lists[list][i];
      TORCH_CHECK(is_in_memory(tensor) && tensor.scalar_type() == type && tensor.sizes() == lists[0][i].sizes(), "tensor ", i, " of list ", list, " is ",
                  shown(tensor), "; allowed: ", type, lists[0][i].sizes(), " on the CPU");
      if (list >= changed || tensor.is_non_overlapping_and_dense()) continue;
      for (int64_t dimension = 0; dimension < tensor.dim(); ++dimension)
        TORCH_CHECK(tensor.size(dimension) < 2 || tensor.stride(dimension) != 0, "tensor ", i, " of list ", list,
                    " is expanded: several of its elements share one value; allowed: a value for each element");
    }
}

// Calls body(thread, values, begin, end) for chunks of checked lists. A tensor whose memory is not in the order of the first list's
// is copied before, and copied back if its list is one of the `changed`.
template <typename T, typename Body>
void for_tensors(const std::vector<TensorList>& lists, size_t changed, const Body& body) {
  std::vector<Values<T>> all;
  // Each copy with its original; undefined where it is not copied back.
  std::vector<std::pair<Tensor, Tensor>> copies;
  for (size_t i = 0; i < lists[0].size(); ++i) {
    const Tensor& first = lists[0][i];
    const bool is_dense = first.is_non_overlapping_and_dense();
    Values<T> values{{}, first.numel()};
    for (size_t list = 0; list < lists.size(); ++list) {
      Tensor tensor = lists[list][i];
      if (!is_dense || tensor.strides() != first.strides() || tensor.is_neg()) {
        const Tensor copy = is_dense ? at::empty_like(first) : at::empty(first.sizes(), first.options());
        copy.copy_(tensor);
        copies.emplace_back(copy, list < changed ? tensor : Tensor());
        tensor = copy;
      }
      values.of.push_back(tensor.data_ptr<T>());
    }
    all.push_back(values);
  }
  for_values(all, body);
  for (const auto& [copy, original] : copies)
    if (original.defined()) original.copy_(copy);
  for (size_t list = 0; list < changed; ++list)
    for (const Tensor& tensor : lists[list]) tensor.unsafeGetTensorImpl()->bump_version();
}

// v = momentum v + g, w = w - rate v (Nesterov: w - rate (g + momentum v)), where g includes weight_decay w. Without momentum
// `velocities` is empty.
void sgd_step(TensorList parameters, TensorList gradients, TensorList velocities, double rate, double momentum, bool nesterov, double weight_decay) {
  const bool has_momentum = !velocities.empty();
  TORCH_CHECK(!parameters.empty() && gradients.size() == parameters.size() && (!has_momentum || velocities.size() == parameters.size()),
              parameters.size(), " parameters have ", gradients.size(), " gradients and ", velocities.size(),
              " velocities; allowed: at least one parameter, a gradient each, and a velocity each or none");
  std::vector<TensorList> lists{parameters};
  if (has_momentum) lists.push_back(velocities);
  lists.push_back(gradients);
  check_lists(lists, lists.size() - 1);
  at::NoGradGuard guard;
  for_type(parameters[0].scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    const T step = static_cast<T>(rate), keeps = static_cast<T>(momentum), decay = static_cast<T>(weight_decay);
    for_tensors<T>(lists, lists.size() - 1, [&](int64_t, const Values<T>& values, int64_t begin, int64_t end) {
      T* const parameter = values.of[0];
      const T* const gradient = values.of.back();
      if (!has_momentum) {
        for (int64_t i = begin; i < end; ++i) parameter[i] -= step * (gradient[i] + decay * parameter[i]);
        return;
      }
      T* const velocity = values.of[1];
      for (int64_t i = begin; i < end; ++i) {
        const T slope = gradient[i] + decay * parameter[i];
        const T moved = keeps * velocity[i] + slope;
        velocity[i] = moved;
        parameter[i] -= step * (nesterov ? slope + keeps * moved : moved);
      }
    });
  });
}

// Adam (Kingma & Ba 2015): w = w - rate m / (sqrt(s) / root + epsilon), where m = beta1 m + (1 - beta1) g and
// s = beta2 s + (1 - beta2) g^2. rate and root include the bias correction, g includes weight_decay w. Before all that, w is
// multiplied by `shrinks`.
void adam_step(TensorList parameters, TensorList gradients, TensorList means, TensorList squares, double rate, double root, double beta1, double beta2,
               double epsilon, double weight_decay, double shrinks) {
  TORCH_CHECK(!parameters.empty() && gradients.size() == parameters.size() && means.size() == parameters.size() && squares.size() == parameters.size(),
              parameters.size(), " parameters have ", gradients.size(), " gradients, ", means.size(), " means and ", squares.size(),
              " squares; allowed: at least one parameter, and one of each for every parameter");
  const std::vector<TensorList> lists{parameters, means, squares, gradients};
  check_lists(lists, 3);
  at::NoGradGuard guard;
  for_type(parameters[0].scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    const T step = static_cast<T>(rate), scale = static_cast<T>(1 / root), first = static_cast<T>(beta1), second = static_cast<T>(beta2);
    const T new_first = static_cast<T>(1 - beta1), new_second = static_cast<T>(1 - beta2), least = static_cast<T>(epsilon);
    const T decay = static_cast<T>(weight_decay), kept = static_cast<T>(shrinks);
    for_tensors<T>(lists, 3, [&](int64_t, const Values<T>& values, int64_t begin, int64_t end) {
      T* const parameter = values.of[0];
      T* const mean = values.of[1];
      T* const square = values.of[2];
      const T* const gradient = values.of[3];
      for (int64_t i = begin; i < end; ++i) {
        const T slope = gradient[i] + decay * parameter[i];
        mean[i] = first * mean[i] + new_first * slope;
        square[i] = second * square[i] + new_second * slope * slope;
        parameter[i] = kept * parameter[i] - step * mean[i] / (std::sqrt(square[i]) * scale + least);
      }
    });
  });
}

// Scales gradients so that their joint 2-norm is at most `most`. Returns the norm before, in float64.
Tensor clip_gradients(TensorList gradients, double most) {
  TORCH_CHECK(!gradients.empty(), "there are no gradients; allowed: at least one");
  const std::vector<TensorList> lists{gradients};
  check_lists(lists, 1);
  at::NoGradGuard guard;
  double norm = 0;
  for_type(gradients[0].scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> sums(at::get_num_threads());
    for_tensors<T>(lists, 0, [&](int64_t thread, const Values<T>& values, int64_t begin, int64_t end) {
      // Eight sums at once, which the compiler keeps in registers.
      double parts[8] = {};
      const T* const value = values.of[0];
      int64_t i = begin;
      for (; i + 8 <= end; i += 8)
        for (int lane = 0; lane < 8; ++lane) parts[lane] += static_cast<double>(value[i + lane]) * static_cast<double>(value[i + lane]);
      for (; i < end; ++i) parts[0] += static_cast<double>(value[i]) * static_cast<double>(value[i]);
      for (const double part : parts) sums[thread] += part;
    });
    for (const double sum : sums) norm += sum;
    norm = std::sqrt(norm);
    const double factor = most / (norm + 1e-6);
    if (!(factor < 1)) return;
    const T times = static_cast<T>(factor);
    for_tensors<T>(lists, 1, [&](int64_t, const Values<T>& values, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values.of[0][i] *= times;
    });
  });
  return at::full({}, norm, at::TensorOptions().dtype(at::kDouble));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("sgd_step(Tensor[] parameters, Tensor[] gradients, Tensor[] velocities, float rate, float momentum, bool nesterov, float weight_decay) -> ()",
              sgd_step);
  library.def(
      "adam_step(Tensor[] parameters, Tensor[] gradients, Tensor[] means, Tensor[] squares, float rate, float root, float beta1, float beta2, "
      "float epsilon, float weight_decay, float shrinks) -> ()",
      adam_step);
  library.def("clip_gradients(Tensor[] gradients, float most) -> Tensor", clip_gradients);
}

}  // namespace espalier
