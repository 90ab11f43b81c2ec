// What the loops of a rectified, normalised, depthwise separable convolution need to know of it. Images are NHWC: the
// channels of a pixel are neighbours.
#pragma once

#include <cstdint>

namespace espalier {

struct Convolution {
  int64_t height, width, channels;
  int64_t out_height, out_width, out_channels;
  // Of the depthwise filters; 1 where there are none.
  int64_t kernel;
  int64_t stride, padding, dilation;

  // How far apart the first and the last pixel of a filter are.
  int64_t extent() const { return (kernel - 1) * dilation; }
  // Of the part of the padded image that any filter reads.
  int64_t padded_height() const { return (out_height - 1) * stride + extent() + 1; }
  int64_t padded_width() const { return (out_width - 1) * stride + extent() + 1; }
  int64_t padded_size() const { return padded_height() * padded_width() * channels; }
  int64_t pixels() const { return out_height * out_width; }
};

}  // namespace espalier
