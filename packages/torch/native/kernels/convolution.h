// The sizes of a rectified, normalised, depthwise separable convolution. Images are NHWC: the channels of a pixel are neighbours
// in memory.
#pragma once

#include <cstdint>

namespace espalier {

struct Convolution {
  int64_t height, width, channels;
  int64_t out_height, out_width, out_channels;
  // The width of the depthwise filters; 1 where there are none.
  int64_t kernel;
  int64_t stride, padding, dilation;

  // The distance from the first to the last pixel of a filter.
  int64_t extent() const { return (kernel - 1) * dilation; }
  // The part of the padded image that the filters read.
  int64_t padded_height() const { return (out_height - 1) * stride + extent() + 1; }
  int64_t padded_width() const { return (out_width - 1) * stride + extent() + 1; }
  int64_t padded_size() const { return padded_height() * padded_width() * channels; }
  int64_t pixels() const { return out_height * out_width; }
};

}  // namespace espalier
