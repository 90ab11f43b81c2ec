// The sizes of a 3x3 convolution with stride 1 and a border of one zero, by F(4x4, 3x3) of Lavin & Gray 2016 ("Fast algorithms for
// convolutional neural networks", section 4.3): the image is cut into tiles of 4x4 results, each made from 6x6 pixels with 36
// products for each pair of channels, where the plain sum takes 144.
#pragma once

#include <cstdint>

namespace espalier {

// Results on one side of a tile, the pixels that it reads there, and the products of a tile.
constexpr int64_t kTile = 4, kTileRead = 6, kProducts = kTileRead * kTileRead;

// Images are NHWC. The tiles of all images are counted through.
struct Tiles {
  int64_t images, height, width;

  int64_t down() const { return (height + kTile - 1) / kTile; }
  int64_t across() const { return (width + kTile - 1) / kTile; }
  int64_t of_image() const { return down() * across(); }
  int64_t count() const { return images * of_image(); }
};

}  // namespace espalier
