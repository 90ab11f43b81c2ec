// 3x3 pooling; alone, and with the batch norm without scale and shift behind it, as the candidates of a search have it
// (DARTS, section A.1.1): that normalisation is returned as a factor and a term for each channel.
#include <torch/library.h>

#include <algorithm>

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
    const Tensor result = at::empty({images, window.channels, window.height, window.width}, gradient.options().memory_format(at::MemoryFormat::ChannelsLast));
    in_stretches(images, threads_for(images, images * pooled * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        std::fill_n(result.data_ptr<T>() + image * size, size, T(0));
        add_pool_gradient<T>(window, gradient.data_ptr<T>() + image * pooled, taps.defined() ? taps.data_ptr<uint8_t>() + image * pooled : nullptr,
                             result.data_ptr<T>() + image * size);
      }
    });
    return result;
  }
};

// Of each kind.
struct PoolNormBackward : KernelNode {
  Convolution window;
  // Defined for max pooling alone.
  std::vector<Tensor> taps;
  std::vector<SavedVariable> values, means, inverses;

  std::string name() const override { return "pool_norm"; }

  void release_variables() override {
    for (std::vector<SavedVariable>* list : {&values, &means, &inverses}) list->clear();
    taps.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    std::vector<Tensor> outputs;
    for (const SavedVariable& value : values) outputs.push_back(value.unpack(shared_from_this()));
    return {outputs[0].scalar_type() == at::kFloat ? differentiate_as<float>(gradients, outputs) : differentiate_as<double>(gradients, outputs)};
  }

  template <typename T>
  Tensor differentiate_as(const variable_list& gradients, const std::vector<Tensor>& outputs) {
    const Loops<T>& loop = loops<T>();
    const int64_t images = outputs[0].size(0), pixels = window.pixels(), channels = window.channels, size = window.height * window.width * channels;
    std::vector<Tensor> kept;
    std::vector<const T*> slopes, pooled;
    std::vector<const uint8_t*> taken;
    std::vector<MomentsGradient<T>> through;
    for (size_t k = 0; k < outputs.size(); ++k) {
      kept.push_back(gradients[3 * k].defined() ? gradients[3 * k].contiguous(at::MemoryFormat::ChannelsLast) : Tensor());
      slopes.push_back(data_or_null<T>(kept[k]));
      pooled.push_back(outputs[k].data_ptr<T>());
      taken.push_back(data_or_null<uint8_t>(taps[k]));
      through.push_back(moments_gradient<T>(gradients[3 * k + 1], gradients[3 * k + 2], {means[k].unpack(), Tensor(), inverses[k].unpack()}, {}, images * pixels));
    }
    const Tensor result = at::empty({images, channels, window.height, window.width}, outputs[0].options().memory_format(at::MemoryFormat::ChannelsLast));
    T* const to = result.data_ptr<T>();
    in_stretches(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      Scratch<T> total(pixels * channels);
      for (int64_t image = begin; image < end; ++image) {
        const int64_t at = image * pixels * channels;
        std::fill_n(to + image * size, size, T(0));
        for (size_t k = 0; k < outputs.size(); ++k) {
          loop.with_moments_gradient(pixels, channels, slopes[k] == nullptr ? nullptr : slopes[k] + at, pooled[k] + at, channels,
                                     through[k].offset.data(), through[k].slope.data(), total.data(), channels);
          add_pool_gradient<T>(window, total.data(), taken[k] == nullptr ? nullptr : taken[k] + at, to + image * size);
        }
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

// Of each kind.
template <typename T>
std::vector<BatchMoments> run_forward(const Convolution& c, const Tensor& x, const std::vector<Tensor>& values, const std::vector<Tensor>& taps, double epsilon) {
  const int64_t images = x.size(0), pixels = c.pixels();
  std::vector<std::vector<T>> means(values.size(), std::vector<T>(images * c.channels)), squares = means;
  in_stretches(images, threads_for(images, images * pixels * c.channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image)
      for (size_t k = 0; k < values.size(); ++k) {
        pool_image<T>(c, x, image, values[k], taps[k]);
        loops<T>().moments(values[k].data_ptr<T>() + image * pixels * c.channels, c.channels, pixels, c.channels, means[k].data() + image * c.channels,
                           squares[k].data() + image * c.channels);
      }
  });
  std::vector<BatchMoments> result;
  for (size_t k = 0; k < values.size(); ++k) result.push_back(combine_moments<T>(means[k], squares[k], images, pixels, epsilon, x.options()));
  return result;
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

// Of each kind, max pooling or average: the pooled values [N, C, H', W'] before their batch norm, and its scale and shift [C].
// `norms`: how many batch norms of each kind, whose running statistics follow.
std::vector<Tensor> pool_norm(const Tensor& input, at::IntArrayRef is_max, TensorList running, at::IntArrayRef norms, int64_t stride, double momentum,
                              double epsilon) {
  const Convolution c = window_over("pool_norm", input, stride);
  TORCH_CHECK(input.size(0) * c.pixels() > 1, "pool_norm: one value a channel has no variance to normalise by");
  TORCH_CHECK(!is_max.empty() && norms.size() == is_max.size(), "pool_norm: there are ", is_max.size(), " kinds of pooling and ", norms.size(),
              " numbers of batch norms; allowed: at least one kind, and a number each");
  for (size_t k = 0; k + 2 < running.size(); k += 3) check_norms("pool_norm", input.size(1), 1, {}, {}, running.slice(k, 3));
  const bool recorded = is_recorded({input});
  std::vector<Tensor> outputs, values, taps;
  std::vector<BatchMoments> moments;
  {
    at::NoGradGuard guard;
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    for (const int64_t max : is_max) {
      values.push_back(at::empty({x.size(0), x.size(1), c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
      taps.push_back(max != 0 ? at::empty({values.back().numel()}, x.options().dtype(at::kByte)) : Tensor());
    }
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      moments = run_forward<T>(c, x, values, taps, epsilon);
      size_t at = 0;
      for (size_t k = 0; k < values.size(); ++k) {
        // Several edges may have a pooling in common, each with statistics of its own.
        for (int64_t norm = 0; norm < norms[k] && !running.empty(); ++norm, at += 3)
          follow<T>(moments[k], 0, running[at], running[at + 1], running[at + 2], momentum);
        const auto normalisation = scale_and_shift<T>(moments[k], {{}, {}});
        outputs.insert(outputs.end(), {values[k], normalisation.first, normalisation.second});
      }
    };
    if (x.scalar_type() == at::kFloat)
      run(0.0f);
    else
      run(0.0);
  }
  if (recorded) {
    const auto node = make_node<PoolNormBackward>();
    attach(node, {input}, outputs);
    node->window = c;
    node->taps = taps;
    for (size_t k = 0; k < values.size(); ++k) {
      node->values.emplace_back(outputs[3 * k], true);
      node->means.emplace_back(moments[k].mean, false);
      node->inverses.emplace_back(moments[k].inverse, false);
    }
  }
  return outputs;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def("pool(Tensor input, bool is_max, int stride) -> Tensor", pool);
  library.def("pool_norm(Tensor input, int[] is_max, Tensor[] running, int[] norms, int stride, float momentum, float epsilon) -> Tensor[]", pool_norm);
}

}  // namespace espalier
