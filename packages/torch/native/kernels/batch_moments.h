// Batch norm as a factor and a term for each channel: normalised = value scale + shift. Whoever reads the values next
// applies them, so that no normalised copy is ever written.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

namespace espalier {

struct BatchMoments {
  at::Tensor mean;      // [channels]
  at::Tensor variance;  // of the population that the batch is drawn from, [channels]
  at::Tensor inverse;   // 1 / sqrt(variance of the batch + epsilon), [channels]
};

// From the means and the sums of squared distances of `parts` stretches of as many values each, [parts, channels].
template <typename T>
BatchMoments combine_moments(const std::vector<T>& means, const std::vector<T>& squares, int64_t parts, int64_t values_each, double epsilon,
                             const at::TensorOptions& options) {
  const int64_t channels = static_cast<int64_t>(means.size()) / parts;
  BatchMoments result{at::empty({channels}, options), at::empty({channels}, options), at::empty({channels}, options)};
  const double count = static_cast<double>(parts) * static_cast<double>(values_each);
  T* const mean = result.mean.data_ptr<T>();
  T* const variance = result.variance.data_ptr<T>();
  T* const inverse = result.inverse.data_ptr<T>();
  for (int64_t i = 0; i < channels; ++i) {
    double middle = 0;
    for (int64_t part = 0; part < parts; ++part) middle += static_cast<double>(means[part * channels + i]);
    middle /= static_cast<double>(parts);
    double distances = 0;
    for (int64_t part = 0; part < parts; ++part) {
      const double apart = static_cast<double>(means[part * channels + i]) - middle;
      distances += static_cast<double>(squares[part * channels + i]) + apart * apart * static_cast<double>(values_each);
    }
    mean[i] = static_cast<T>(middle);
    variance[i] = static_cast<T>(distances / (count - 1));
    inverse[i] = static_cast<T>(1 / std::sqrt(distances / count + epsilon));
  }
  return result;
}

// Moves the running mean and variance of some of the channels towards the batch's, and counts the batch.
template <typename T>
void follow(const BatchMoments& moments, int64_t first, const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& batches,
            double momentum) {
  const T share = static_cast<T>(momentum);
  const T* const new_mean = moments.mean.data_ptr<T>() + first;
  const T* const new_variance = moments.variance.data_ptr<T>() + first;
  T* const kept_mean = mean.data_ptr<T>();
  T* const kept_variance = variance.data_ptr<T>();
  const int64_t channels = mean.numel();
  for (int64_t i = 0; i < channels; ++i) {
    kept_mean[i] += share * (new_mean[i] - kept_mean[i]);
    kept_variance[i] += share * (new_variance[i] - kept_variance[i]);
  }
  *batches.data_ptr<int64_t>() += 1;
}

// A learned scale and shift of batch norm, one tensor a group; none: 1 and 0.
struct Affine {
  at::TensorList gamma, beta;

  bool is_learned() const { return !gamma.empty(); }
};

// Throws where a batch norm's tensors have not as many values as each of `groups` of the channels.
inline void check_norms(const char* name, int64_t channels, int64_t groups, at::TensorList gamma, at::TensorList beta, at::TensorList running) {
  const auto count = static_cast<size_t>(groups);
  TORCH_CHECK((gamma.empty() || gamma.size() == count) && beta.size() == gamma.size() && (running.empty() || running.size() == 3 * count), name, ": for ",
              groups, " batch norms there are ", gamma.size(), " scales, ", beta.size(), " shifts and ", running.size(),
              " running statistics; allowed: none, or one each, and three of the last");
  const auto check = [&](const at::Tensor& tensor) {
    TORCH_CHECK(tensor.numel() * groups == channels, name, ": a batch norm has ", tensor.numel(), " channels; allowed: each of ", groups, " the same share of ", channels);
  };
  for (const at::TensorList list : {gamma, beta})
    for (const at::Tensor& tensor : list) check(tensor);
  for (size_t i = 0; i < running.size(); ++i)
    if (i % 3 != 2) check(running[i]);
}

// The factor and the term that the moments and the learned scale and shift come to.
template <typename T>
std::pair<at::Tensor, at::Tensor> scale_and_shift(const BatchMoments& moments, const Affine& affine) {
  const int64_t channels = moments.mean.numel();
  at::Tensor scale = at::empty_like(moments.mean), shift = at::empty_like(moments.mean);
  const T* const mean = moments.mean.data_ptr<T>();
  const T* const inverse = moments.inverse.data_ptr<T>();
  const int64_t groups = affine.is_learned() ? static_cast<int64_t>(affine.gamma.size()) : 1;
  const int64_t own = channels / groups;
  T* const to_scale = scale.data_ptr<T>();
  T* const to_shift = shift.data_ptr<T>();
  for (int64_t group = 0; group < groups; ++group) {
    const T* const gammas = affine.is_learned() ? affine.gamma[group].data_ptr<T>() : nullptr;
    const T* const betas = affine.is_learned() ? affine.beta[group].data_ptr<T>() : nullptr;
    for (int64_t i = 0; i < own; ++i) {
      const int64_t at = group * own + i;
      const T gamma = gammas == nullptr ? 1 : gammas[i];
      to_scale[at] = gamma * inverse[at];
      to_shift[at] = (betas == nullptr ? 0 : betas[i]) - mean[at] * gamma * inverse[at];
    }
  }
  return {scale, shift};
}

// From the gradients to scale and shift: those to the learned ones, and how the values themselves move them: each
// value's gradient is offset + slope value (Ioffe & Szegedy 2015, section 3).
template <typename T>
struct MomentsGradient {
  std::vector<T> offset, slope;
  std::vector<at::Tensor> gamma, beta;  // one a group, where they are learned
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
  const T* const scale_of = scales.defined() ? scales.data_ptr<T>() : nullptr;
  const T* const shift_of = shifts.defined() ? shifts.data_ptr<T>() : nullptr;
  const T* const means = moments.mean.data_ptr<T>();
  const T* const inverses = moments.inverse.data_ptr<T>();
  std::vector<const T*> gammas;
  std::vector<T*> to_gammas, to_betas;
  for (size_t group = 0; group < gamma.size(); ++group) {
    gammas.push_back(gamma[group].data_ptr<T>());
    to_gammas.push_back(result.gamma[group].template data_ptr<T>());
    to_betas.push_back(result.beta[group].template data_ptr<T>());
  }
  for (int64_t i = 0; i < channels; ++i) {
    const double to_scale = scale_of == nullptr ? 0 : static_cast<double>(scale_of[i]);
    const double to_shift = shift_of == nullptr ? 0 : static_cast<double>(shift_of[i]);
    const double mean = static_cast<double>(means[i]);
    const double inverse = static_cast<double>(inverses[i]);
    const double factor = gamma.empty() ? 1 : static_cast<double>(gammas[i / own][i % own]);
    // scale = gamma inverse, shift = beta - mean scale; inverse = (variance + epsilon)^(-1/2).
    const double to_normalised = to_scale - mean * to_shift;
    const double to_variance = -0.5 * inverse * inverse * inverse * factor * to_normalised;
    const double to_mean = -factor * inverse * to_shift;
    const double slope = 2 * to_variance / static_cast<double>(count);
    result.slope[i] = static_cast<T>(slope);
    result.offset[i] = static_cast<T>(to_mean / static_cast<double>(count) - slope * mean);
    if (gamma.empty()) continue;
    to_gammas[i / own][i % own] = static_cast<T>(inverse * to_normalised);
    to_betas[i / own][i % own] = static_cast<T>(to_shift);
  }
  return result;
}

}  // namespace espalier
