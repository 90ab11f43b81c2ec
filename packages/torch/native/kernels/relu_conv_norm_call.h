// The sizes of one call of relu_conv_norm, and what of it does not fit.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "convolution.h"

namespace espalier {

// Units whose filters have the same size, padding and dilation; their weights are their own.
struct Kind {
  Convolution convolution;
  int64_t groups;
  // Before its own: units, and values of filters.
  int64_t first_unit, first_tap;

  int64_t taps() const { return convolution.kernel * convolution.kernel; }
  int64_t out_channels() const { return convolution.out_channels * groups; }
  int64_t taps_at(int64_t group) const { return first_tap + group * taps() * convolution.channels; }
};

// One call's sizes. All kinds have the same channels, stride and size of the output.
struct Call {
  std::vector<Kind> kinds;
  int64_t images;
  // All units read the same image; else each reads channels of its own of its kind's image.
  bool shared;
  bool has_filters;
  // Of each input: what is rectified of it, padded for the widest filters that read it.
  std::vector<Convolution> frames;

  const Convolution& first() const { return kinds[0].convolution; }
  size_t input_of(size_t kind) const { return shared ? 0 : kind; }
  const Convolution& frame_of(size_t kind) const { return frames[input_of(kind)]; }
  // From the rows and columns of what is rectified to those that a kind's filters read.
  int64_t inset(size_t kind) const { return frame_of(kind).padding - kinds[kind].convolution.padding; }
  int64_t in_channels(size_t input) const { return shared ? first().channels : first().channels * kinds[input].groups; }
  int64_t units() const { return kinds.back().first_unit + kinds.back().groups; }
  int64_t tap_values() const { return kinds.back().taps_at(kinds.back().groups); }
  int64_t weight_values() const { return first().channels * first().out_channels; }
  int64_t multiply_adds() const {
    int64_t sum = 0;
    for (const Kind& kind : kinds)
      sum += kind.groups * first().pixels() * first().channels * ((has_filters ? kind.taps() : 0) + first().out_channels);
    return sum * images;
  }
  std::vector<size_t> kind_of_units() const {
    std::vector<size_t> result;
    for (size_t kind = 0; kind < kinds.size(); ++kind) result.insert(result.end(), kinds[kind].groups, kind);
    return result;
  }
};

// What a call is given beside its sizes.
struct Given {
  std::vector<at::Tensor> inputs, scales, shifts;  // one of each for all kinds, or one a kind
  std::vector<at::Tensor> filters, products;       // one a unit
};

// The frame that the filters of these kinds read together.
inline Convolution frame_around(const Kind* begin, const Kind* end) {
  Convolution frame = begin->convolution;
  if (end == begin + 1) return frame;
  for (const Kind* kind = begin; kind < end; ++kind) frame.padding = std::max(frame.padding, kind->convolution.padding);
  int64_t extent = 0;
  for (const Kind* kind = begin; kind < end; ++kind) extent = std::max(extent, frame.padding - kind->convolution.padding + kind->convolution.extent());
  frame.kernel = extent + 1;
  frame.dilation = 1;
  return frame;
}

inline Call call_of(const Given& given, at::IntArrayRef groups, int64_t stride, at::IntArrayRef paddings, at::IntArrayRef dilations) {
  TORCH_CHECK(!groups.empty() && paddings.size() == groups.size() && dilations.size() == groups.size() &&
                  (given.inputs.size() == 1 || given.inputs.size() == groups.size()) && given.scales.size() == given.inputs.size() &&
                  given.shifts.size() == given.inputs.size(),
              "relu_conv_norm: ", groups.size(), " kinds of units have ", given.inputs.size(), " inputs, ", given.scales.size(), " scales, ",
              given.shifts.size(), " shifts, ", paddings.size(), " paddings and ", dilations.size(), " dilations; allowed: one input, or as many, and one of each");
  const at::Tensor& x = given.inputs[0];
  for (const at::Tensor& input : given.inputs)
    TORCH_CHECK(input.dim() == 4 && (input.scalar_type() == at::kFloat || input.scalar_type() == at::kDouble) && input.device().is_cpu(),
                "relu_conv_norm: the input is ", input.scalar_type(), input.sizes(), " on ", input.device(), "; allowed: float32 or float64 [N, C, H, W] on the CPU");
  int64_t units = 0;
  for (const int64_t count : groups) units += count;
  TORCH_CHECK(units > 0 && static_cast<int64_t>(given.products.size()) == units && (given.filters.empty() || given.filters.size() == given.products.size()),
              "relu_conv_norm: for ", units, " units there are ", given.filters.size(), " depthwise and ", given.products.size(),
              " pointwise weights; allowed: one each, or no depthwise");
  const int64_t channels = given.products[0].size(1), out = given.products[0].size(0);
  Call call{{}, x.size(0), given.inputs.size() == 1 && x.size(1) == channels, !given.filters.empty(), {}};
  TORCH_CHECK(call.shared || given.inputs.size() == groups.size(), "relu_conv_norm: ", groups.size(), " kinds of units read one input of ", x.size(1),
              " channels; allowed: ", channels, ", or an input each");
  int64_t first_unit = 0, first_tap = 0;
  for (size_t k = 0; k < groups.size(); ++k) {
    const int64_t kernel = given.filters.empty() ? 1 : given.filters[first_unit].size(2), padding = paddings[k], dilation = dilations[k];
    const at::Tensor& input = given.inputs[call.input_of(k)];
    TORCH_CHECK(call.shared || input.size(1) == channels * groups[k], "relu_conv_norm: the input has ",
                input.size(1), " channels; allowed: ", channels, " for all edges, or ", channels * groups[k]);
    TORCH_CHECK(input.size(0) == x.size(0) && input.size(2) == x.size(2) && input.size(3) == x.size(3) && input.scalar_type() == x.scalar_type(),
                "relu_conv_norm: an input is ", input.scalar_type(), input.sizes(), " beside ", x.scalar_type(), x.sizes());
    TORCH_CHECK(kernel == 1 || kernel == 3 || kernel == 5 || kernel == 7, "relu_conv_norm: the filters are ", kernel, " wide; allowed: 1, 3, 5, 7");
    for (int64_t unit = first_unit; unit < first_unit + groups[k]; ++unit) {
      const at::Tensor& weight = given.products[unit];
      TORCH_CHECK(weight.sizes() == at::IntArrayRef({out, channels, 1, 1}) && weight.scalar_type() == x.scalar_type(),
                  "relu_conv_norm: a pointwise weight is ", weight.scalar_type(), weight.sizes());
      if (given.filters.empty()) continue;
      const at::Tensor& filter = given.filters[unit];
      TORCH_CHECK(filter.sizes() == at::IntArrayRef({channels, 1, kernel, kernel}) && filter.scalar_type() == x.scalar_type(),
                  "relu_conv_norm: a depthwise weight is ", filter.scalar_type(), filter.sizes());
    }
    const auto size = [&](int64_t length) { return (length + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1; };
    const int64_t height = size(x.size(2)), width = size(x.size(3));
    TORCH_CHECK(padding >= 0 && padding <= (kernel - 1) * dilation && (!given.filters.empty() || stride == 1),
                "relu_conv_norm: filters ", kernel, " wide, stride ", stride, ", padding ", padding, ", dilation ", dilation,
                "; allowed: padding from 0 to dilation (width - 1), and stride 1 where there are no filters");
    TORCH_CHECK(height > 0 && width > 0 && x.size(0) > 0, "relu_conv_norm: nothing is left of an input ", x.sizes(), " for filters ", kernel, " wide");
    TORCH_CHECK(k == 0 || (height == call.first().out_height && width == call.first().out_width), "relu_conv_norm: one kind of units makes images of ",
                height, " x ", width, ", another one of ", call.first().out_height, " x ", call.first().out_width, "; allowed: one size");
    call.kinds.push_back({{x.size(2), x.size(3), channels, height, width, out, kernel, stride, padding, dilation}, groups[k], first_unit, first_tap});
    first_unit += groups[k];
    first_tap = call.tap_values();
  }
  if (call.shared)
    call.frames.push_back(frame_around(call.kinds.data(), call.kinds.data() + call.kinds.size()));
  else
    for (const Kind& kind : call.kinds) call.frames.push_back(kind.convolution);
  return call;
}

}  // namespace espalier
