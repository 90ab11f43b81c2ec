// Batch norm that leaves its result to the next kernel: a scale and a shift for each channel, which that kernel applies.
#include <torch/library.h>

#include "arguments.h"
#include "batch_moments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

struct NormaliseBackward final : KernelNode {
  SavedVariable values, mean, inverse;
  std::vector<SavedVariable> gamma;

  std::string name() const override { return "normalise"; }

  void release() override {
    values.reset_data();
    mean.reset_data();
    inverse.reset_data();
    gamma.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor x = values.unpack();
    return for_type(x.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients, x); });
  }

  template <typename T>
  variable_list differentiate_as(const variable_list& gradients, const Tensor& x) {
    const int64_t images = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
    const std::vector<Tensor> gammas = unpacked(gamma);
    MomentsGradient<T> through =
        moments_gradient<T>(gradients[0], gradients[1], {mean.unpack(), Tensor(), inverse.unpack()}, gammas, images * pixels);
    variable_list to(1);
    if (wants(0)) {
      to[0] = at::empty_like(x);
      in_chunks(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
        const int64_t at = begin * pixels * channels;
        loops<T>().with_moments_gradient((end - begin) * pixels, channels, nullptr, x.data_ptr<T>() + at, channels, through.offset.data(),
                                         through.slope.data(), to[0].data_ptr<T>() + at, channels);
      });
    }
    to.insert(to.end(), through.gamma.begin(), through.gamma.end());
    to.insert(to.end(), through.beta.begin(), through.beta.end());
    return to;
  }
};

// Scale and shift [C] of values [N, C, H, W] by `norms` batch norms, which have equal shares of the channels, in order.
std::tuple<Tensor, Tensor> normalise(const Tensor& values, int64_t norms, TensorList gamma, TensorList beta, TensorList running, double momentum,
                                     double epsilon) {
  const auto type = check_values("values", values, 4, "[N, C, H, W]");
  const int64_t images = values.size(0), channels = values.size(1), pixels = values.size(2) * values.size(3);
  check_population(images * pixels);
  check_between("norms", norms, 1, kMostStep);
  check_norms(type, channels, norms, gamma, beta, running);
  std::vector<Tensor> inputs{values};
  inputs.insert(inputs.end(), gamma.begin(), gamma.end());
  inputs.insert(inputs.end(), beta.begin(), beta.end());
  const bool recorded = is_recorded(inputs);
  BatchMoments moments;
  std::vector<Tensor> outputs;
  Tensor x;
  Affine affine;
  {
    at::NoGradGuard guard;
    x = channels_last(values);
    affine = {all_row_major(gamma), all_row_major(beta)};
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> means(images * channels), squares(images * channels);
      in_chunks(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t image = begin; image < end; ++image)
          loops<T>().moments(x.data_ptr<T>() + image * pixels * channels, channels, pixels, channels, means.data() + image * channels,
                             squares.data() + image * channels);
      });
      moments = combine_moments<T>(means, squares, images, pixels, epsilon, x.options());
      int64_t first = 0;
      for (size_t k = 0; k < running.size(); k += 3) {
        update_running<T>(moments, first, running[k], running[k + 1], running[k + 2], momentum);
        first += running[k].numel();
      }
      const auto normalisation = scale_and_shift<T>(moments, affine);
      outputs = {normalisation.first, normalisation.second};
    });
  }
  if (recorded) {
    const auto node = make_node<NormaliseBackward>();
    attach(node, inputs, outputs);
    node->values = SavedVariable(x, false);
    node->mean = SavedVariable(moments.mean, false);
    node->inverse = SavedVariable(moments.inverse, false);
    node->gamma = saved(affine.gamma);
  }
  return {outputs[0], outputs[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("normalise(Tensor values, int norms, Tensor[] gamma, Tensor[] beta, Tensor[] running, float momentum, float epsilon) -> (Tensor, Tensor)", normalise);
}

}  // namespace espalier
