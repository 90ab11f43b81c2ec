import { cat, fromTypedArray, noGrad, scope, type Tensor, upsampleBilinear2dAa } from '@espalier/torch';
import type { ChannelStatistics } from '../data/channel-statistics.js';
import { centreView, type Size } from '../data/view.js';

/** What a network sees of an image, in pixels. */
export interface View {
  readonly height: number;
  readonly width: number;
  /** The size to which the image is resized, divided by the crop's. ImageNet's networks are tested with 256/224. */
  readonly margin: number;
}

/** Pixels that are converted to floats at a time, in one channel: 64 MiB. */
const BAND = 2 ** 24;

/**
 * The centre of an image as networks see it in evaluation (torchvision's `Resize`, `CenterCrop` and `Normalize`): the
 * shorter side is resized by antialiased bilinear interpolation and rounded to bytes, the centre is cropped, and each
 * value becomes (pixel / 255 - mean) / standard deviation.
 *
 * @param image uint8 or float32 [1, channels, any height, any width], 0 to 255
 * @returns float32 [1, channels, height, width]
 * @throws InputError for an image that is too elongated: see `centreView`
 */
export function evaluationView(
  image: Tensor,
  { height, width, margin }: View,
  { mean, standardDeviation }: ChannelStatistics,
): Tensor {
  return scope(() =>
    noGrad(() => {
      const [, channels, fromHeight, fromWidth] = image.shape as [number, number, number, number];
      const { resized, crop } = centreView(
        { height: fromHeight, width: fromWidth },
        { height, width },
        margin,
      );
      const isResized = resized.height !== fromHeight || resized.width !== fromWidth;
      const view = isResized ? resize(image, resized) : image;
      const cropped = view.narrow(2, crop.top, height).narrow(3, crop.left, width);
      const pixels = isResized ? cropped.round().clamp(0, 255) : toFloats(cropped);
      const perChannel = (values: Float64Array) =>
        fromTypedArray(Float32Array.from(values), [1, channels, 1, 1]);
      return pixels.div(255).sub(perChannel(mean)).div(perChannel(standardDeviation));
    }),
  );
}

/**
 * Resizes the rows in bands, then the columns: libtorch does both in this order as well, so the values are the same to the
 * bit, but a large image is never in memory as floats.
 */
function resize(image: Tensor, { height, width }: Size): Tensor {
  const [, , fromHeight, fromWidth] = image.shape as [number, number, number, number];
  const rows = Math.max(1, Math.floor(BAND / fromWidth));
  if (rows >= fromHeight) return upsampleBilinear2dAa(toFloats(image), [height, width], false);
  const bands: Tensor[] = [];
  for (let top = 0; top < fromHeight; top += rows) {
    const count = Math.min(rows, fromHeight - top);
    bands.push(
      scope(() => upsampleBilinear2dAa(toFloats(image.narrow(2, top, count)), [count, width], false)),
    );
  }
  return upsampleBilinear2dAa(cat(bands, 2), [height, width], false);
}

function toFloats(image: Tensor): Tensor {
  return image.to({ dtype: 'float32' });
}
