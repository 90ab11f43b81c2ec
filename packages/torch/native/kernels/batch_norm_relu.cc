// Batch norm and the rectified linear units behind it, in as few passes over the values as their statistics allow.
#include <torch/library.h>

#include <algorithm>

#include "arguments.h"
#include "batch_moments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using c10::optional;

struct Sizes {
  int64_t images, channels, height, width;

  int64_t pixels() const { return height * width; }
  int64_t image_size() const { return pixels() * channels; }
  int64_t threads() const { return threads_for(images, images * image_size() * kValueRead); }
  // The whole image is rectified, without padding.
  Convolution frame() const { return {height, width, channels, height, width, channels, 1, 1, 0, 1}; }
};

inline Sizes sizes_of(const Tensor& x) { return {x.size(0), x.size(1), x.size(2), x.size(3)}; }

struct BatchNormReluBackward final : KernelNode {
  SavedVariable values, output, mean, inverse, scale, gamma;

  std::string name() const override { return "batch_norm_relu"; }

  void release() override {
    for (SavedVariable* variable : {&values, &output, &mean, &inverse, &scale, &gamma}) variable->reset_data();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor x = values.unpack();
    return for_type(x.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients[0], x); });
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient, const Tensor& x) {
    const Sizes s = sizes_of(x);
    const Tensor slopes = gradient.contiguous(at::MemoryFormat::ChannelsLast), rectified = output.unpack(shared_from_this());
    const Tensor factors = scale.unpack(), weight = gamma.unpack(), result = at::empty_like(x);
    const T* const from = x.data_ptr<T>();
    const T* const slope_of = slopes.data_ptr<T>();
    const T* const rectified_of = rectified.data_ptr<T>();
    const T* const factor_of = factors.data_ptr<T>();
    T* const to = result.data_ptr<T>();

    const int64_t threads = s.threads();
    // Each thread's gradients of scale, then of shift. Images are summed in float64, since a long sum of float32 loses digits;
    // the pixels of one image are few enough.
    std::vector<std::vector<double>> sums(threads);
    in_chunks(s.images, threads, [&](int64_t thread, int64_t begin, int64_t end) {
      sums[thread].resize(2 * s.channels);
      Scratch<T> part(2 * s.channels);
      for (int64_t image = begin; image < end; ++image) {
        const int64_t at = image * s.image_size();
        std::fill(part.begin(), part.end(), T(0));
        loops<T>().row_input_gradient(s.pixels(), s.channels, slope_of + at, rectified_of + at, from + at, s.channels, factor_of, part.data(),
                                      part.data() + s.channels, to + at, s.channels, false);
        for (int64_t i = 0; i < 2 * s.channels; ++i) sums[thread][i] += static_cast<double>(part[i]);
      }
    });
    const Tensor to_scale = at::empty_like(factors), to_shift = at::empty_like(factors);
    for (int64_t i = 0; i < s.channels; ++i) {
      double of_scale = 0, of_shift = 0;
      for (const std::vector<double>& own : sums) {
        of_scale += own[i];
        of_shift += own[s.channels + i];
      }
      to_scale.data_ptr<T>()[i] = static_cast<T>(of_scale);
      to_shift.data_ptr<T>()[i] = static_cast<T>(of_shift);
    }
    MomentsGradient<T> through = moments_gradient<T>(to_scale, to_shift, {mean.unpack(), Tensor(), inverse.unpack()},
                                                     weight.defined() ? std::vector<Tensor>{weight} : std::vector<Tensor>(), s.images * s.pixels());
    in_chunks(s.images, threads, [&](int64_t, int64_t begin, int64_t end) {
      const int64_t at = begin * s.image_size();
      loops<T>().with_moments_gradient((end - begin) * s.pixels(), s.channels, to + at, from + at, s.channels, through.offset.data(),
                                       through.slope.data(), to + at, s.channels);
    });
    if (!weight.defined()) return {result, Tensor(), Tensor()};
    return {result, through.gamma[0], through.beta[0]};
  }
};

// relu(batch norm(values)) for values [N, C, H, W]. gamma and beta: [C] each, or neither. running: mean, variance and number of
// batches, or nothing.
Tensor batch_norm_relu(const Tensor& values, const optional<Tensor>& gamma, const optional<Tensor>& beta, at::TensorList running, double momentum,
                       double epsilon) {
  const auto type = check_values("values", values, 4, "[N, C, H, W]");
  const Sizes s = sizes_of(values);
  check_population(s.images * s.pixels());
  Affine affine;
  if (gamma) affine.gamma.push_back(*gamma);
  if (beta) affine.beta.push_back(*beta);
  check_norms(type, s.channels, 1, affine.gamma, affine.beta, running);
  const std::vector<Tensor> inputs{values, gamma.value_or(Tensor()), beta.value_or(Tensor())};
  const bool recorded = is_recorded(inputs);
  BatchMoments moments;
  std::vector<Tensor> outputs;
  Tensor x, scale;
  {
    at::NoGradGuard guard;
    x = channels_last(values);
    affine = {all_row_major(affine.gamma), all_row_major(affine.beta)};
    outputs.push_back(at::empty_like(x));
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      const T* const from = x.data_ptr<T>();
      std::vector<T> means(s.images * s.channels), squares(s.images * s.channels);
      in_chunks(s.images, s.threads(), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t image = begin; image < end; ++image)
          loops<T>().moments(from + image * s.image_size(), s.channels, s.pixels(), s.channels, means.data() + image * s.channels,
                             squares.data() + image * s.channels);
      });
      moments = combine_moments<T>(means, squares, s.images, s.pixels(), epsilon, x.options());
      if (!running.empty()) update_running<T>(moments, 0, running[0], running[1], running[2], momentum);
      const auto normalisation = scale_and_shift<T>(moments, affine);
      scale = normalisation.first;
      in_chunks(s.images, s.threads(), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t image = begin; image < end; ++image)
          loops<T>().rectify_padded(s.frame(), from + image * s.image_size(), s.channels, scale.data_ptr<T>(), normalisation.second.template data_ptr<T>(),
                                    0, s.height, outputs[0].data_ptr<T>() + image * s.image_size());
      });
    });
  }
  if (recorded) {
    const auto node = make_node<BatchNormReluBackward>();
    attach(node, inputs, outputs);
    node->values = SavedVariable(x, false);
    node->output = SavedVariable(outputs[0], true);
    node->mean = SavedVariable(moments.mean, false);
    node->inverse = SavedVariable(moments.inverse, false);
    node->scale = SavedVariable(scale, false);
    if (affine.is_learned()) node->gamma = SavedVariable(affine.gamma[0], false);
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("batch_norm_relu(Tensor values, Tensor? gamma, Tensor? beta, Tensor[] running, float momentum, float epsilon) -> Tensor", batch_norm_relu);
}

}  // namespace espalier
