// A 3x3 convolution with stride 1 and a border of one zero, with the filters of several edges that read the same image, by the
// algorithm of Lavin & Gray 2016 (winograd.h). libtorch's own convolution comes close to the machine's rate of multiply-adds; this
// one needs a quarter of them.
#include <torch/library.h>

#include <algorithm>

#include "arguments.h"
#include "chunks.h"
#include "gradient.h"
#include "loops.h"
#include "scratch.h"

namespace espalier {
namespace {

using at::Tensor;
using at::TensorList;

constexpr int64_t kTaps = 9;

struct Sizes {
  Tiles tiles;
  // `out` are the filters of all edges.
  int64_t channels, out;

  int64_t multiply_adds() const { return tiles.count() * kProducts * channels * out; }
};

Sizes sizes_of(const Tensor& input, TensorList weights) {
  int64_t out = 0;
  for (const Tensor& weight : weights) out += weight.size(0);
  return {{input.size(0), input.size(2), input.size(3)}, input.size(1), out};
}

// Tiles that are worked on at once: what they read stays in the second-level cache, beside a block of the filters.
template <typename T>
int64_t block_of(int64_t channels) {
  constexpr int64_t kBytes = 320 << 10, kLeast = 8, kMost = 32;
  return std::min(kMost, std::max(kLeast, kBytes / (kProducts * channels * static_cast<int64_t>(sizeof(T))) / kLeast * kLeast));
}

// The distance from one product of a block to the next. The extra line keeps them from the same places of the cache.
template <typename T>
int64_t plane_of(int64_t block, int64_t channels) {
  return block * channels + 64 / static_cast<int64_t>(sizeof(T));
}

// The filters of all edges, transformed, in blocks of columns: [blocks][products][terms, columns of the block]. The terms are the
// channels and the columns the filters; where `reversed`, for the gradient of the image, it is the other way round and the filters are
// turned by half a circle.
template <typename T>
class Filters {
 public:
  Filters(const std::vector<Tensor>& weights, const Sizes& size, bool reversed)
      : terms_(reversed ? size.out : size.channels), columns_(reversed ? size.channels : size.out), values_(kProducts * terms_ * columns_) {
    const int64_t blocks = (columns_ + kPanel<T> - 1) / kPanel<T>;
    for (int64_t block = 0; block <= blocks; ++block) starts_.push_back(columns_ * block / blocks);
    // For each filter, where its taps begin.
    std::vector<const T*> filters;
    for (const Tensor& weight : weights)
      for (int64_t filter = 0; filter < weight.size(0); ++filter) filters.push_back(weight.data_ptr<T>() + filter * size.channels * kTaps);
    Scratch<T> taps(kTaps * kPanel<T>);
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t term = 0; term < terms_; ++term) {
        const int64_t count = columns(block);
        for (int64_t i = 0; i < count; ++i) {
          const int64_t column = first(block) + i;
          const T* const from = reversed ? filters[term] + column * kTaps : filters[column] + term * kTaps;
          for (int64_t tap = 0; tap < kTaps; ++tap) taps[tap * count + i] = from[reversed ? kTaps - 1 - tap : tap];
        }
        loops<T>().transform_filters(count, taps.data(), values_.data() + kProducts * terms_ * first(block) + term * count, terms_ * count);
      }
  }

  int64_t blocks() const { return static_cast<int64_t>(starts_.size()) - 1; }
  int64_t first(int64_t block) const { return starts_[block]; }
  int64_t columns(int64_t block) const { return starts_[block + 1] - starts_[block]; }
  const T* of(int64_t block, int64_t product) const { return values_.data() + kProducts * terms_ * first(block) + product * terms_ * columns(block); }

