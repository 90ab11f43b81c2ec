// Batch norm as a scale and a shift for each channel: normalised = value * scale + shift. The next kernel applies them as it
// reads the values, so no normalised copy is written.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "arguments.h"
#include "whole_batch.h"

namespace espalier {

struct BatchMoments {
  at::Tensor mean;      // [channels]
  at::Tensor variance;  // the unbiased estimate, [channels]
  at::Tensor inverse;   // 1 / sqrt(biased variance + epsilon), [channels]
};

// Combines the means and the sums of squared distances of `parts` groups of `values_each` values, [parts, channels], with those of
// the processes that the batch is spread over.
template <typename T>
BatchMoments combine_moments(const std::vector<T>& means, const std::vector<T>& squares, int64_t parts, int64_t values_each, double epsilon,
                             const at::TensorOptions& options) {
  const int64_t channels = static_cast<int64_t>(means.size()) / parts;
  BatchMoments result{at::empty({channels}, options), at::empty({channels}, options), at::empty({channels}, options)};
  Population own{static_cast<double>(parts) * static_cast<double>(values_each), std::vector<double>(channels), std::vector<double>(channels)};
  for (int64_t i = 0; i < channels; ++i) {
    double middle = 0;
    for (int64_t part = 0; part < parts; ++part) middle += static_cast<double>(means[part * channels + i]);
    middle /= static_cast<double>(parts);
    double distances = 0;
    for (int64_t part = 0; part < parts; ++part) {
      const double apart = static_cast<double>(means[part * channels + i]) - middle;
      distances += static_cast<double>(squares[part * channels + i]) + apart * apart * static_cast<double>(values_each);
    }
    own.means[i] = middle;
    own.distances[i] = distances;
  }
  const Population all = whole(std::move(own));
  T* const mean = result.mean.data_ptr<T>();
  T* const variance = result.variance.data_ptr<T>();
  T* const inverse = result.inverse.data_ptr<T>();
  for (int64_t i = 0; i < channels; ++i) {
    mean[i] = static_cast<T>(all.means[i]);
    variance[i] = static_cast<T>(all.distances[i] / (all.count - 1));
    inverse[i] = static_cast<T>(1 / std::sqrt(all.distances[i] / all.count + epsilon));
  }
  return result;
}

// Moves the running mean and variance of some channels, from `first` on, towards those of the batch, and counts the batch.
template <typename T>
void update_running(const BatchMoments& moments, int64_t first, const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& batches,
                    double momentum) {
  const T share = static_cast<T>(momentum);
  const T* const new_mean = moments.mean.data_ptr<T>() + first;
  const T* const new_variance = moments.variance.data_ptr<T>() + first;
  T* const running_mean = mean.data_ptr<T>();
  T* const running_variance = variance.data_ptr<T>();
  const int64_t channels = mean.numel(), mean_step = mean.stride(0), variance_step = variance.stride(0);
  for (int64_t i = 0; i < channels; ++i) {
    running_mean[i * mean_step] += share * (new_mean[i] - running_mean[i * mean_step]);
    running_variance[i * variance_step] += share * (new_variance[i] - running_variance[i * variance_step]);
  }
  *batches.data_ptr<int64_t>() += 1;
}

// What batch norm can normalise: a single value has no variance.
inline void check_population(int64_t values_per_channel) {
  TORCH_CHECK(values_per_channel > 1, "there is no variance to normalise by: a channel has ", values_per_channel, " values; allowed: at least 2");
}

// The statistics that a batch norm updates in place, one value a channel.
inline void check_running(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& batches, at::ScalarType type, int64_t channels) {
  const auto check = [&](const char* name, const at::Tensor& tensor) {
    check_tensor(name, tensor, type, {channels});
    TORCH_CHECK((channels < 2 || tensor.stride(0) != 0) && !tensor.is_neg(), "argument '", name,
                "' is expanded or negated: its channels have no values of their own; allowed: ", channels, " values");
  };
  check("running_mean", mean);
  check("running_var", variance);
  TORCH_CHECK(is_in_memory(batches) && batches.scalar_type() == at::kLong && batches.numel() == 1, "argument 'num_batches_tracked' is ",
              shown(batches), "; allowed: one int64 on the CPU");
}

// The parameters and running statistics of `norms` batch norms, which have equal shares of the channels. Statistics come as
// mean, variance and number of batches of each.
inline void check_norms(at::ScalarType type, int64_t channels, int64_t norms, at::TensorList gamma, at::TensorList beta, at::TensorList running) {
  const auto count = static_cast<size_t>(norms);
  TORCH_CHECK((gamma.empty() || gamma.size() == count) && beta.size() == gamma.size() && (running.empty() || running.size() == 3 * count), norms,
              " batch norms have ", gamma.size(), " scales, ", beta.size(), " shifts and ", running.size(),
              " running statistics; allowed: one scale and shift each or none, and three statistics each or none");
  TORCH_CHECK(channels % norms == 0, norms, " batch norms share ", channels, " channels; allowed: as many channels each");
  const int64_t own = channels / norms;
  check_items("gamma", gamma, type, {own});
  check_items("beta", beta, type, {own});
  for (size_t i = 0; i < running.size(); i += 3) check_running(running[i], running[i + 1], running[i + 2], type, own);
}

// The learned scale and shift of batch norms, one tensor for each norm; empty: 1 and 0.
struct Affine {
  std::vector<at::Tensor> gamma, beta;

