// 3x3 pooling; alone, and with the batch norm without scale and shift behind it, as the candidates of a search have it
// (DARTS, section A.1.1): that normalisation is returned as a factor and a term for each channel.
#include <torch/library.h>

#include "batch_moments.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"
#include "stretches.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

// The window that a pooling moves over images of this size.
Convolution window_over(const char* name, const Tensor& input, int64_t stride) {
  TORCH_CHECK(input.dim() == 4 && (input.scalar_type() == at::kFloat || input.scalar_type() == at::kDouble) && input.device().is_cpu(), name,
              ": the input is ", input.scalar_type(), input.sizes(), " on ", input.device(), "; allowed: float32 or float64 [N, C, H, W] on the CPU");
  const auto size = [&](int64_t length) { return (length - 1) / stride + 1; };
  return {input.size(2), input.size(3), input.size(1), size(input.size(2)), size(input.size(3)), input.size(1), 3, stride, 1, 1};
}

// What goes back to the image from the slopes of one pooled image, added; the taps are those of max pooling.
template <typename T>
void add_pool_gradient(const Convolution& window, const T* slopes, const uint8_t* taps, T* to) {
  if (taps != nullptr)
    loops<T>().add_max_pool_gradient(window, slopes, taps, to);
  else
    loops<T>().add_average_pool_gradient(window, slopes, to);
}

struct PoolBackward : KernelNode {
  Convolution window;
  // Defined for max pooling alone.
  Tensor taps;

  std::string name() const override { return "pool"; }

  void release_variables() override { taps = Tensor(); }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    return {gradient.scalar_type() == at::kFloat ? differentiate_as<float>(gradient) : differentiate_as<double>(gradient)};
  }

  template <typename T>
  Tensor differentiate_as(const Tensor& gradient) {
    const int64_t images = gradient.size(0), pooled = window.pixels() * window.channels, size = window.height * window.width * window.channels;
    const Tensor result =
        at::empty({images, window.channels, window.height, window.width}, gradient.options().memory_format(at::MemoryFormat::ChannelsLast)).zero_();
    in_stretches(images, threads_for(images, images * pooled * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image)
        add_pool_gradient<T>(window, gradient.data_ptr<T>() + image * pooled, taps.defined() ? taps.data_ptr<uint8_t>() + image * pooled : nullptr,
                             result.data_ptr<T>() + image * size);
    });
    return result;
  }
};

struct PoolNormBackward : KernelNode {
  Convolution window;
  // Defined for max pooling alone.
  Tensor taps;
  SavedVariable values, mean, inverse;

  std::string name() const override { return "pool_norm"; }

  void release_variables() override {
    values.reset_data();
    mean.reset_data();
    inverse.reset_data();
    taps = Tensor();
  }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor output = values.unpack(shared_from_this());
    return {output.scalar_type() == at::kFloat ? differentiate_as<float>(gradients, output) : differentiate_as<double>(gradients, output)};
  }

  template <typename T>
  Tensor differentiate_as(const variable_list& gradients, const Tensor& output) {
    const Loops<T>& loop = loops<T>();
    const int64_t images = output.size(0), pixels = window.pixels(), channels = window.channels;
    const Tensor gradient = gradients[0].defined() ? gradients[0].contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
    const MomentsGradient<T> through =
        moments_gradient<T>(gradients[1], gradients[2], {mean.unpack(), Tensor(), inverse.unpack()}, {}, images * pixels);
    Tensor result = at::empty({images, channels, window.height, window.width}, output.options().memory_format(at::MemoryFormat::ChannelsLast)).zero_();
    const T* const slopes = data_or_null<T>(gradient);
    in_stretches(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      Scratch<T> total(pixels * channels);
      for (int64_t image = begin; image < end; ++image) {
        const int64_t at = image * pixels * channels;
        loop.with_moments_gradient(pixels, channels, slopes == nullptr ? nullptr : slopes + at, output.data_ptr<T>() + at, channels,
                                   through.offset.data(), through.slope.data(), total.data(), channels);
        add_pool_gradient<T>(window, total.data(), taps.defined() ? taps.data_ptr<uint8_t>() + at : nullptr,
                             result.data_ptr<T>() + image * window.height * window.width * channels);
      }
    });
    return result;
  }
};

