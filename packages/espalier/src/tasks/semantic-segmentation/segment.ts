import { type Tensor, zeros } from '@espalier/torch';
import { resize, sizeOf } from '../../networks/auto-deeplab/resize.js';

/** [N, channels, height, width] to the logits [N, classes, height, width], for images of any size. */
export interface SegmentationModel {
  forward(images: Tensor): Tensor;
}

/** How images are evaluated. */
export interface Views {
  /** Factors by which an image is enlarged for a pass each; the probabilities of all passes are averaged. */
  readonly scales: readonly number[];
  /** Whether each pass is repeated on the mirrored image. */
  readonly flip: boolean;
  /** Side in pixels of the tiles, overlapping by a third, that larger images are evaluated in; 0: whole images. */
  readonly tile: number;
}

/** One pass over the image as it is. */
export const ONE_VIEW: Views = { scales: [1], flip: false, tile: 0 };

/** The share of a tile by which the next one moves on. */
const MOVES = 2 / 3;
/** A probability of 0 has no logarithm. */
const LEAST = 1e-30;

/**
 * Logits of each class and pixel, whose softmax are the probabilities: those of the network, or the logarithms of the mean
 * probabilities of all views (as DeepLab is evaluated at several scales, Chen et al. 2018, section 4). For use without
 * gradients.
 *
 * @param images [N, channels, height, width]
 * @returns [N, classes, height, width]
 */
export function segment(model: SegmentationModel, images: Tensor, { scales, flip, tile }: Views): Tensor {
  const size = sizeOf(images);
  const tiled = tile > 0 && Math.max(...size) > tile;
  if (scales.length === 1 && scales[0] === 1 && !flip && !tiled) return model.forward(images);
  const passes: Tensor[] = [];
  for (const scale of scales) {
    const [height, width] = size.map((length) => Math.max(1, Math.round(length * scale))) as [number, number];
    const seen = resize(images, [height, width]);
    const probabilities = (given: Tensor) => resize(inTiles(model, given, tile), size);
    passes.push(probabilities(seen));
    if (flip) passes.push(probabilities(seen.flip([3])).flip([3]));
  }
  const sum = passes.reduce((total, one) => total.add(one));
  return sum.div(passes.length).clampMin(LEAST).log();
}

/** The probabilities of an image, whose tiles are evaluated one by one and averaged where they overlap. */
function inTiles(model: SegmentationModel, images: Tensor, tile: number): Tensor {
  const probabilities = (given: Tensor) => model.forward(given).softmax(1);
  const [height, width] = sizeOf(images);
  if (tile === 0 || (height <= tile && width <= tile)) return probabilities(images);
  let sum: Tensor | undefined;
  const counts = zeros([1, 1, height, width], { device: images.device });
  for (const [top, tall] of tilesAlong(height, tile))
    for (const [left, wide] of tilesAlong(width, tile)) {
      const part = (whole: Tensor) => whole.narrow(2, top, tall).narrow(3, left, wide);
      const seen = probabilities(part(images).contiguous());
      const [count, classes] = seen.shape as [number, number];
      sum ??= zeros([count, classes, height, width], { device: images.device });
      part(sum).add_(seen);
      part(counts).add_(1);
    }
  return (sum as Tensor).div(counts);
}

/** Where tiles begin along an axis, and how long they are. The last one ends where the image does. */
export function tilesAlong(length: number, tile: number): (readonly [begin: number, length: number])[] {
  if (length <= tile) return [[0, length]];
  const step = Math.max(1, Math.floor(tile * MOVES));
  const count = Math.ceil((length - tile) / step) + 1;
  return Array.from({ length: count }, (_, index) => [Math.min(index * step, length - tile), tile]);
}