  bool is_learned() const { return !gamma.empty(); }
  // Those of `count` norms from `first` on.
  Affine part(int64_t first, int64_t count) const {
    if (!is_learned()) return {};
    return {{gamma.begin() + first, gamma.begin() + first + count}, {beta.begin() + first, beta.begin() + first + count}};
  }
};

// The scale and shift of each channel.
template <typename T>
std::pair<at::Tensor, at::Tensor> scale_and_shift(const BatchMoments& moments, const Affine& affine) {
  const int64_t channels = moments.mean.numel();
  at::Tensor scale = at::empty_like(moments.mean), shift = at::empty_like(moments.mean);
  const T* const mean = moments.mean.data_ptr<T>();
  const T* const inverse = moments.inverse.data_ptr<T>();
  const int64_t norms = affine.is_learned() ? static_cast<int64_t>(affine.gamma.size()) : 1;
  const int64_t own = channels / norms;
  T* const to_scale = scale.data_ptr<T>();
  T* const to_shift = shift.data_ptr<T>();
  for (int64_t norm = 0; norm < norms; ++norm) {
    const T* const gammas = affine.is_learned() ? affine.gamma[norm].data_ptr<T>() : nullptr;
    const T* const betas = affine.is_learned() ? affine.beta[norm].data_ptr<T>() : nullptr;
    for (int64_t i = 0; i < own; ++i) {
      const int64_t at = norm * own + i;
      const T gamma = gammas == nullptr ? 1 : gammas[i];
      to_scale[at] = gamma * inverse[at];
      to_shift[at] = (betas == nullptr ? 0 : betas[i]) - mean[at] * gamma * inverse[at];
    }
  }
  return {scale, shift};
}

// What follows from the gradients of scale and shift: the gradients of gamma and beta, and that of each value through mean and
// variance, which is offset + slope * value (Ioffe & Szegedy 2015, section 3). Mean and variance are of the batch in all processes,
// so all gradients of scale and shift go through them. Those of gamma and beta are of this process's part: they are summed with the
// gradients of the other parameters.
template <typename T>
struct MomentsGradient {
  std::vector<T> offset, slope;
  std::vector<at::Tensor> gamma, beta;  // one for each norm; empty where they are not learned
};

template <typename T>
MomentsGradient<T> moments_gradient(const at::Tensor& scale_gradient, const at::Tensor& shift_gradient, const BatchMoments& moments,
                                    const std::vector<at::Tensor>& gamma, int64_t count) {
  const int64_t channels = moments.mean.numel();
  MomentsGradient<T> result;
  result.offset.resize(channels);
  result.slope.resize(channels);
  const at::Tensor scales = scale_gradient.defined() ? scale_gradient.contiguous() : at::Tensor();
  const at::Tensor shifts = shift_gradient.defined() ? shift_gradient.contiguous() : at::Tensor();
  for (const at::Tensor& tensor : gamma) {
    result.gamma.push_back(at::empty_like(tensor));
    result.beta.push_back(at::empty_like(tensor));
  }
  const int64_t own = gamma.empty() ? channels : channels / static_cast<int64_t>(gamma.size());
  const T* const scale_of = data_or_null<T>(scales);
  const T* const shift_of = data_or_null<T>(shifts);
  const T* const means = moments.mean.data_ptr<T>();
  const T* const inverses = moments.inverse.data_ptr<T>();
  std::vector<const T*> gammas;
  std::vector<T*> to_gammas, to_betas;
  for (size_t norm = 0; norm < gamma.size(); ++norm) {
    gammas.push_back(gamma[norm].data_ptr<T>());
    to_gammas.push_back(result.gamma[norm].template data_ptr<T>());
    to_betas.push_back(result.beta[norm].template data_ptr<T>());
  }
  NormGradients own_part{static_cast<double>(count), std::vector<double>(channels), std::vector<double>(channels)};
  for (int64_t i = 0; i < channels; ++i) {
    own_part.scale[i] = scale_of == nullptr ? 0 : static_cast<double>(scale_of[i]);
    own_part.shift[i] = shift_of == nullptr ? 0 : static_cast<double>(shift_of[i]);
  }
  const NormGradients all = whole(own_part);
  for (int64_t i = 0; i < channels; ++i) {
    const double mean = static_cast<double>(means[i]);
    const double inverse = static_cast<double>(inverses[i]);
    const double factor = gamma.empty() ? 1 : static_cast<double>(gammas[i / own][i % own]);
    // scale = gamma inverse, shift = beta - mean scale; inverse = (variance + epsilon)^(-1/2).
    const double to_variance = -0.5 * inverse * inverse * inverse * factor * (all.scale[i] - mean * all.shift[i]);
    const double to_mean = -factor * inverse * all.shift[i];
    const double slope = 2 * to_variance / all.count;
    result.slope[i] = static_cast<T>(slope);
    result.offset[i] = static_cast<T>(to_mean / all.count - slope * mean);
    if (gamma.empty()) continue;
    to_gammas[i / own][i % own] = static_cast<T>(inverse * (own_part.scale[i] - mean * own_part.shift[i]));
    to_betas[i / own][i % own] = static_cast<T>(own_part.shift[i]);
  }
  return result;
}

}  // namespace espalier
