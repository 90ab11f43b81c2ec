// Rectified linear units, a depthwise separable (or only pointwise) convolution and batch norm: the unit of which the cells of
// DARTS and NASNet consist. One call runs it on several edges, which read the same image or one each, and for several kinds of
// filters. The normalisation of the input is applied as it is read; that of the output is returned as a scale and a shift for each
// channel.
#include <torch/library.h>

#include <algorithm>

#include "arguments.h"
#include "batch_moments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"
#include "relu_conv_norm_call.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

// The filters of each unit as [taps, channels], from the first tap to the last or `reversed`.
template <typename T>
Scratch<T> packed_filters(const Call& call, const std::vector<Tensor>& filters, bool reversed) {
  Scratch<T> packed(call.tap_values(), T(1));
  for (const Kind& kind : call.kinds)
    for (int64_t group = 0; group < kind.groups && call.has_filters; ++group) {
      const int64_t taps = kind.taps(), channels = kind.convolution.channels;
      const T* const from = filters[kind.first_unit + group].data_ptr<T>();
      T* const to = packed.data() + kind.taps_at(group);
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t i = 0; i < channels; ++i) to[tap * channels + i] = from[i * taps + (reversed ? taps - 1 - tap : tap)];
    }
  return packed;
}

// Calls body(begin, end) for strips of an image's rows, in order. A strip is small enough to stay in the first-level cache from one
// step to the next, and has enough pixels that the weights of the products are worth reading.
template <typename T, typename Body>
void in_strips(int64_t height, int64_t width, int64_t channels, const Body& body) {
  constexpr int64_t kStripBytes = 16 << 10, kLeastPixels = 64;
  const int64_t pixels = std::max<int64_t>(kLeastPixels, kStripBytes / (channels * static_cast<int64_t>(sizeof(T))));
  const int64_t rows = std::max<int64_t>(1, pixels / width);
  for (int64_t row = 0; row < height; row += rows) body(row, std::min(height, row + rows));
}

// An input in memory: the step from pixel to pixel is `channels` values.
template <typename T>
struct Source {
  const T* values;
  const T* scale;
  const T* shift;
  int64_t channels;
};

template <typename T>
std::vector<Source<T>> sources(const Call& call, const Given& given) {
  std::vector<Source<T>> result;
  for (size_t i = 0; i < given.inputs.size(); ++i)
    result.push_back({given.inputs[i].data_ptr<T>(), data_or_null<T>(given.scales[i]), data_or_null<T>(given.shifts[i]), call.in_channels(i)});
  return result;
}

// The rectified image that filters read, made row by row on demand. Without filters each row is read once, and only the last rows
// are kept.
template <typename T>
class Rectified {
 public:
  explicit Rectified(bool has_filters) : has_filters_(has_filters) {}

  // Turns to an image, its channels from `first` on.
  void begin_image(const Convolution& frame, const Source<T>& source, int64_t image, int64_t first) {
    frame_ = &frame;
    source_ = &source;
    from_ = source.values + image * frame.height * frame.width * source.channels + first;
    first_ = first;
    ready_ = 0;
  }

  // Makes the rows of the frame from `begin` to `end` and returns where the first begins.
  const T* rows(int64_t begin, int64_t end) {
    const int64_t row_size = frame_->padded_width() * frame_->channels;
    if (!has_filters_) {
      rectify(begin, end, 0);
      return values_.data();
    }
    if (ready_ < end) rectify(ready_, end, ready_ * row_size);
    ready_ = std::max(ready_, end);
    return values_.data() + begin * row_size;
  }

 private:
  void rectify(int64_t begin, int64_t end, int64_t place) {
    const size_t size = has_filters_ ? frame_->padded_size() : (end - begin) * frame_->padded_width() * frame_->channels;
    if (values_.size() < size) values_.resize(size);
    const auto own = [&](const T* values) { return values == nullptr ? nullptr : values + first_; };
    loops<T>().rectify_padded(*frame_, from_, source_->channels, own(source_->scale), own(source_->shift), begin, end, values_.data() + place);
  }

