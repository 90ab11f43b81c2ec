// The mixed operations of all edges that leave one state (DARTS, section 2.2, equation 2): the weighted sum of each edge's
// candidates. Their batch norm is applied as they are read.
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
using at::TensorList;

// The sizes of a call. A term has the channels of one edge, which all edges read, or those of every edge in turn.
struct Mixture {
  int64_t images, pixels, channels, edges, terms;

  int64_t work() const { return images * pixels * channels * edges * terms * kValueRead; }
  bool is_shared(const Tensor& term) const { return term.size(1) == channels && edges > 1; }
  int64_t first_channel(const Tensor& term, int64_t edge) const { return is_shared(term) ? 0 : edge * channels; }
};

// The factors of the terms on each edge, [edges, terms + 1, channels], and the constants added to the sums, [edges, channels].
// The last factors are 1: they belong to the tensor that a sum starts from.
template <typename T>
struct Factors {
  Scratch<T> factors, constants;

  T* at(const Mixture& m, int64_t edge, int64_t term) { return factors.data() + (edge * (m.terms + 1) + term) * m.channels; }
  const T* at(const Mixture& m, int64_t edge, int64_t term) const { return factors.data() + (edge * (m.terms + 1) + term) * m.channels; }
};

// `shares`: one image's own factors of the terms, [terms]; null: 1.
template <typename T>
Factors<T> factors_of(const Mixture& m, const std::vector<Tensor>& terms, const std::vector<Tensor>& scales, const std::vector<Tensor>& shifts,
                      const Tensor& weights, const T* shares) {
  Factors<T> result;
  result.factors.resize(m.edges * (m.terms + 1) * m.channels, T(1));
  result.constants.resize(m.edges * m.channels);
  const T* const weight_of = weights.data_ptr<T>();
  for (int64_t t = 0; t < m.terms; ++t) {
    const T* const scale = data_or_null<T>(scales[t]);
    const T* const shift = data_or_null<T>(shifts[t]);
    for (int64_t edge = 0; edge < m.edges; ++edge) {
      const T weight = weight_of[edge * m.terms + t] * (shares == nullptr ? T(1) : shares[t]);
      const int64_t first = m.first_channel(terms[t], edge);
      T* const factors = result.at(m, edge, t);
      T* const constants = result.constants.data() + edge * m.channels;
      for (int64_t i = 0; i < m.channels; ++i) {
        factors[i] = scale == nullptr ? weight : weight * scale[first + i];
        if (shift != nullptr) constants[i] += weight * shift[first + i];
      }
    }
  }
  return result;
}

// `starts`: the tensor that each edge's sum starts from; undefined: zero.
template <typename T>
std::vector<Tensor> run_forward(const Mixture& m, const std::vector<Tensor>& terms, const std::vector<Tensor>& scales, const std::vector<Tensor>& shifts,
                                const Tensor& weights, const Tensor& shares, const std::vector<Tensor>& starts) {
  const T* const share = data_or_null<T>(shares);
  const Factors<T> common = factors_of<T>(m, terms, scales, shifts, weights, nullptr);
  const int64_t height = terms[0].size(2), width = terms[0].size(3);
  std::vector<Tensor> results;
  for (int64_t edge = 0; edge < m.edges; ++edge)
    results.push_back(at::empty({m.images, m.channels, height, width}, terms[0].options().memory_format(at::MemoryFormat::ChannelsLast)));
  in_chunks(m.images, threads_for(m.images, m.work()), [&](int64_t, int64_t begin, int64_t end) {
    std::vector<const T*> from(m.terms + 1);
    std::vector<int64_t> steps(m.terms + 1, m.channels);
    Factors<T> own;
    for (int64_t image = begin; image < end; ++image) {
      if (share != nullptr) own = factors_of<T>(m, terms, scales, shifts, weights, share + image * m.terms);
      const Factors<T>& factors = share == nullptr ? common : own;
      for (int64_t edge = 0; edge < m.edges; ++edge) {
        for (int64_t t = 0; t < m.terms; ++t) {
          steps[t] = terms[t].size(1);
          from[t] = terms[t].data_ptr<T>() + image * m.pixels * steps[t] + m.first_channel(terms[t], edge);
        }
        const int64_t at = image * m.pixels * m.channels;
        if (starts[edge].defined()) from[m.terms] = starts[edge].data_ptr<T>() + at;
        loops<T>().mix(m.pixels, m.channels, m.terms + (starts[edge].defined() ? 1 : 0), from.data(), steps.data(),
                       factors.at(m, edge, 0), factors.constants.data() + edge * m.channels,
                       results[edge].data_ptr<T>() + at);
      }
    }
  });
  return results;
}

// Sums over all pixels for each edge, term and channel: of gradient times value, and of the gradient, both times the image's share.
struct Sums {
  std::vector<double> products, gradients;
};

struct MixtureBackward final : KernelNode {
  Mixture mixture;
  std::vector<SavedVariable> terms, scales, shifts;
  SavedVariable weights, shares;

  std::string name() const override { return "mixture"; }

