// The pixels that the two convolutions of a factorized reduction read: those of even rows and columns, and those one row
// down and one column to the right of them.
#include <torch/library.h>

#include <cstring>

#include "arguments.h"
#include "chunks.h"
#include "gradient.h"

namespace espalier {
namespace {

using at::Tensor;

// Calls body(pixel of the half, half, pixel of the image) for every pixel of both halves; -1 where the image has ended.
template <typename Body>
void for_pixels(int64_t height, int64_t width, const Body& body) {
  const int64_t columns = (width + 1) / 2;
  for (int64_t row = 0; row < (height + 1) / 2; ++row)
    for (int64_t column = 0; column < columns; ++column)
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t y = 2 * row + half, x = 2 * column + half;
        body(row * columns + column, half, y < height && x < width ? y * width + x : -1);
      }
}

struct HalvesBackward final : KernelNode {
  int64_t height, width;

  std::string name() const override { return "halves"; }

  void release() override {}

  variable_list differentiate(variable_list&& gradients) override {
    const Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t images = gradient.size(0), channels = gradient.size(1) / 2;
    const Tensor result = at::empty({images, channels, height, width}, gradient.options().memory_format(at::MemoryFormat::ChannelsLast));
    const int64_t bytes = channels * gradient.element_size();
    const int64_t pixels = gradient.size(2) * gradient.size(3);
    in_chunks(images, threads_for(images, images * channels * height * width * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        const char* const from = static_cast<const char*>(gradient.data_ptr()) + image * pixels * 2 * bytes;
        char* const to = static_cast<char*>(result.data_ptr()) + image * height * width * bytes;
        std::memset(to, 0, height * width * bytes);
        for_pixels(height, width, [&](int64_t pixel, int64_t half, int64_t source) {
          if (source >= 0) std::memcpy(to + source * bytes, from + (2 * pixel + half) * bytes, bytes);
        });
      }
    });
    return {result};
  }
};

// From [N, C, H, W] to [N, 2C, H / 2, W / 2], sizes rounded up, with zeros beyond the edges.
Tensor halves(const Tensor& input) {
  check_values("input", input, 4, "[N, C, H, W]");
  const bool recorded = is_recorded({input});
  const int64_t images = input.size(0), channels = input.size(1), height = input.size(2), width = input.size(3);
  std::vector<Tensor> outputs;
  {
    at::NoGradGuard guard;
    const Tensor x = channels_last(input);
    outputs.push_back(at::empty({images, 2 * channels, (height + 1) / 2, (width + 1) / 2}, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
    const int64_t bytes = channels * x.element_size(), pixels = outputs[0].size(2) * outputs[0].size(3);
    in_chunks(images, threads_for(images, images * channels * height * width * kValueRead), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        const char* const from = static_cast<const char*>(x.data_ptr()) + image * height * width * bytes;
        char* const to = static_cast<char*>(outputs[0].data_ptr()) + image * pixels * 2 * bytes;
        for_pixels(height, width, [&](int64_t pixel, int64_t half, int64_t source) {
          char* const target = to + (2 * pixel + half) * bytes;
          if (source >= 0)
            std::memcpy(target, from + source * bytes, bytes);
          else
            std::memset(target, 0, bytes);
        });
      }
    });
  }
  if (recorded) {
    const auto node = make_node<HalvesBackward>();
    attach(node, {input}, outputs);
    node->height = height;
    node->width = width;
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) { library.def("halves(Tensor input) -> Tensor", halves); }

}  // namespace espalier
