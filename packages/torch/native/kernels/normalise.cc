// Batch norm of any values, its normalisation left to whoever reads them: the factor and the term for each channel.
#include <torch/library.h>

#include "batch_moments.h"
#include "gradient.h"
#include "loops.h"
#include "stretches.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

struct NormaliseBackward : KernelNode {
  SavedVariable values, mean, inverse;
  std::vector<SavedVariable> gamma;

  std::string name() const override { return "normalise"; }

  void release_variables() override {
    values.reset_data();
    mean.reset_data();
    inverse.reset_data();
    gamma.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor x = values.unpack();
    return x.scalar_type() == at::kFloat ? differentiate_as<float>(gradients, x) : differentiate_as<double>(gradients, x);
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
      in_stretches(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
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

// Scale and shift [C] of values [N, C, H, W]; gamma, beta and running for each group of channels in turn.
std::tuple<Tensor, Tensor> normalise(const Tensor& values, TensorList gamma, TensorList beta, TensorList running, double momentum, double epsilon) {
  const auto type = values.scalar_type();
  TORCH_CHECK(values.dim() == 4 && (type == at::kFloat || type == at::kDouble) && values.device().is_cpu(), "normalise: the values are ", type,
              values.sizes(), " on ", values.device(), "; allowed: float32 or float64 [N, C, H, W] on the CPU");
  const int64_t images = values.size(0), channels = values.size(1), pixels = values.size(2) * values.size(3);
  TORCH_CHECK(images * pixels > 1, "normalise: one value a channel has no variance to normalise by");
  check_norms("normalise", channels, std::max<int64_t>({1, static_cast<int64_t>(gamma.size()), static_cast<int64_t>(running.size()) / 3}), gamma, beta, running);
  std::vector<Tensor> inputs{values};
  inputs.insert(inputs.end(), gamma.begin(), gamma.end());
  inputs.insert(inputs.end(), beta.begin(), beta.end());
  const bool recorded = is_recorded(inputs);
  BatchMoments moments;
  std::vector<Tensor> outputs;
  Tensor x;
  {
    at::NoGradGuard guard;
    x = values.contiguous(at::MemoryFormat::ChannelsLast);
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> means(images * channels), squares(images * channels);
      in_stretches(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t image = begin; image < end; ++image)
          loops<T>().moments(x.data_ptr<T>() + image * pixels * channels, channels, pixels, channels, means.data() + image * channels,
                             squares.data() + image * channels);
      });
      moments = combine_moments<T>(means, squares, images, pixels, epsilon, x.options());
      int64_t first = 0;
      for (size_t k = 0; k + 2 < running.size(); k += 3) {
        follow<T>(moments, first, running[k], running[k + 1], running[k + 2], momentum);
        first += running[k].numel();
      }
      const auto normalisation = scale_and_shift<T>(moments, {gamma, beta});
      outputs = {normalisation.first, normalisation.second};
    };
    if (type == at::kFloat)
      run(0.0f);
    else
      run(0.0);
  }
  if (recorded) {
    const auto node = make_node<NormaliseBackward>();
    attach(node, inputs, outputs);
    node->values = SavedVariable(x, false);
    node->mean = SavedVariable(moments.mean, false);
    node->inverse = SavedVariable(moments.inverse, false);
    node->gamma = saved(gamma);
  }
  return {outputs[0], outputs[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("normalise(Tensor values, Tensor[] gamma, Tensor[] beta, Tensor[] running, float momentum, float epsilon) -> (Tensor, Tensor)", normalise);
}

}  // namespace espalier
