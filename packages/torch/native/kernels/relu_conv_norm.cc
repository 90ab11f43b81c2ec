// Rectified linear units, a depthwise separable (or only pointwise) convolution and batch norm: the unit that the cells of
// DARTS and NASNet are made of, for several edges at once that read the same image or one each. The normalisation of the
// input is applied while it is read, the output's is returned as a factor and a term for each channel.
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
using c10::optional;

// One call's sizes.
struct Unit {
  Convolution convolution;
  int64_t images, groups;
  // All groups read the same channels.
  bool shared;
  bool has_filters;

  int64_t items() const { return images * groups; }
  int64_t in_channels() const { return shared ? convolution.channels : convolution.channels * groups; }
  int64_t out_channels() const { return convolution.out_channels * groups; }
  int64_t multiply_adds() const {
    const Convolution& c = convolution;
    return items() * c.pixels() * c.channels * ((has_filters ? c.kernel * c.kernel : 0) + c.out_channels);
  }
};

Unit unit_of(const Tensor& x, TensorList filters, TensorList products, int64_t stride, int64_t padding, int64_t dilation) {
  TORCH_CHECK(x.dim() == 4 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) && x.device().is_cpu(),
              "relu_conv_norm: the input is ", x.scalar_type(), x.sizes(), " on ", x.device(), "; allowed: float32 or float64 [N, C, H, W] on the CPU");
  TORCH_CHECK(!products.empty() && (filters.empty() || filters.size() == products.size()),
              "relu_conv_norm: there are ", filters.size(), " depthwise and ", products.size(), " pointwise weights; allowed: as many, or no depthwise");
  const int64_t groups = static_cast<int64_t>(products.size());
  const int64_t channels = products[0].size(1), out = products[0].size(0);
  TORCH_CHECK(x.size(1) == channels || x.size(1) == channels * groups, "relu_conv_norm: the input has ", x.size(1),
              " channels; allowed: ", channels, " for all edges, or ", channels * groups);
  const int64_t kernel = filters.empty() ? 1 : filters[0].size(2);
  TORCH_CHECK(kernel == 1 || kernel == 3 || kernel == 5 || kernel == 7, "relu_conv_norm: the filters are ", kernel, " wide; allowed: 1, 3, 5, 7");
  for (const Tensor& weight : products)
    TORCH_CHECK(weight.sizes() == at::IntArrayRef({out, channels, 1, 1}) && weight.scalar_type() == x.scalar_type(),
                "relu_conv_norm: a pointwise weight is ", weight.scalar_type(), weight.sizes());
  for (const Tensor& weight : filters)
    TORCH_CHECK(weight.sizes() == at::IntArrayRef({channels, 1, kernel, kernel}) && weight.scalar_type() == x.scalar_type(),
                "relu_conv_norm: a depthwise weight is ", weight.scalar_type(), weight.sizes());
  const auto size = [&](int64_t length) { return (length + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1; };
  const int64_t height = size(x.size(2)), width = size(x.size(3));
  TORCH_CHECK(padding >= 0 && padding <= (kernel - 1) * dilation && (!filters.empty() || stride == 1),
              "relu_conv_norm: filters ", kernel, " wide, stride ", stride, ", padding ", padding, ", dilation ", dilation,
              "; allowed: padding from 0 to dilation (width - 1), and stride 1 where there are no filters");
  TORCH_CHECK(height > 0 && width > 0 && x.size(0) > 0, "relu_conv_norm: nothing is left of an input ", x.sizes(), " for filters ", kernel, " wide");
  return {{x.size(2), x.size(3), channels, height, width, out, kernel, stride, padding, dilation},
          x.size(0), groups, x.size(1) == channels, !filters.empty()};
}