// Pools one image into `values`.
template <typename T>
void pool_image(const Convolution& c, const Tensor& x, int64_t image, const Tensor& values, const Tensor& taps) {
  const T* const in = x.data_ptr<T>() + image * c.height * c.width * c.channels;
  const int64_t at = image * c.pixels() * c.channels;
  if (taps.defined())
    loops<T>().max_pool(c, in, values.data_ptr<T>() + at, taps.data_ptr<uint8_t>() + at);
  else
    loops<T>().average_pool(c, in, values.data_ptr<T>() + at);
}

template <typename T>
BatchMoments run_forward(const Convolution& c, const Tensor& x, const Tensor& values, const Tensor& taps, double epsilon) {
  const int64_t images = x.size(0), pixels = c.pixels();
  std::vector<T> means(images * c.channels), squares(images * c.channels);
  in_stretches(images, threads_for(images, images * pixels * c.channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image) {
      pool_image<T>(c, x, image, values, taps);
      loops<T>().moments(values.data_ptr<T>() + image * pixels * c.channels, c.channels, pixels, c.channels, means.data() + image * c.channels, squares.data() + image * c.channels);
    }
  });
  return combine_moments<T>(means, squares, images, pixels, epsilon, x.options());
}

// The pooled values [N, C, H', W'].
Tensor pool(const Tensor& input, bool is_max, int64_t stride) {
  const Convolution c = window_over("pool", input, stride);
  const bool recorded = is_recorded({input});
  Tensor taps;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    outputs.push_back(at::empty({x.size(0), x.size(1), c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
    if (is_max) taps = at::empty({outputs[0].numel()}, x.options().dtype(at::kByte));
    in_stretches(x.size(0), threads_for(x.size(0), outputs[0].numel() * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image)
        if (x.scalar_type() == at::kFloat)
          pool_image<float>(c, x, image, outputs[0], taps);
        else
          pool_image<double>(c, x, image, outputs[0], taps);
    });
  }
  if (recorded) {
    const auto node = make_node<PoolBackward>();
    attach(node, {input}, outputs);
    node->window = c;
    node->taps = taps;
  }
  return outputs[0];
}

// Returns the pooled values [N, C, H', W'] before their batch norm, and its scale and shift [C].
std::tuple<Tensor, Tensor, Tensor> pool_norm(const Tensor& input, bool is_max, TensorList running, int64_t stride, double momentum, double epsilon) {
  const Convolution c = window_over("pool_norm", input, stride);
  TORCH_CHECK(input.size(0) * c.pixels() > 1, "pool_norm: one value a channel has no variance to normalise by");
  for (size_t k = 0; k + 2 < running.size(); k += 3) check_norms("pool_norm", input.size(1), 1, {}, {}, running.slice(k, 3));
  const bool recorded = is_recorded({input});
  Tensor values, taps;
  BatchMoments moments;
  std::pair<Tensor, Tensor> normalisation;
  {
    at::NoGradGuard guard;
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    values = at::empty({x.size(0), x.size(1), c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
    if (is_max) taps = at::empty({values.numel()}, x.options().dtype(at::kByte));
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      moments = run_forward<T>(c, x, values, taps, epsilon);
      // Several edges may have this pooling in common, each with statistics of its own.
      for (size_t k = 0; k + 2 < running.size(); k += 3) follow<T>(moments, 0, running[k], running[k + 1], running[k + 2], momentum);
      normalisation = scale_and_shift<T>(moments, {{}, {}});
    };
    if (x.scalar_type() == at::kFloat)
      run(0.0f);
    else
      run(0.0);
  }
  std::vector<Tensor> outputs{values, normalisation.first, normalisation.second};
  if (recorded) {
    const auto node = make_node<PoolNormBackward>();
    attach(node, {input}, outputs);
    node->window = c;
    node->taps = taps;
    node->values = SavedVariable(outputs[0], true);
    node->mean = SavedVariable(moments.mean, false);
    node->inverse = SavedVariable(moments.inverse, false);
  }
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("pool(Tensor input, bool is_max, int stride) -> Tensor", pool);
  library.def("pool_norm(Tensor input, bool is_max, Tensor[] running, int stride, float momentum, float epsilon) -> (Tensor, Tensor, Tensor)", pool_norm);
}

}  // namespace espalier