  const bool has_filters_;
  const Convolution* frame_ = nullptr;
  const Source<T>* source_ = nullptr;
  const T* from_ = nullptr;
  int64_t first_ = 0, ready_ = 0;
  Scratch<T> values_;
};

// Vectors have an item for each kind.
struct Forward {
  std::vector<Tensor> values;
  std::vector<BatchMoments> moments;
};

template <typename T>
Forward run_forward(const Call& call, const Given& given, double epsilon, TensorList running, double momentum) {
  const Loops<T>& loop = loops<T>();
  const Convolution& size = call.first();
  const int64_t pixels = size.pixels(), channels = size.channels, out_each = size.out_channels, units = call.units();
  const at::TensorOptions options = given.inputs[0].options();
  const std::vector<Source<T>> from = sources<T>(call, given);
  const Scratch<T> taps = packed_filters<T>(call, given.filters, false);
  Scratch<T> weights(units * call.weight_values());
  for (int64_t unit = 0; unit < units; ++unit)
    loop.transpose(given.products[unit].data_ptr<T>(), channels, out_each, channels, weights.data() + unit * call.weight_values(), out_each);
  Forward result;
  std::vector<T*> values;
  std::vector<std::vector<T>> means, squares;
  for (const Kind& kind : call.kinds) {
    result.values.push_back(at::empty({call.images, kind.out_channels(), size.out_height, size.out_width}, options.memory_format(at::MemoryFormat::ChannelsLast)));
    values.push_back(result.values.back().data_ptr<T>());
    means.emplace_back(call.images * kind.out_channels());
    squares.emplace_back(call.images * kind.out_channels());
  }
  const std::vector<size_t> kinds = call.kind_of_units();
  in_chunks(call.images * units, threads_for(call.images * units, call.multiply_adds()), [&](int64_t, int64_t begin, int64_t end) {
    Rectified<T> rectified(call.has_filters);
    Scratch<T> filtered;
    int64_t prepared = -1;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t image = item / units, unit = item % units;
      const size_t k = kinds[unit];
      const Kind& kind = call.kinds[k];
      const Convolution& c = kind.convolution;
      const Convolution& frame = call.frame_of(k);
      const int64_t group = unit - kind.first_unit, out = kind.out_channels(), inset = call.inset(k);
      if (!call.shared || prepared != image) rectified.begin_image(frame, from[call.input_of(k)], image, call.shared ? 0 : group * channels);
      prepared = image;
      T* const to = values[k] + image * pixels * out + group * out_each;
      in_strips<T>(c.out_height, c.out_width, std::max(channels, out_each), [&](int64_t row, int64_t row_end) {
        const int64_t strip = (row_end - row) * c.out_width;
        const T* read = rectified.rows(inset + row * c.stride, inset + (row_end - 1) * c.stride + c.extent() + 1) + inset * channels;
        if (call.has_filters) {
          filtered.resize(std::max<size_t>(filtered.size(), strip * channels));
          loop.depthwise(c, c.stride, read, frame.padded_width(), taps.data() + kind.taps_at(group), filtered.data(), row_end - row, c.out_width, false);
          read = filtered.data();
        }
        loop.product(read, channels, weights.data() + unit * call.weight_values(), to + row * c.out_width * out, out, strip, channels, out_each);
      });
      const int64_t at = image * out + group * out_each;
      loop.moments(to, out, pixels, out_each, means[k].data() + at, squares[k].data() + at);
    }
  });
  for (size_t k = 0; k < call.kinds.size(); ++k) {
    result.moments.push_back(combine_moments<T>(means[k], squares[k], call.images, pixels, epsilon, options));
    if (running.empty()) continue;
    for (int64_t group = 0; group < call.kinds[k].groups; ++group) {
      const size_t at = 3 * (call.kinds[k].first_unit + group);
      update_running<T>(result.moments[k], group * out_each, running[at], running[at + 1], running[at + 2], momentum);
    }
  }
  return result;
}

struct Wanted {
  bool input, scale, filters, products;
};

// Gradients: of each input with its scale and shift, of each unit's filters and products.
struct Backward {
  std::vector<Tensor> inputs, scales, shifts, filters, products;
};

// One thread's sums.
template <typename T>
struct Sums {
  Scratch<T> filters, products;
  std::vector<Scratch<T>> scales, shifts;
};

