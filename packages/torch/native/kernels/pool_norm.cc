// 3x3 pooling, alone or followed by batch norm without learned scale and shift, as in the candidates of a search (DARTS, section
// A.1.1). The normalisation is returned as a scale and a shift for each channel.
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
using at::TensorList;

// The window that a pooling moves over the images. A batch may be empty, an image not: libtorch has it so too.
Convolution window_over(const Tensor& input, int64_t stride) {
  check_values("input", input, 4, "[N, C, H, W]");
  TORCH_CHECK(input.size(1) > 0 && input.size(2) > 0 && input.size(3) > 0, "argument 'input' is ", shown(input), "; allowed: at least one channel, row and column");
  check_between("stride", stride, 1, kMostStep);
  const auto size = [&](int64_t length) { return (length - 1) / stride + 1; };
  return {input.size(2), input.size(3), input.size(1), size(input.size(2)), size(input.size(3)), input.size(1), 3, stride, 1, 1};
}

// Adds to the gradient of an image what the gradient of the pooled image gives. `taps`: of max pooling; null: average pooling.
template <typename T>
void add_pool_gradient(const Convolution& window, const T* slopes, const uint8_t* taps, T* to) {
  if (taps != nullptr)
    loops<T>().add_max_pool_gradient(window, slopes, taps, to);
  else
    loops<T>().add_average_pool_gradient(window, slopes, to);
}

struct PoolBackward final : KernelNode {
  Convolution window;
  // Of max pooling; undefined for average pooling.
  Tensor taps;

  std::string name() const override { return "pool"; }

  void release() override { taps = Tensor(); }

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    return {for_type(gradient.scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradient); })};
  }

  template <typename T>
  Tensor differentiate_as(const Tensor& gradient) {
    const int64_t images = gradient.size(0), pooled = window.pixels() * window.channels, size = window.height * window.width * window.channels;
    const Tensor result = at::empty({images, window.channels, window.height, window.width}, gradient.options().memory_format(at::MemoryFormat::ChannelsLast));
    in_chunks(images, threads_for(images, images * pooled * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        std::fill_n(result.data_ptr<T>() + image * size, size, T(0));
        add_pool_gradient<T>(window, gradient.data_ptr<T>() + image * pooled, taps.defined() ? taps.data_ptr<uint8_t>() + image * pooled : nullptr,
                             result.data_ptr<T>() + image * size);
      }
    });
    return result;
  }
};

// Vectors have an item for each kind of pooling.
struct PoolNormBackward final : KernelNode {
  Convolution window;
  // Of max pooling; undefined for average pooling.
  std::vector<Tensor> taps;
  std::vector<SavedVariable> values, means, inverses;

  std::string name() const override { return "pool_norm"; }

  void release() override {
    for (std::vector<SavedVariable>* list : {&values, &means, &inverses}) list->clear();
    taps.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    std::vector<Tensor> outputs;
    for (const SavedVariable& value : values) outputs.push_back(value.unpack(shared_from_this()));
    return {for_type(outputs[0].scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients, outputs); })};
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
    in_chunks(images, threads_for(images, images * pixels * channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
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

// Pools one image into `values`, and into `taps` where these are defined.
template <typename T>
void pool_image(const Convolution& c, const Tensor& x, int64_t image, const Tensor& values, const Tensor& taps) {
  const T* const in = x.data_ptr<T>() + image * c.height * c.width * c.channels;
  const int64_t at = image * c.pixels() * c.channels;
  if (taps.defined())
    loops<T>().max_pool(c, in, values.data_ptr<T>() + at, taps.data_ptr<uint8_t>() + at);
  else
    loops<T>().average_pool(c, in, values.data_ptr<T>() + at);
}

// Pools the images by each kind of pooling. Returns the moments of each kind.
template <typename T>
std::vector<BatchMoments> run_forward(const Convolution& c, const Tensor& x, const std::vector<Tensor>& values, const std::vector<Tensor>& taps, double epsilon) {
  const int64_t images = x.size(0), pixels = c.pixels();
  std::vector<std::vector<T>> means(values.size(), std::vector<T>(images * c.channels)), squares = means;
  in_chunks(images, threads_for(images, images * pixels * c.channels * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
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
  const Convolution c = window_over(input, stride);
  const bool recorded = is_recorded({input});
  Tensor taps;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    const Tensor x = channels_last(input);
    outputs.push_back(at::empty({x.size(0), x.size(1), c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
    if (is_max) taps = at::empty({outputs[0].numel()}, x.options().dtype(at::kByte));
    in_chunks(x.size(0), threads_for(x.size(0), outputs[0].numel() * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
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

// For each kind of pooling, max or average: the pooled values [N, C, H', W'] before batch norm, and its scale and shift [C].
// `norms`: how many batch norms each kind has. `running`: their statistics, which the kernel updates; empty: none.
std::vector<Tensor> pool_norm(const Tensor& input, at::IntArrayRef is_max, TensorList running, at::IntArrayRef norms, int64_t stride, double momentum,
                              double epsilon) {
  const Convolution c = window_over(input, stride);
  check_population(input.size(0) * c.pixels());
  TORCH_CHECK(!is_max.empty() && norms.size() == is_max.size(), "there are ", is_max.size(), " kinds of pooling and ", norms.size(),
              " numbers of batch norms; allowed: at least one kind, and a number each");
  int64_t all_norms = 0;
  for (const int64_t count : norms) {
    check_between("norms", count, 1, kMostStep);
    all_norms += count;
  }
  TORCH_CHECK(running.empty() || static_cast<int64_t>(running.size()) == 3 * all_norms, all_norms, " batch norms have ", running.size(),
              " running statistics; allowed: three each, or none");
  for (size_t i = 0; i < running.size(); i += 3) check_running(running[i], running[i + 1], running[i + 2], input.scalar_type(), c.channels);
  const bool recorded = is_recorded({input});
  std::vector<Tensor> outputs, values, taps;
  std::vector<BatchMoments> moments;
  {
    at::NoGradGuard guard;
    const Tensor x = channels_last(input);
    for (const int64_t max : is_max) {
      values.push_back(at::empty({x.size(0), x.size(1), c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
      taps.push_back(max != 0 ? at::empty({values.back().numel()}, x.options().dtype(at::kByte)) : Tensor());
    }
    for_type(input.scalar_type(), [&](auto zero) {
      using T = decltype(zero);
      moments = run_forward<T>(c, x, values, taps, epsilon);
      size_t at = 0;
      for (size_t k = 0; k < values.size(); ++k) {
        // Edges that share a pooling have statistics of their own.
        for (int64_t norm = 0; norm < norms[k] && !running.empty(); ++norm, at += 3)
          update_running<T>(moments[k], 0, running[at], running[at + 1], running[at + 2], momentum);
        const auto normalisation = scale_and_shift<T>(moments[k], {{}, {}});
        outputs.insert(outputs.end(), {values[k], normalisation.first, normalisation.second});
      }
    });
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
