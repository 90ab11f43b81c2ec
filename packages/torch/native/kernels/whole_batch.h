// Batch norm over a batch whose parts are in several processes (synchronised batch norm).
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace espalier {

// The processes that the parts of a batch are in.
class Processes {
 public:
  virtual ~Processes() = default;
  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  // Replaces the values by their sums over all processes, which come to the same bits in each.
  virtual void sum(at::Tensor& values) = 0;
};

// Those that batch norms share their statistics with; null: they normalise by the part of this process.
extern Processes* whole_batch;

// Statistics of a batch: how many values a channel has, their means, and the sums of their squared distances from it.
struct Population {
  double count;
  std::vector<double> means, distances;
};

// Of the parts in all processes (Chan et al. 1979), or of this one's alone.
inline Population whole(Population part) {
  if (whole_batch == nullptr) return part;
  const int64_t channels = static_cast<int64_t>(part.means.size()), width = 2 * channels + 1, parts = whole_batch->size();
  at::Tensor table = at::zeros({parts, width}, at::TensorOptions().dtype(at::kDouble));
  double* const rows = table.data_ptr<double>();
  double* const own = rows + whole_batch->rank() * width;
  own[0] = part.count;
  std::copy(part.means.begin(), part.means.end(), own + 1);
  std::copy(part.distances.begin(), part.distances.end(), own + 1 + channels);
  whole_batch->sum(table);
  Population result{0, std::vector<double>(channels), std::vector<double>(channels)};
  for (int64_t row = 0; row < parts; ++row) result.count += rows[row * width];
  for (int64_t i = 0; i < channels; ++i) {
    for (int64_t row = 0; row < parts; ++row) result.means[i] += rows[row * width] / result.count * rows[row * width + 1 + i];
    for (int64_t row = 0; row < parts; ++row) {
      const double apart = rows[row * width + 1 + i] - result.means[i];
      result.distances[i] += rows[row * width + 1 + channels + i] + rows[row * width] * apart * apart;
    }
  }
  return result;
}

// Gradients of the scale and the shift of each channel, and how many values a channel has.
struct NormGradients {
  double count;
  std::vector<double> scale, shift;
};

// Summed over the parts in all processes, or this one's alone.
inline NormGradients whole(NormGradients part) {
  if (whole_batch == nullptr) return part;
  const int64_t channels = static_cast<int64_t>(part.scale.size());
  at::Tensor row = at::empty({2 * channels + 1}, at::TensorOptions().dtype(at::kDouble));
  double* const values = row.data_ptr<double>();
  values[0] = part.count;
  std::copy(part.scale.begin(), part.scale.end(), values + 1);
  std::copy(part.shift.begin(), part.shift.end(), values + 1 + channels);
  whole_batch->sum(row);
  return {values[0], {values + 1, values + 1 + channels}, {values + 1 + channels, values + 1 + 2 * channels}};
}

}  // namespace espalier