// `gradients`: those of each kind's values; undefined: zero.
template <typename T>
Backward run_backward(const Call& call, const Given& given, const std::vector<Tensor>& gradients, const std::vector<MomentsGradient<T>>& through_moments,
                      const std::vector<Tensor>& all_values, const Wanted& wanted) {
  const Loops<T>& loop = loops<T>();
  const Convolution& size = call.first();
  const int64_t pixels = size.pixels(), channels = size.channels, out_each = size.out_channels, units = call.units(), weight_values = call.weight_values();
  const bool to_input = wanted.input || wanted.scale;
  const at::TensorOptions options = given.inputs[0].options();
  const std::vector<Source<T>> from = sources<T>(call, given);
  const Scratch<T> forward = packed_filters<T>(call, given.filters, false), reversed = packed_filters<T>(call, given.filters, true);
  std::vector<const T*> weight_of;
  for (const Tensor& weight : given.products) weight_of.push_back(weight.data_ptr<T>());
  std::vector<const T*> slopes, values;
  for (size_t k = 0; k < call.kinds.size(); ++k) {
    slopes.push_back(data_or_null<T>(gradients[k]));
    values.push_back(all_values[k].data_ptr<T>());
  }
  // The end of a frame's rows and columns that lie in the image.
  const auto rows_of = [](const Convolution& frame) { return std::min(frame.padded_height(), frame.height + frame.padding); };
  const auto columns_of = [](const Convolution& frame) { return std::min(frame.padded_width(), frame.width + frame.padding); };
  Backward result;
  std::vector<T*> to_inputs;
  for (size_t i = 0; i < given.inputs.size() && to_input; ++i) {
    const Convolution& frame = call.frames[i];
    result.inputs.push_back(at::empty(given.inputs[i].sizes(), options.memory_format(at::MemoryFormat::ChannelsLast)));
    if (rows_of(frame) < frame.height + frame.padding || columns_of(frame) < frame.width + frame.padding) result.inputs[i].zero_();
    to_inputs.push_back(result.inputs[i].data_ptr<T>());
  }

  // Units that write into the same image belong to one thread.
  const int64_t work = call.shared ? call.images : call.images * units, each = call.shared ? units : 1;
  const int64_t threads = threads_for(work, call.multiply_adds());
  const std::vector<size_t> kinds = call.kind_of_units();
  std::vector<Sums<T>> sums(threads);
  in_chunks(work, threads, [&](int64_t thread, int64_t begin, int64_t end) {
    Sums<T>& own = sums[thread];
    own.filters.resize(wanted.filters ? call.tap_values() : 0);
    own.products.resize(wanted.products ? units * weight_values : 0);
    for (const Source<T>& source : from) {
      own.scales.emplace_back(source.scale == nullptr ? 0 : source.channels);
      own.shifts.emplace_back(source.scale == nullptr ? 0 : source.channels);
    }
    Rectified<T> rectified(call.has_filters);
    // The gradients that each kind's filters read, with zeros around them.
    std::vector<Scratch<T>> bordered(call.kinds.size());
    // `to_rectified`: the sum over all edges that read the image.
    Scratch<T> total, filtered, to_rectified;
    int64_t prepared = -1;
    for (int64_t item = begin * each; item < end * each; ++item) {
      const int64_t image = item / units, unit = item % units;
      const size_t k = kinds[unit], input = call.input_of(k);
      const Kind& kind = call.kinds[k];
      const Convolution& c = kind.convolution;
      const Convolution& frame = call.frame_of(k);
      const Source<T>& source = from[input];
      const int64_t group = unit - kind.first_unit, out = kind.out_channels(), out_first = group * out_each, first = call.shared ? 0 : group * channels;
      const int64_t taps_at = kind.taps_at(group), inset = call.inset(k), frame_width = frame.padded_width();
      if (!call.shared || prepared != image) rectified.begin_image(frame, source, image, first);
      prepared = image;
      // From the gradient of some rows of the rectified frame, each from its first column in the image on, to the gradient of the image.
      const auto to_image = [&](int64_t row, int64_t row_end, const T* slopes_of, int64_t slope_row, const T* rectified_rows, bool adds) {
        const int64_t columns = columns_of(frame) - frame.padding;
        const auto at_first = [&](Scratch<T>& sums_of) { return sums_of.empty() ? nullptr : sums_of.data() + first; };
        for (; row < row_end; ++row, slopes_of += slope_row, rectified_rows += frame_width * channels) {
          const int64_t at = (image * frame.height + row - frame.padding) * frame.width * source.channels + first;
          loop.row_input_gradient(columns, channels, slopes_of, rectified_rows + frame.padding * channels, source.values + at, source.channels,
                                  source.scale == nullptr ? nullptr : source.scale + first, at_first(own.scales[input]), at_first(own.shifts[input]),
                                  to_inputs[input] + at, source.channels, adds);
        }
      };
      // With stride 1, the gradient gets a border of zeros as wide as a filter reaches, and is then filtered as the image was.
      const int64_t border = c.stride == 1 ? c.extent() : 0, bordered_width = c.out_width + 2 * border;
      if (call.has_filters) bordered[k].resize((c.out_height + 2 * border) * bordered_width * channels);
      T* const inner = bordered[k].data() + (border * bordered_width + border) * channels;
      in_strips<T>(c.out_height, c.out_width, std::max(channels, out_each), [&](int64_t row, int64_t row_end) {
        const int64_t rows = row_end - row, strip = rows * c.out_width;
        const int64_t at = (image * pixels + row * c.out_width) * out + out_first;
        total.resize(std::max<size_t>(total.size(), strip * out_each));
        loop.with_moments_gradient(strip, out_each, slopes[k] == nullptr ? nullptr : slopes[k] + at, values[k] + at, out,
                                   through_moments[k].offset.data() + out_first, through_moments[k].slope.data() + out_first, total.data(), out_each);
        const T* const read = rectified.rows(inset + row * c.stride, inset + (row_end - 1) * c.stride + c.extent() + 1) + inset * channels;
        filtered.resize(std::max<size_t>(filtered.size(), strip * channels));
        if (wanted.products) {
          // Filtering again costs less than keeping the filtered image.
          if (call.has_filters)
            loop.depthwise(c, c.stride, read, frame_width, forward.data() + taps_at, filtered.data(), rows, c.out_width, false);
          loop.add_outer_products(total.data(), out_each, call.has_filters ? filtered.data() : read, channels, own.products.data() + unit * weight_values, strip,
                                  out_each, channels);
        }
        if (!call.has_filters && to_input) {
          loop.product(total.data(), out_each, weight_of[unit], filtered.data(), channels, strip, out_each, channels);
          to_image(row, row_end, filtered.data(), c.out_width * channels, read, call.shared && unit > 0);
        }
        if (call.has_filters && (to_input || wanted.filters))
          for (int64_t y = row; y < row_end; ++y)
            loop.product(total.data() + (y - row) * c.out_width * out_each, out_each, weight_of[unit], inner + y * bordered_width * channels, channels,
                         c.out_width, out_each, channels);
      });
      if (!call.has_filters) continue;
      if (wanted.filters)
        loop.add_depthwise_weight_gradient(c, rectified.rows(inset, inset + c.padded_height()) + inset * channels, frame_width, inner, bordered_width,
                                           own.filters.data() + taps_at);
      if (!to_input) continue;
      const bool is_first = unit == 0 || !call.shared, is_last = unit + 1 == units || !call.shared;
      if (c.stride == 1) {
        in_strips<T>(c.height, c.width, channels, [&](int64_t row, int64_t row_end) {
          // Where no other edge adds to the strip, it is read at once and not kept.
          const int64_t place = is_first && is_last ? 0 : row * c.width * channels;
          to_rectified.resize(std::max<size_t>(to_rectified.size(), place + (row_end - row) * c.width * channels));
          loop.depthwise(c, 1, bordered[k].data() + ((row + c.padding) * bordered_width + c.padding) * channels, bordered_width, reversed.data() + taps_at,
                         to_rectified.data() + place, row_end - row, c.width, !is_first);
          if (is_last)
            to_image(row + frame.padding, row_end + frame.padding, to_rectified.data() + place, c.width * channels,
                     rectified.rows(row + frame.padding, row_end + frame.padding), false);
        });
      } else {
        if (is_first) to_rectified.assign(frame.padded_size(), T(0));
        loop.add_depthwise_scattered(c, inner, bordered_width, forward.data() + taps_at, to_rectified.data() + inset * (frame_width + 1) * channels, frame_width);
        const int64_t top = frame.padding, bottom = rows_of(frame);
        if (is_last)
          to_image(top, bottom, to_rectified.data() + (top * frame_width + frame.padding) * channels, frame_width * channels, rectified.rows(top, bottom), false);
      }
    }
  });

  for (size_t i = 0; i < from.size() && wanted.scale; ++i) {
    result.scales.push_back(at::zeros({from[i].channels}, options));
    result.shifts.push_back(at::zeros({from[i].channels}, options));
    T* const to_scale = result.scales[i].data_ptr<T>();
    T* const to_shift = result.shifts[i].data_ptr<T>();
    for (const Sums<T>& own : sums)
      for (size_t channel = 0; channel < own.scales[i].size(); ++channel) {
        to_scale[channel] += own.scales[i][channel];
        to_shift[channel] += own.shifts[i][channel];
      }
  }
  if (!wanted.input) result.inputs.clear();
  const auto total_at = [&](const Scratch<T> Sums<T>::*part, int64_t place) {
    T total = 0;
    for (const Sums<T>& own : sums) total += (own.*part)[place];
    return total;
  };
  for (int64_t unit = 0; unit < units; ++unit) {
    const Kind& kind = call.kinds[kinds[unit]];
    if (wanted.filters) {
      const int64_t taps = kind.taps(), at = kind.taps_at(unit - kind.first_unit);
      result.filters.push_back(at::empty({channels, 1, kind.convolution.kernel, kind.convolution.kernel}, options));
      T* const to = result.filters.back().data_ptr<T>();
      for (int64_t i = 0; i < channels; ++i)
        for (int64_t tap = 0; tap < taps; ++tap) to[i * taps + tap] = total_at(&Sums<T>::filters, at + tap * channels + i);
    }
    if (wanted.products) {
      result.products.push_back(at::empty({out_each, channels, 1, 1}, options));
      T* const to = result.products.back().data_ptr<T>();
      for (int64_t i = 0; i < weight_values; ++i) to[i] = total_at(&Sums<T>::products, unit * weight_values + i);
    }
  }
  return result;
}