  void release() override {
    weights.reset_data();
    shares.reset_data();
    terms.clear();
    scales.clear();
    shifts.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return for_type(weights.unpack().scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients); });
  }

  // The inputs are the weights, then the terms, their scales, their shifts and the starts.
  template <typename T>
  variable_list differentiate_as(const variable_list& gradients) {
    const Mixture& m = mixture;
    const Loops<T>& loop = loops<T>();
    const Tensor weight = weights.unpack(), all_shares = shares.unpack();
    const std::vector<Tensor> values = unpacked(terms), scale = unpacked(scales), shift = unpacked(shifts);
    const Factors<T> factors = factors_of<T>(m, values, scale, shift, weight, nullptr);
    const T* const share = data_or_null<T>(all_shares);
    std::vector<Tensor> slopes;
    for (const Tensor& gradient : gradients) slopes.push_back(gradient.defined() ? gradient.contiguous(at::MemoryFormat::ChannelsLast) : Tensor());
    std::vector<Tensor> to(m.terms);
    for (int64_t t = 0; t < m.terms; ++t)
      if (wants(1 + t)) to[t] = at::empty_like(values[t]);

    const int64_t threads = threads_for(m.images, m.work());
    std::vector<Sums> sums(threads);
    in_chunks(m.images, threads, [&](int64_t thread, int64_t begin, int64_t end) {
      Sums& own = sums[thread];
      own.products.resize(m.edges * m.terms * m.channels);
      own.gradients.resize(m.edges * m.terms * m.channels);
      Scratch<T> part(m.channels), of_gradient(m.channels), shared_factor(m.channels);
      // Images are summed in float64: a long sum of float32 loses digits, the pixels of one image are few enough.
      const auto add_part = [&](const Scratch<T>& from, T times, std::vector<double>& total, int64_t first) {
        for (int64_t i = 0; i < m.channels; ++i) total[first + i] += static_cast<double>(times) * static_cast<double>(from[i]);
      };
      for (int64_t image = begin; image < end; ++image)
        for (int64_t edge = 0; edge < m.edges; ++edge) {
          const bool reached = slopes[edge].defined();
          const T* const slope = reached ? slopes[edge].data_ptr<T>() + image * m.pixels * m.channels : nullptr;
          if (reached) {
            std::fill(of_gradient.begin(), of_gradient.end(), T(0));
            loop.add_sums(m.pixels, m.channels, slope, of_gradient.data());
          }
          for (int64_t t = 0; t < m.terms; ++t) {
            const int64_t step = values[t].size(1), at = image * m.pixels * step + m.first_channel(values[t], edge);
            T* const target = to[t].defined() ? to[t].data_ptr<T>() + at : nullptr;
            const bool adds = m.is_shared(values[t]) && edge > 0;
            if (reached) {
              const int64_t place = (edge * m.terms + t) * m.channels;
              const T times = share == nullptr ? T(1) : share[image * m.terms + t];
              const T* const own_factors = factors.at(m, edge, t);
              for (int64_t i = 0; i < m.channels; ++i) shared_factor[i] = times * own_factors[i];
              std::fill(part.begin(), part.end(), T(0));
              loop.unmix(m.pixels, m.channels, slope, values[t].data_ptr<T>() + at, step, shared_factor.data(), target, adds, part.data());
              add_part(part, times, own.products, place);
              add_part(of_gradient, times, own.gradients, place);
            } else if (target != nullptr && !adds) {
              for (int64_t pixel = 0; pixel < m.pixels; ++pixel) std::fill_n(target + pixel * step, m.channels, T(0));
            }
          }
        }
    });

    Tensor to_weights = at::zeros_like(weight);
    std::vector<Tensor> to_scales(m.terms), to_shifts(m.terms);
    for (int64_t t = 0; t < m.terms; ++t) {
      if (scale[t].defined()) to_scales[t] = at::zeros_like(scale[t]);
      if (shift[t].defined()) to_shifts[t] = at::zeros_like(shift[t]);
    }
    for (int64_t t = 0; t < m.terms; ++t) {
      const T* const scale_of = data_or_null<T>(scale[t]);
      const T* const shift_of = data_or_null<T>(shift[t]);
      T* const to_scale = to_scales[t].defined() ? to_scales[t].data_ptr<T>() : nullptr;
      T* const to_shift = to_shifts[t].defined() ? to_shifts[t].data_ptr<T>() : nullptr;
      for (int64_t edge = 0; edge < m.edges; ++edge) {
        const int64_t first = m.first_channel(values[t], edge);
        const double own_weight = static_cast<double>(weight.data_ptr<T>()[edge * m.terms + t]);
        double to_weight = 0;
        for (int64_t i = 0; i < m.channels; ++i) {
          double product = 0, gradient = 0;
          for (const Sums& own : sums) {
            product += own.products[(edge * m.terms + t) * m.channels + i];
            gradient += own.gradients[(edge * m.terms + t) * m.channels + i];
          }
          to_weight += product * (scale_of == nullptr ? 1 : static_cast<double>(scale_of[first + i]));
          if (shift_of != nullptr) {
            to_weight += gradient * static_cast<double>(shift_of[first + i]);
            to_shift[first + i] += static_cast<T>(own_weight * gradient);
          }
          if (scale_of != nullptr) to_scale[first + i] += static_cast<T>(own_weight * product);
        }
        to_weights.data_ptr<T>()[edge * m.terms + t] = static_cast<T>(to_weight);
      }
    }
    variable_list result{to_weights};
    for (std::vector<Tensor>* list : {&to, &to_scales, &to_shifts, &slopes}) result.insert(result.end(), list->begin(), list->end());
    return result;
  }
};