// The filters of each group as [taps, channels], in turn or from the last tap to the first.
template <typename T>
Scratch<T> packed_filters(const Unit& unit, const std::vector<Tensor>& filters, bool reversed) {
  const int64_t taps = unit.convolution.kernel * unit.convolution.kernel, channels = unit.convolution.channels;
  Scratch<T> packed(unit.groups * taps * channels, T(1));
  for (size_t group = 0; group < filters.size(); ++group) {
    const Tensor weight = filters[group].contiguous();
    const T* const from = weight.data_ptr<T>();
    T* const to = packed.data() + group * taps * channels;
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t i = 0; i < channels; ++i) to[tap * channels + i] = from[i * taps + (reversed ? taps - 1 - tap : tap)];
  }
  return packed;
}

// Calls body(begin, end) for strips of an image's rows, in turn, so narrow that what one step leaves of a strip is still in the
// nearest cache when the next one reads it, but of so many pixels that the weights of the products are worth reading.
template <typename T, typename Body>
void in_strips(int64_t height, int64_t width, int64_t channels, const Body& body) {
  constexpr int64_t kStripBytes = 16 << 10, kLeastPixels = 64;
  const int64_t pixels = std::max<int64_t>(kLeastPixels, kStripBytes / (channels * static_cast<int64_t>(sizeof(T))));
  const int64_t rows = std::max<int64_t>(1, pixels / width);
  for (int64_t row = 0; row < height; row += rows) body(row, std::min(height, row + rows));
}

// The rectified image that the filters read, made row by row as it is asked for. Without filters each row is read once: only
// those asked for last are kept.
template <typename T>
class Rectified {
 public:
  Rectified(const Unit& unit, const T* scale, const T* shift) : unit_(unit), scale_(scale), shift_(shift) {}

  // Of the channels from `first` on of an image, whose pixels begin `in_channels` values behind one another.
  void begin_image(const T* image, int64_t first) {
    from_ = image + first;
    first_ = first;
    ready_ = 0;
  }

  // Where the padded row `begin` begins; it and those up to `end` are there.
  const T* rows(int64_t begin, int64_t end) {
    const Convolution& c = unit_.convolution;
    const int64_t row_size = c.padded_width() * c.channels;
    if (!unit_.has_filters) {
      rectify(begin, end, 0);
      return values_.data();
    }
    if (ready_ < end) rectify(ready_, end, ready_ * row_size);
    ready_ = std::max(ready_, end);
    return values_.data() + begin * row_size;
  }

 private:
  void rectify(int64_t begin, int64_t end, int64_t place) {
    const Convolution& c = unit_.convolution;
    const size_t size = unit_.has_filters ? c.padded_size() : (end - begin) * c.padded_width() * c.channels;
    if (values_.size() < size) values_.resize(size);
    loops<T>().rectify_padded(c, from_, unit_.in_channels(), scale_ == nullptr ? nullptr : scale_ + first_,
                              shift_ == nullptr ? nullptr : shift_ + first_, begin, end, values_.data() + place);
  }

  const Unit& unit_;
  const T* const scale_;
  const T* const shift_;
  const T* from_ = nullptr;
  int64_t first_ = 0, ready_ = 0;
  Scratch<T> values_;
};

struct Forward {
  Tensor values;
  BatchMoments moments;
};