struct ReluConvNormBackward final : KernelNode {
  Call call;
  // The arguments, then the outputs of each kind.
  std::vector<SavedVariable> inputs, scales, shifts, filters, products, gamma;
  std::vector<SavedVariable> values, means, inverses;

  std::string name() const override { return "relu_conv_norm"; }

  void release() override {
    for (std::vector<SavedVariable>* list : {&inputs, &scales, &shifts, &filters, &products, &gamma, &values, &means, &inverses}) list->clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return for_type(inputs[0].unpack().scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients); });
  }

  template <typename T>
  variable_list differentiate_as(const variable_list& gradients) {
    const size_t count = inputs.size(), scales_at = count, filters_at = 3 * count, products_at = filters_at + filters.size();
    const size_t gamma_at = products_at + products.size();
    const Given given{unpacked(inputs), unpacked(scales), unpacked(shifts), unpacked(filters), unpacked(products)};
    const std::vector<Tensor> gammas = unpacked(gamma);
    const int64_t pixels = call.first().pixels();
    std::vector<Tensor> slopes, outputs;
    std::vector<MomentsGradient<T>> through;
    for (size_t k = 0; k < call.kinds.size(); ++k) {
      const Kind& kind = call.kinds[k];
      const Tensor& slope = gradients[3 * k];
      slopes.push_back(slope.defined() ? slope.contiguous(at::MemoryFormat::ChannelsLast) : Tensor());
      outputs.push_back(values[k].unpack(shared_from_this()));
      const auto first = gammas.begin() + (gammas.empty() ? 0 : kind.first_unit);
      through.push_back(moments_gradient<T>(gradients[3 * k + 1], gradients[3 * k + 2], {means[k].unpack(), Tensor(), inverses[k].unpack()},
                                            std::vector<Tensor>(first, first + (gammas.empty() ? 0 : kind.groups)), call.images * pixels));
    }
    const Wanted wanted{wants_any(0, count), wants_any(scales_at, 2 * count), wants_any(filters_at, filters.size()), wants_any(products_at, products.size())};
    Backward result = run_backward<T>(call, given, slopes, through, outputs, wanted);
    variable_list to(gamma_at + 2 * gammas.size());
    const auto place = [&](std::vector<Tensor>& list, size_t at) { std::move(list.begin(), list.end(), to.begin() + at); };
    place(result.inputs, 0);
    place(result.scales, scales_at);
    place(result.shifts, scales_at + count);
    place(result.filters, filters_at);
    place(result.products, products_at);
    for (size_t k = 0; k < through.size(); ++k) {
      place(through[k].gamma, gamma_at + call.kinds[k].first_unit);
      place(through[k].beta, gamma_at + gammas.size() + call.kinds[k].first_unit);
    }
    return to;
  }
};