void check_arguments(TensorList terms, const std::vector<Tensor>& scales, const std::vector<Tensor>& shifts, const Tensor& weights, int64_t channels,
                     const Tensor& shares, const std::vector<Tensor>& starts) {
  const auto type = check_values("weights", weights, 2, "[edges, terms]");
  const int64_t edges = weights.size(0), count = weights.size(1);
  TORCH_CHECK(edges > 0 && count > 0 && terms.size() == static_cast<size_t>(count) && scales.size() == terms.size() && shifts.size() == terms.size(),
              terms.size(), " terms have weights ", weights.sizes(), ", ", scales.size(), " scales and ", shifts.size(),
              " shifts; allowed: weights [edges, terms] and one scale and shift each");
  const Tensor& first = terms[0];
  check_values("terms[0]", first, 4, "[N, C, H, W]");
  const int64_t images = first.size(0), height = first.size(2), width = first.size(3);
  for (size_t t = 0; t < terms.size(); ++t) {
    const Tensor& term = terms[t];
    TORCH_CHECK(is_in_memory(term) && term.scalar_type() == type && term.dim() == 4 && term.size(0) == images && term.size(2) == height &&
                    term.size(3) == width && (term.size(1) == channels || term.size(1) == channels * edges),
                "argument 'terms[", t, "]' is ", shown(term), " beside ", shown(first), "; allowed: ", type, " images of that size on the CPU with ", channels,
                " channels, or as many for each of ", edges, " edges");
    if (scales[t].defined()) check_item("scales", t, scales[t], type, {term.size(1)});
    if (shifts[t].defined()) check_item("shifts", t, shifts[t], type, {term.size(1)});
  }
  if (shares.defined()) check_tensor("shares", shares, type, {images, count});
  TORCH_CHECK(starts.size() == static_cast<size_t>(edges), "the sums of ", edges, " edges start from ", starts.size(), " tensors; allowed: one each, or none");
  for (size_t edge = 0; edge < starts.size(); ++edge)
    if (starts[edge].defined()) check_item("starts", edge, starts[edge], type, {images, channels, height, width});
}

// The sum of each edge, [N, channels, H, W]. `shares` [N, terms]: each image's own factors of the terms, which get no gradient.
// `given_starts`: the tensor that each edge's sum starts from.
std::vector<Tensor> mixture(TensorList terms, const OptionalTensors& term_scales, const OptionalTensors& term_shifts, const Tensor& weights,
                            int64_t channels, const c10::optional<Tensor>& given_shares, const OptionalTensors& given_starts) {
  std::vector<Tensor> scales = tensors_of(term_scales), shifts = tensors_of(term_shifts), starts = tensors_of(given_starts);
  if (starts.empty() && weights.dim() > 0) starts.resize(weights.size(0));
  const Tensor shares = given_shares.value_or(Tensor());
  check_arguments(terms, scales, shifts, weights, channels, shares, starts);
  const Tensor& first = terms[0];
  const Mixture m{first.size(0), first.size(2) * first.size(3), channels, weights.size(0), static_cast<int64_t>(terms.size())};
  std::vector<Tensor> inputs{weights};
  for (const auto& list : {terms.vec(), scales, shifts, starts}) inputs.insert(inputs.end(), list.begin(), list.end());
  const bool recorded = is_recorded(inputs);
  std::vector<Tensor> values, results;
  Tensor held_weights, held_shares;
  {
    at::NoGradGuard guard;
    held_weights = row_major(weights);
    if (shares.defined()) held_shares = row_major(shares);
    scales = all_row_major(scales);
    shifts = all_row_major(shifts);
    for (const Tensor& term : terms) values.push_back(channels_last(term));
    for (Tensor& start : starts)
      if (start.defined()) start = channels_last(start);
    results = for_type(weights.scalar_type(), [&](auto zero) {
      return run_forward<decltype(zero)>(m, values, scales, shifts, held_weights, held_shares, starts);
    });
  }
  if (recorded) {
    const auto node = make_node<MixtureBackward>();
    attach(node, inputs, results);
    node->mixture = m;
    node->terms = saved(values);
    node->scales = saved(scales);
    node->shifts = saved(shifts);
    node->weights = SavedVariable(held_weights, false);
    node->shares = SavedVariable(held_shares, false);
  }
  return results;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("mixture(Tensor[] terms, Tensor?[] scales, Tensor?[] shifts, Tensor weights, int channels, Tensor? shares, Tensor?[] starts) -> Tensor[]", mixture);
}

}  // namespace espalier
