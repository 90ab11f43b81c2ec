// The inner loops of the kernels for one instruction set, and the choice among the sets that they are compiled for.
#pragma once

#include <cstdint>

#include "convolution.h"
#include "winograd.h"

namespace espalier {

// The columns of a panel of a product with AVX-512; a whole number of panels with any other instruction set.
template <typename T>
constexpr int64_t kPanel = 192 / sizeof(T);

template <typename T>
struct Loops {
  // depthwise.inc
  void (*rectify_padded)(const Convolution&, const T*, int64_t, const T*, const T*, int64_t, int64_t, T*);
  void (*depthwise)(const Convolution&, int64_t, const T*, int64_t, const T*, T*, int64_t, int64_t, bool);
  void (*add_depthwise_weight_gradient)(const Convolution&, const T*, int64_t, const T*, int64_t, T*);
  void (*add_depthwise_scattered)(const Convolution&, const T*, int64_t, const T*, T*, int64_t);
  void (*row_input_gradient)(int64_t, int64_t, const T*, const T*, const T*, int64_t, const T*, T*, T*, T*, int64_t, bool);
  void (*moments)(const T*, int64_t, int64_t, int64_t, T*, T*);
  void (*with_moments_gradient)(int64_t, int64_t, const T*, const T*, int64_t, const T*, const T*, T*, int64_t);
  // products.inc
  void (*product)(const T*, int64_t, const T*, T*, int64_t, int64_t, int64_t, int64_t);
  void (*add_outer_products)(const T*, int64_t, const T*, int64_t, T*, int64_t, int64_t, int64_t);
  void (*pack_panels)(const T*, int64_t, int64_t, int64_t, int64_t, T*);
  void (*transpose)(const T*, int64_t, int64_t, int64_t, T*, int64_t);
  void (*panel_product)(const T*, int64_t, const T*, const T*, int64_t, T*, int64_t, int64_t, int64_t, int64_t);
  // winograd.inc
  void (*transform_read)(const Tiles&, int64_t, const T*, bool, int64_t, int64_t, T*, int64_t);
  void (*transform_slopes)(const Tiles&, int64_t, const T*, int64_t, int64_t, T*, int64_t);
  void (*results_of_tiles)(const Tiles&, int64_t, const T*, int64_t, int64_t, int64_t, T*, int64_t, const T*);
  void (*transform_filters)(int64_t, const T*, T*, int64_t);
  void (*taps_gradient)(int64_t, const T*, int64_t, T*);
  // pooling.inc
  void (*max_pool)(const Convolution&, const T*, T*, uint8_t*);
  void (*add_max_pool_gradient)(const Convolution&, const T*, const uint8_t*, T*);
  void (*average_pool)(const Convolution&, const T*, T*);
  void (*add_average_pool_gradient)(const Convolution&, const T*, T*);
  // mixture.inc
  void (*mix)(int64_t, int64_t, int64_t, const T* const*, const int64_t*, const T*, const T*, T*);
  void (*unmix)(int64_t, int64_t, const T*, const T*, int64_t, const T*, T*, bool, T*);
  void (*add_sums)(int64_t, int64_t, const T*, T*);
  // recurrent.inc
  void (*add_mixed_highway)(int64_t, const T*, const T*, const T*, T*);
  void (*mixed_highway_gradient)(int64_t, const T*, const T*, const T*, const T*, T*, T*, T*);
  void (*mask)(int64_t, const T*, const T*, T*);
  void (*add_masked)(int64_t, const T*, const T*, const T*, T*);
  // softmax.inc
  T (*log_sum)(int64_t, const T*, T*);
  void (*softmax)(int64_t, const T*, T, T, T*);
  // lstm.inc
  void (*lstm_step)(int64_t, T*, const T*, T*, T*);
  void (*lstm_step_gradient)(int64_t, const T*, const T*, const T*, const T*, T*, T*);
};

// The loops for the best instruction set of this CPU. The environment variable ESPALIER_CPU (baseline, avx2, avx512) chooses an
// older one; any other value throws.
template <typename T>
const Loops<T>& loops();

// Its name.
const char* instruction_set();

}  // namespace espalier