 private:
  const int64_t terms_, columns_;
  std::vector<int64_t> starts_;
  Scratch<T> values_;
};

// Convolves images with `terms` channels into images with `columns` channels.
template <typename T>
void convolve(const Sizes& size, int64_t terms, int64_t columns, const T* images, bool rectifies, const Filters<T>& filters, const T* rectified_from, T* to) {
  const Loops<T>& loop = loops<T>();
  const int64_t block = block_of<T>(terms), plane = plane_of<T>(block, terms), blocks = (size.tiles.count() + block - 1) / block;
  in_chunks(blocks, threads_for(blocks, size.multiply_adds()), [&](int64_t, int64_t begin, int64_t end) {
    Scratch<T> read(kProducts * plane), made;
    for (int64_t first = begin * block, last = std::min(end * block, size.tiles.count()); first < last; first += block) {
      const int64_t next = std::min(last, first + block), tiles = next - first;
      loop.transform_read(size.tiles, terms, images, rectifies, first, next, read.data(), plane);
      for (int64_t part = 0; part < filters.blocks(); ++part) {
        const int64_t own = filters.columns(part), made_plane = plane_of<T>(block, own), at = filters.first(part);
        made.resize(std::max<size_t>(made.size(), kProducts * made_plane));
        for (int64_t product = 0; product < kProducts; ++product)
          loop.product(read.data() + product * plane, terms, filters.of(part, product), made.data() + product * made_plane, own, tiles, terms, own);
        loop.results_of_tiles(size.tiles, own, made.data(), made_plane, first, next, to + at, columns, rectified_from == nullptr ? nullptr : rectified_from + at);
      }
    }
  });
}

// The gradients of the filters of all edges: [out, channels, 3, 3] in memory's order, edge after edge.
template <typename T>
std::vector<T> filter_gradients(const Sizes& size, const T* images, bool rectifies, const T* slopes) {
  const Loops<T>& loop = loops<T>();
  const int64_t block = block_of<T>(std::max(size.channels, size.out)), read_plane = plane_of<T>(block, size.channels), slope_plane = plane_of<T>(block, size.out);
  const int64_t blocks = (size.tiles.count() + block - 1) / block, threads = threads_for(blocks, size.multiply_adds()), each = size.channels * size.out;
  std::vector<Scratch<T>> sums(threads);
  in_chunks(blocks, threads, [&](int64_t thread, int64_t begin, int64_t end) {
    Scratch<T> read(kProducts * read_plane), slope(kProducts * slope_plane);
    sums[thread].assign(kProducts * each, T(0));
    for (int64_t first = begin * block, last = std::min(end * block, size.tiles.count()); first < last; first += block) {
      const int64_t next = std::min(last, first + block);
      loop.transform_read(size.tiles, size.channels, images, rectifies, first, next, read.data(), read_plane);
      loop.transform_slopes(size.tiles, size.out, slopes, first, next, slope.data(), slope_plane);
      for (int64_t product = 0; product < kProducts; ++product)
        loop.add_outer_products(read.data() + product * read_plane, size.channels, slope.data() + product * slope_plane, size.out,
                                sums[thread].data() + product * each, next - first, size.channels, size.out);
    }
  });
  for (int64_t thread = 1; thread < threads; ++thread)
    for (int64_t i = 0; i < kProducts * each; ++i) sums[0][i] += sums[thread][i];
  std::vector<T> result(kTaps * each);
  Scratch<T> taps(kTaps * size.out);
  for (int64_t channel = 0; channel < size.channels; ++channel) {
    loop.taps_gradient(size.out, sums[0].data() + channel * size.out, each, taps.data());
    for (int64_t filter = 0; filter < size.out; ++filter)
      for (int64_t tap = 0; tap < kTaps; ++tap) result[(filter * size.channels + channel) * kTaps + tap] = taps[tap * size.out + filter];
  }
  return result;
}

struct Conv3x3Backward final : KernelNode {
  SavedVariable input;
  std::vector<SavedVariable> weights;
  bool rectifies = false;

  std::string name() const override { return "conv3x3"; }

  void release() override {
    input.reset_data();
    weights.clear();
  }

  variable_list differentiate(variable_list&& gradients) override {
    return for_type(gradients[0].scalar_type(), [&](auto zero) { return differentiate_as<decltype(zero)>(gradients[0]); });
  }

  template <typename T>
  variable_list differentiate_as(const Tensor& gradient) {
    const Tensor images = input.unpack(), slopes = channels_last(gradient);
    const std::vector<Tensor> filters = unpacked(weights);
    const Sizes size = sizes_of(images, filters);
    variable_list result(1 + filters.size());
    if (wants(0)) {
      result[0] = at::empty_like(images);
      convolve<T>(size, size.out, size.channels, slopes.data_ptr<T>(), false, Filters<T>(filters, size, true), rectifies ? images.data_ptr<T>() : nullptr,
                  result[0].data_ptr<T>());
    }
    if (wants_any(1, filters.size())) {
      const std::vector<T> sums = filter_gradients<T>(size, images.data_ptr<T>(), rectifies, slopes.data_ptr<T>());
      const T* from = sums.data();
      for (size_t i = 0; i < filters.size(); ++i) {
        result[1 + i] = at::empty(filters[i].sizes(), filters[i].options());
        std::copy(from, from + filters[i].numel(), result[1 + i].data_ptr<T>());
        from += filters[i].numel();
      }
    }
    return result;
  }
};

// The images [N, C, H, W], rectified first where `rectifies`, convolved with the filters [O, C, 3, 3] of each edge: [N, all O, H, W].
Tensor conv3x3(const Tensor& input, TensorList weights, bool rectifies) {
  const auto type = check_values("input", input, 4, "[N, C, H, W]");
  TORCH_CHECK(input.numel() > 0, "argument 'input' is ", shown(input), "; allowed: at least one value");
  TORCH_CHECK(!weights.empty(), "argument 'weights' is empty; allowed: at least one tensor");
  for (size_t i = 0; i < weights.size(); ++i) {
    TORCH_CHECK(weights[i].defined() && weights[i].dim() == 4 && weights[i].size(0) > 0, "argument 'weights[", i, "]' is ", shown(weights[i]),
                "; allowed: [O, C, 3, 3] with at least one filter");
    check_item("weights", i, weights[i], type, {weights[i].size(0), input.size(1), 3, 3});
  }
  std::vector<Tensor> inputs{input};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  const bool recorded = is_recorded(inputs);
  Tensor images;
  std::vector<Tensor> filters, outputs;
  {
    at::NoGradGuard guard;
    images = channels_last(input);
    filters = all_row_major(weights);
    const Sizes size = sizes_of(images, filters);
    outputs.push_back(at::empty({size.tiles.images, size.out, size.tiles.height, size.tiles.width}, images.options().memory_format(at::MemoryFormat::ChannelsLast)));
    for_type(type, [&](auto zero) {
      using T = decltype(zero);
      convolve<T>(size, size.channels, size.out, images.data_ptr<T>(), rectifies, Filters<T>(filters, size, false), nullptr, outputs[0].data_ptr<T>());
    });
  }
  if (recorded) {
    const auto node = make_node<Conv3x3Backward>();
    attach(node, inputs, outputs);
    node->input = SavedVariable(images, false);
    node->weights = saved(filters);
    node->rectifies = rectifies;
  }
  return outputs[0];
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(espalier, library) { library.def("conv3x3(Tensor input, Tensor[] weights, bool rectifies) -> Tensor", conv3x3); }

}  // namespace espalier
