// The sizes of a call of relu_conv_norm, and the check that its arguments have them.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "arguments.h"
#include "convolution.h"

namespace espalier {

// Units whose filters have the same size, padding and dilation; their weights are their own.
struct Kind {
  Convolution convolution;
  int64_t groups;
  // The number of units, and of filter values, of the kinds before this one.
  int64_t first_unit, first_tap;

  int64_t taps() const { return convolution.kernel * convolution.kernel; }
  int64_t out_channels() const { return convolution.out_channels * groups; }
  int64_t taps_at(int64_t group) const { return first_tap + group * taps() * convolution.channels; }
};

// The sizes of a call. All kinds have the same channels, stride and output size.
struct Call {
  std::vector<Kind> kinds;
  int64_t images;
  // Whether all units read the same channels. If not, each reads its own channels of its kind's image.
  bool shared;
  bool has_filters;
  // The rectified part of each input, padded for the widest filters that read it.
  std::vector<Convolution> frames;

  const Convolution& first() const { return kinds[0].convolution; }
  size_t input_of(size_t kind) const { return shared ? 0 : kind; }
  const Convolution& frame_of(size_t kind) const { return frames[input_of(kind)]; }
  // The distance from the first row and column of the frame to the first that a kind's filters read.
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

// The tensors of a call. Inputs, with their scales and shifts, are one for all kinds or one for each; filters and products are one
// for each unit.
struct Given {
  std::vector<at::Tensor> inputs, scales, shifts;
  std::vector<at::Tensor> filters, products;
};

// The smallest frame that contains the pixels which the filters of all these kinds read.
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

// The convolution of a kind of units over images of a size. Throws where nothing is left of the images.
inline Convolution convolution_of(const at::Tensor& input, int64_t channels, int64_t out, bool has_filters, int64_t kernel, int64_t stride, int64_t padding,
                                  int64_t dilation) {
  TORCH_CHECK(kernel == 1 || kernel == 3 || kernel == 5 || kernel == 7, "the filters are ", kernel, " wide; allowed: 1, 3, 5, 7");
  check_between("stride", stride, 1, has_filters ? kMostStep : 1);
  check_between("dilation", dilation, 1, kMostStep);
  Convolution c{input.size(2), input.size(3), channels, 0, 0, out, kernel, stride, padding, dilation};
  check_between("padding", padding, 0, c.extent());
  const auto size = [&](int64_t length) {
    const int64_t places = length + 2 * padding - c.extent();
    return places < 1 ? 0 : (places - 1) / stride + 1;
  };
  c.out_height = size(c.height);
  c.out_width = size(c.width);
  TORCH_CHECK(c.out_height > 0 && c.out_width > 0, "nothing is left of an input ", input.sizes(), " for filters ", kernel, " wide, dilation ", dilation,
              ", padding ", padding);
  return c;
}

// Whether the kernel can count the bytes of its padded images: with room for the zeros around gradients, twice the extent.
inline bool is_countable(const Convolution& frame) {
  const int64_t rows = frame.padded_height() + 2 * frame.extent(), columns = frame.padded_width() + 2 * frame.extent();
  int64_t pixels, bytes;
  return !__builtin_mul_overflow(rows, columns, &pixels) && !__builtin_mul_overflow(pixels, frame.channels * static_cast<int64_t>(sizeof(double)), &bytes);
}

// Checks all tensors but those of batch norm, and returns the sizes of the call.
inline Call call_of(const Given& given, at::IntArrayRef groups, int64_t stride, at::IntArrayRef paddings, at::IntArrayRef dilations) {
  TORCH_CHECK(!groups.empty() && paddings.size() == groups.size() && dilations.size() == groups.size() &&
                  (given.inputs.size() == 1 || given.inputs.size() == groups.size()) && given.scales.size() == given.inputs.size() &&
                  given.shifts.size() == given.inputs.size(),
              groups.size(), " kinds of units have ", given.inputs.size(), " inputs, ", given.scales.size(), " scales, ", given.shifts.size(), " shifts, ",
              paddings.size(), " paddings and ", dilations.size(), " dilations; allowed: one input or one for each kind, and one of each");
  const at::Tensor& x = given.inputs[0];
  const auto type = check_values("inputs[0]", x, 4, "[N, C, H, W]");
  TORCH_CHECK(x.numel() > 0, "argument 'inputs[0]' is ", shown(x), "; allowed: at least one image, channel, row and column");
  int64_t units = 0;
  for (const int64_t count : groups) {
    check_between("groups", count, 1, kMostStep);
    units += count;
  }
  const auto all_units = static_cast<size_t>(units);
  TORCH_CHECK(given.products.size() == all_units && (given.filters.empty() || given.filters.size() == all_units), "for ", units, " units there are ",
              given.filters.size(), " depthwise and ", given.products.size(), " pointwise weights; allowed: one of each for every unit, or no depthwise weight");
  TORCH_CHECK(given.products[0].dim() == 4 && given.products[0].numel() > 0, "argument 'pointwise[0]' is ", shown(given.products[0]),
              "; allowed: [out, C, 1, 1], not empty");
  const int64_t out = given.products[0].size(0), channels = given.products[0].size(1);
  check_items("pointwise", given.products, type, {out, channels, 1, 1});
  Call call{{}, x.size(0), given.inputs.size() == 1 && x.size(1) == channels, !given.filters.empty(), {}};
  TORCH_CHECK(call.shared || given.inputs.size() == groups.size(), groups.size(), " kinds of units read one input of ", x.size(1), " channels; allowed: ", channels,
              ", or an input for each kind");
  int64_t first_unit = 0, first_tap = 0;
  for (size_t k = 0; k < groups.size(); ++k) {
    const at::Tensor& input = given.inputs[call.input_of(k)];
    TORCH_CHECK(call.shared || (input.dim() == 4 && input.size(1) == channels * groups[k]), "argument 'inputs[", call.input_of(k), "]' is ", shown(input),
                " for ", groups[k], " units of ", channels, " channels; allowed: ", channels, " channels for all units, or ", channels * groups[k], " for each its own");
    check_item("inputs", call.input_of(k), input, type, {x.size(0), input.size(1), x.size(2), x.size(3)});
    int64_t kernel = 1;
    for (int64_t unit = first_unit; unit < first_unit + groups[k] && call.has_filters; ++unit) {
      const at::Tensor& filter = given.filters[unit];
      if (unit == first_unit) {
        TORCH_CHECK(filter.dim() == 4, "argument 'depthwise[", unit, "]' is ", shown(filter), "; allowed: [C, 1, K, K]");
        kernel = filter.size(2);
      }
      check_item("depthwise", unit, filter, type, {channels, 1, kernel, kernel});
    }
    const Convolution c = convolution_of(x, channels, out, call.has_filters, kernel, stride, paddings[k], dilations[k]);
    TORCH_CHECK(k == 0 || (c.out_height == call.first().out_height && c.out_width == call.first().out_width), "one kind of units makes images of ",
                c.out_height, " x ", c.out_width, ", another one of ", call.first().out_height, " x ", call.first().out_width, "; allowed: one size");
    call.kinds.push_back({c, groups[k], first_unit, first_tap});
    first_unit += groups[k];
    first_tap = call.tap_values();
  }
  if (call.shared)
    call.frames.push_back(frame_around(call.kinds.data(), call.kinds.data() + call.kinds.size()));
  else
    for (const Kind& kind : call.kinds) call.frames.push_back(kind.convolution);
  for (const Convolution& frame : call.frames)
    TORCH_CHECK(is_countable(frame), "the padded images are ", frame.padded_height(), " x ", frame.padded_width(), "; allowed: what fits into memory");
  for (size_t i = 0; i < given.inputs.size(); ++i) {
    const at::Tensor &scale = given.scales[i], &shift = given.shifts[i];
    TORCH_CHECK(scale.defined() == shift.defined(), "inputs[", i, "] has a ", scale.defined() ? "scale and no shift" : "shift and no scale",
                "; allowed: both or neither");
    if (!scale.defined()) continue;
    check_item("scales", i, scale, type, {call.in_channels(i)});
    check_item("shifts", i, shift, type, {call.in_channels(i)});
  }
  return call;
}

}  // namespace espalier