template <typename T>
Forward run_forward(const Unit& unit, const Tensor& x, const Tensor& scale, const Tensor& shift, const std::vector<Tensor>& filters,
                    const std::vector<Tensor>& products, double epsilon, TensorList running, double momentum) {
  const Loops<T>& loop = loops<T>();
  const Convolution& c = unit.convolution;
  const int64_t pixels = c.pixels(), out = unit.out_channels();
  Forward result;
  result.values = at::empty({unit.images, out, c.out_height, c.out_width}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Scratch<T> taps = packed_filters<T>(unit, filters, false);
  Scratch<T> weights(unit.groups * c.channels * c.out_channels);
  for (int64_t group = 0; group < unit.groups; ++group) {
    const Tensor weight = products[group].contiguous();
    for (int64_t i = 0; i < c.channels; ++i)
      for (int64_t o = 0; o < c.out_channels; ++o)
        weights[(group * c.channels + i) * c.out_channels + o] = weight.data_ptr<T>()[o * c.channels + i];
  }
  std::vector<T> means(unit.images * out), squares(unit.images * out);
  const T* const in = x.data_ptr<T>();
  const T* const scales = data_or_null<T>(scale);
  const T* const shifts = data_or_null<T>(shift);
  const int64_t image_size = c.height * c.width * unit.in_channels();
  in_stretches(unit.items(), threads_for(unit.items(), unit.multiply_adds()), [&](int64_t, int64_t begin, int64_t end) {
    Rectified<T> rectified(unit, scales, shifts);
    Scratch<T> filtered;
    int64_t prepared = -1;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t image = item / unit.groups, group = item % unit.groups;
      if (!unit.shared || prepared != image) rectified.begin_image(in + image * image_size, unit.shared ? 0 : group * c.channels);
      prepared = image;
      T* const values = result.values.data_ptr<T>() + image * pixels * out + group * c.out_channels;
      in_strips<T>(c.out_height, c.out_width, c.channels, [&](int64_t row, int64_t row_end) {
        const int64_t strip = (row_end - row) * c.out_width;
        const T* read = rectified.rows(row * c.stride, (row_end - 1) * c.stride + c.extent() + 1);
        if (unit.has_filters) {
          filtered.resize(std::max<size_t>(filtered.size(), strip * c.channels));
          loop.depthwise(c, c.stride, read, c.padded_width(), taps.data() + group * c.kernel * c.kernel * c.channels, filtered.data(),
                         row_end - row, c.out_width, false);
          read = filtered.data();
        }
        loop.product(read, c.channels, weights.data() + group * c.channels * c.out_channels, values + row * c.out_width * out, out, strip,
                     c.channels, c.out_channels);
      });
      const int64_t at = image * out + group * c.out_channels;
      loop.moments(values, out, pixels, c.out_channels, means.data() + at, squares.data() + at);
    }
  });
  result.moments = combine_moments<T>(means, squares, unit.images, pixels, epsilon, x.options());
  for (size_t k = 0; k + 2 < running.size(); k += 3)
    follow<T>(result.moments, static_cast<int64_t>(k / 3) * c.out_channels, running[k], running[k + 1], running[k + 2], momentum);
  return result;
}

struct Wanted {
  bool input, scale, filters, products;
};

struct Backward {
  Tensor input, scale, shift;
  std::vector<Tensor> filters, products;
};

// One thread's sums.
template <typename T>
struct Sums {
  Scratch<T> filters, products, scale, shift;
};