// For each kind: the values [N, groups out, H', W'] before batch norm, and its scale and shift [groups out].
std::vector<Tensor> relu_conv_norm(TensorList inputs, const OptionalTensors& scales, const OptionalTensors& shifts, TensorList filters, TensorList products,
                                   TensorList gamma, TensorList beta, TensorList running, at::IntArrayRef groups, int64_t stride,
                                   at::IntArrayRef paddings, at::IntArrayRef dilations, double momentum, double epsilon) {
  Given given{inputs.vec(), tensors_of(scales), tensors_of(shifts), filters.vec(), products.vec()};
  const Call call = call_of(given, groups, stride, paddings, dilations);
  const auto type = given.inputs[0].scalar_type();
  check_population(call.images * call.first().pixels());
  check_norms(type, call.units() * call.first().out_channels, call.units(), gamma, beta, running);
  std::vector<Tensor> differentiated = given.inputs;
  for (const std::vector<Tensor>* list : {&given.scales, &given.shifts, &given.filters, &given.products})
    differentiated.insert(differentiated.end(), list->begin(), list->end());
  for (const TensorList list : {gamma, beta}) differentiated.insert(differentiated.end(), list.begin(), list.end());
  const bool recorded = is_recorded(differentiated);
  Forward forward;
  Affine affine;
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    for (Tensor& input : given.inputs) input = channels_last(input);
    for (std::vector<Tensor>* list : {&given.scales, &given.shifts, &given.filters, &given.products}) *list = all_row_major(*list);
    affine = {all_row_major(gamma), all_row_major(beta)};
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      forward = run_forward<T>(call, given, epsilon, running, momentum);
      for (size_t k = 0; k < call.kinds.size(); ++k) {
        const Kind& kind = call.kinds[k];
        const auto normalisation = scale_and_shift<T>(forward.moments[k], affine.part(kind.first_unit, kind.groups));
        outputs.insert(outputs.end(), {forward.values[k], normalisation.first, normalisation.second});
      }
    });
  }
  if (recorded) {
    const auto node = make_node<ReluConvNormBackward>();
    attach(node, differentiated, outputs);
    node->call = call;
    node->inputs = saved(given.inputs);
    node->scales = saved(given.scales);
    node->shifts = saved(given.shifts);
    node->filters = saved(given.filters);
    node->products = saved(given.products);
    node->gamma = saved(affine.gamma);
    for (size_t k = 0; k < call.kinds.size(); ++k) {
      node->values.emplace_back(outputs[3 * k], true);
      node->means.emplace_back(forward.moments[k].mean, false);
      node->inverses.emplace_back(forward.moments[k].inverse, false);
    }
  }
  return outputs;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) {
  library.def(
      "relu_conv_norm(Tensor[] inputs, Tensor?[] scales, Tensor?[] shifts, Tensor[] depthwise, Tensor[] pointwise, Tensor[] gamma, Tensor[] beta, "
      "Tensor[] running, int[] groups, int stride, int[] padding, int[] dilation, float momentum, float epsilon) -> Tensor[]",
      relu_conv_norm);
}

}  // namespace espalier