template <typename T>
Backward run_backward(const Unit& unit, const Tensor& gradient, const MomentsGradient<T>& through_moments, const Tensor& x,
                      const Tensor& scale, const Tensor& shift, const std::vector<Tensor>& filters, const std::vector<Tensor>& products,
                      const Tensor& values, const Wanted& wanted) {
  const Loops<T>& loop = loops<T>();
  const Convolution& c = unit.convolution;
  const int64_t pixels = c.pixels(), out = unit.out_channels(), in_channels = unit.in_channels(), taps = c.kernel * c.kernel;
  const int64_t image_size = c.height * c.width * in_channels;
  const bool to_input = wanted.input || wanted.scale;
  const Scratch<T> forward = packed_filters<T>(unit, filters, false), reversed = packed_filters<T>(unit, filters, true);
  std::vector<Tensor> weights;
  for (const Tensor& weight : products) weights.push_back(weight.contiguous());
  Backward result;
  // The rows and columns of the padded image that lie in the image.
  const int64_t top = c.padding, left = c.padding;
  const int64_t bottom = std::min(c.padded_height(), c.height + c.padding), right = std::min(c.padded_width(), c.width + c.padding);
  if (to_input) {
    result.input = at::empty({unit.images, in_channels, c.height, c.width}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
    if (bottom - top < c.height || right - left < c.width) result.input.zero_();
  }
  const T* const in = x.data_ptr<T>();
  const T* const scales = data_or_null<T>(scale);
  const T* const shifts = data_or_null<T>(shift);
  const T* const slopes = data_or_null<T>(gradient);

  // Items that write into the same image must be one thread's.
  const int64_t work = unit.shared ? unit.images : unit.items(), each = unit.shared ? unit.groups : 1;
  const int64_t threads = threads_for(work, unit.multiply_adds());
  std::vector<Sums<T>> sums(threads);
  // With stride 1 the gradient is surrounded by as many zeros as a filter reaches: then it is filtered as the image was.
  const int64_t border = c.stride == 1 ? c.extent() : 0;
  const int64_t bordered_width = c.out_width + 2 * border;
  in_stretches(work, threads, [&](int64_t thread, int64_t begin, int64_t end) {
    Sums<T>& own = sums[thread];
    own.filters.resize(wanted.filters ? unit.groups * taps * c.channels : 0);
    own.products.resize(wanted.products ? unit.groups * c.out_channels * c.channels : 0);
    own.scale.resize(in_channels);
    own.shift.resize(in_channels);
    Rectified<T> rectified(unit, scales, shifts);
    Scratch<T> total, filtered, bordered((unit.has_filters ? c.out_height + 2 * border : 0) * bordered_width * c.channels);
    // Of all edges that read the image.
    Scratch<T> to_rectified;
    int64_t prepared = -1;
    for (int64_t item = begin * each; item < end * each; ++item) {
      const int64_t image = item / unit.groups, group = item % unit.groups;
      const int64_t first = unit.shared ? 0 : group * c.channels, out_first = group * c.out_channels;
      const T* const from = in + image * image_size + first;
      if (!unit.shared || prepared != image) rectified.begin_image(in + image * image_size, first);
      prepared = image;
      const int64_t group_taps = group * taps * c.channels;
      // From the gradient of the rectified values of some rows of the padded image to that of the image.
      const auto to_image = [&](int64_t row, int64_t row_end, const T* slopes_of, int64_t slope_row, const T* rectified_rows, bool adds) {
        T* const to = result.input.data_ptr<T>() + image * image_size + first;
        for (; row < row_end; ++row, slopes_of += slope_row, rectified_rows += c.padded_width() * c.channels) {
          const int64_t at = (row - c.padding) * c.width * in_channels;
          loop.row_input_gradient(right - left, c.channels, slopes_of, rectified_rows + left * c.channels, from + at, in_channels,
                                  scales == nullptr ? nullptr : scales + first, own.scale.data() + first, own.shift.data() + first,
                                  to + at, in_channels, adds);
        }
      };
      T* const inner = bordered.data() + (border * bordered_width + border) * c.channels;
      in_strips<T>(c.out_height, c.out_width, std::max(c.channels, c.out_channels), [&](int64_t row, int64_t row_end) {
        const int64_t rows = row_end - row, strip = rows * c.out_width;
        const int64_t at = (image * pixels + row * c.out_width) * out + out_first;
        total.resize(std::max<size_t>(total.size(), strip * c.out_channels));
        loop.with_moments_gradient(strip, c.out_channels, slopes == nullptr ? nullptr : slopes + at, values.data_ptr<T>() + at, out,
                                   through_moments.offset.data() + out_first, through_moments.slope.data() + out_first, total.data(), c.out_channels);
        const T* const read = rectified.rows(row * c.stride, (row_end - 1) * c.stride + c.extent() + 1);
        filtered.resize(std::max<size_t>(filtered.size(), strip * c.channels));
        if (wanted.products) {
          // Filtered again, which costs less than to have kept it.
          if (unit.has_filters)
            loop.depthwise(c, c.stride, read, c.padded_width(), forward.data() + group_taps, filtered.data(), rows, c.out_width, false);
          loop.add_outer_products(total.data(), c.out_channels, unit.has_filters ? filtered.data() : read, c.channels,
                                  own.products.data() + group * c.out_channels * c.channels, strip, c.out_channels, c.channels);
        }
        if (!unit.has_filters && to_input) {
          loop.product(total.data(), c.out_channels, weights[group].data_ptr<T>(), filtered.data(), c.channels, strip, c.out_channels, c.channels);
          to_image(row, row_end, filtered.data(), c.out_width * c.channels, read, unit.shared && group > 0);
        }
        if (unit.has_filters && (to_input || wanted.filters))
          for (int64_t y = row; y < row_end; ++y)
            loop.product(total.data() + (y - row) * c.out_width * c.out_channels, c.out_channels, weights[group].data_ptr<T>(),
                         inner + y * bordered_width * c.channels, c.channels, c.out_width, c.out_channels, c.channels);
      });
      if (!unit.has_filters) continue;
      if (wanted.filters)
        loop.add_depthwise_weight_gradient(c, rectified.rows(0, c.padded_height()), inner, bordered_width, own.filters.data() + group_taps);
      if (!to_input) continue;
      const bool is_first = group == 0 || !unit.shared, is_last = group + 1 == unit.groups || !unit.shared;
      if (c.stride == 1) {
        in_strips<T>(c.height, c.width, c.channels, [&](int64_t row, int64_t row_end) {
          // What no other edge adds to is read at once and not kept.
          const int64_t place = is_first && is_last ? 0 : row * c.width * c.channels;
          to_rectified.resize(std::max<size_t>(to_rectified.size(), place + (row_end - row) * c.width * c.channels));
          loop.depthwise(c, 1, bordered.data() + ((row + c.padding) * bordered_width + c.padding) * c.channels, bordered_width,
                         reversed.data() + group_taps, to_rectified.data() + place, row_end - row, c.width, !is_first);
          if (is_last)
            to_image(row + top, row_end + top, to_rectified.data() + place, c.width * c.channels,
                     rectified.rows(row + top, row_end + top), false);
        });
      } else {
        if (is_first) to_rectified.assign(c.padded_size(), T(0));
        loop.add_depthwise_scattered(c, inner, bordered_width, forward.data() + group_taps, to_rectified.data());
        const int64_t row_size = c.padded_width() * c.channels;
        if (is_last)
          to_image(top, bottom, to_rectified.data() + top * row_size + left * c.channels, row_size, rectified.rows(top, bottom), false);
      }
    }
  });

  const auto collect = [&](auto part, int64_t offset, int64_t count) {
    Tensor total = at::zeros({count}, x.options());
    T* const to = total.data_ptr<T>();
    for (const Sums<T>& own : sums)
      for (int64_t i = 0; i < count; ++i) to[i] += (own.*part)[offset + i];
    return total;
  };
  if (wanted.scale) {
    result.scale = collect(&Sums<T>::scale, 0, in_channels);
    result.shift = collect(&Sums<T>::shift, 0, in_channels);
  }
  if (!wanted.input) result.input = Tensor();
  for (int64_t group = 0; group < unit.groups; ++group) {
    if (wanted.filters)
      result.filters.push_back(collect(&Sums<T>::filters, group * taps * c.channels, taps * c.channels)
                                   .view({taps, c.channels}).t().contiguous().view({c.channels, 1, c.kernel, c.kernel}));
    if (wanted.products)
      result.products.push_back(
          collect(&Sums<T>::products, group * c.out_channels * c.channels, c.out_channels * c.channels).view({c.out_channels, c.channels, 1, 1}));
  }
  return result;
}

struct ReluConvNormBackward : KernelNode {
  Unit unit;
  SavedVariable x, scale, shift, values, mean, inverse;
  std::vector<SavedVariable> filters, products, gamma;

  std::string name() const override { return "relu_conv_norm"; }

  void release_variables() override {
    for (SavedVariable* variable : {&x, &scale, &shift, &values, &mean, &inverse}) variable->reset_data();
    filters.clear();
    products.clear();
    gamma.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return x.unpack().scalar_type() == at::kFloat ? differentiate_as<float>(gradients) : differentiate_as<double>(gradients);
  }

  template <typename T>
  variable_list differentiate_as(const variable_list& gradients) {
    const size_t filters_at = 3, products_at = filters_at + filters.size(), gamma_at = products_at + products.size();
    const std::vector<Tensor> gammas = unpacked(gamma);
    const BatchMoments moments{mean.unpack(), Tensor(), inverse.unpack()};
    const Tensor gradient = gradients[0].defined() ? gradients[0].contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
    MomentsGradient<T> through =
        moments_gradient<T>(gradients[1], gradients[2], moments, gammas, unit.images * unit.convolution.pixels());
    const Wanted wanted{wants(0), wants(1) || wants(2), wants_any(filters_at, filters.size()), wants_any(products_at, products.size())};
    Backward result = run_backward<T>(unit, gradient, through, x.unpack(), scale.unpack(), shift.unpack(), unpacked(filters), unpacked(products),
                                      values.unpack(shared_from_this()), wanted);
    variable_list to(gamma_at + 2 * gammas.size());
    to[0] = result.input;
    to[1] = result.scale;
    to[2] = result.shift;
    std::move(result.filters.begin(), result.filters.end(), to.begin() + filters_at);
    std::move(result.products.begin(), result.products.end(), to.begin() + products_at);
    std::move(through.gamma.begin(), through.gamma.end(), to.begin() + gamma_at);
    std::move(through.beta.begin(), through.beta.end(), to.begin() + gamma_at + gammas.size());
    return to;
  }
};

// Returns the values [N, groups out, H', W'] before their batch norm, and its scale and shift [groups out].
std::tuple<Tensor, Tensor, Tensor> relu_conv_norm(const Tensor& input, const optional<Tensor>& input_scale, const optional<Tensor>& input_shift,
                                                  TensorList filters, TensorList products, TensorList gamma, TensorList beta,
                                                  TensorList running, int64_t stride, int64_t padding, int64_t dilation, double momentum,
                                                  double epsilon) {
  const Unit unit = unit_of(input, filters, products, stride, padding, dilation);
  TORCH_CHECK(unit.images * unit.convolution.pixels() > 1, "relu_conv_norm: one value a channel has no variance to normalise by");
  check_norms("relu_conv_norm", unit.out_channels(), unit.groups, gamma, beta, running);
  const Tensor scale = input_scale.value_or(Tensor()), shift = input_shift.value_or(Tensor());
  std::vector<Tensor> inputs{input, scale, shift};
  for (const TensorList list : {filters, products, gamma, beta}) inputs.insert(inputs.end(), list.begin(), list.end());
  const bool recorded = is_recorded(inputs);
  Tensor x;
  Forward forward;
  std::pair<Tensor, Tensor> normalisation;
  {
    at::NoGradGuard guard;
    x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      forward = run_forward<T>(unit, x, scale, shift, filters.vec(), products.vec(), epsilon, running, momentum);
      normalisation = scale_and_shift<T>(forward.moments, {gamma, beta});
    };
    if (x.scalar_type() == at::kFloat)
      run(0.0f);
    else
      run(0.0);
  }
  std::vector<Tensor> outputs{forward.values, normalisation.first, normalisation.second};
  if (recorded) {
    const auto node = make_node<ReluConvNormBackward>();
    attach(node, inputs, outputs);
    node->unit = unit;
    node->x = SavedVariable(x, false);
    node->scale = SavedVariable(scale, false);
    node->shift = SavedVariable(shift, false);
    node->filters = saved(filters);
    node->products = saved(products);
    node->gamma = saved(gamma);
    node->values = SavedVariable(outputs[0], true);
    node->mean = SavedVariable(forward.moments.mean, false);
    node->inverse = SavedVariable(forward.moments.inverse, false);
  }
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def(
      "relu_conv_norm(Tensor input, Tensor? scale, Tensor? shift, Tensor[] depthwise, Tensor[] pointwise, Tensor[] gamma, Tensor[] beta, "
      "Tensor[] running, int stride, int padding, int dilation, float momentum, float epsilon) -> (Tensor, Tensor, Tensor)",
      relu_conv_norm);
}

}  // namespace espalier
