import { fromTypedArray, noGrad, scope, type Tensor, upsampleBilinear2dAa } from '@espalier/torch';
import type { ChannelStatistics } from '../data/statistics.js';

/** The sides that an image is resized for and cropped to, in pixels. */
export interface View {
  readonly height: number;
  readonly width: number;
  /** How many times larger than the crop the image is made; ImageNet's networks are tested with 256/224. */
  readonly margin: number;
}

/**
 * The middle of an image as the field's evaluation shows it to a network (`Resize`, `CenterCrop` and `Normalize` of
 * torchvision): its shorter side resized by antialiased bilinear interpolation and rounded to bytes, the centre cropped,
 * (pixel / 255 - mean) / standard deviation.
 *
 * @param image float32 [1, channels, any height, any width], 0 to 255
 * @returns float32 [1, channels, height, width]
 */
export function evaluationView(
  image: Tensor,
  { height, width, margin }: View,
  { mean, standardDeviation }: ChannelStatistics,
): Tensor {
  return scope(() =>
    noGrad(() => {
      const [, channels, fromHeight, fromWidth] = image.shape as [number, number, number, number];
      const least = { height: Math.round(height * margin), width: Math.round(width * margin) };
      const byHeight = fromHeight * least.width <= fromWidth * least.height;
      const size = byHeight
        ? [least.height, Math.floor((fromWidth * least.height) / fromHeight)]
        : [Math.floor((fromHeight * least.width) / fromWidth), least.width];
      const [tall, wide] = size as [number, number];
      const resized =
        tall === fromHeight && wide === fromWidth
          ? image
          : upsampleBilinear2dAa(image, [tall, wide], false).round().clamp(0, 255);
      const cropped = resized.narrow(2, centre(tall, height), height).narrow(3, centre(wide, width), width);
      const perChannel = (values: Float64Array) =>
        fromTypedArray(Float32Array.from(values), [1, channels, 1, 1]);
      return cropped.div(255).sub(perChannel(mean)).div(perChannel(standardDeviation));
    }),
  );
}

/** Where the middle begins; half a pixel is rounded to the even one, as Python rounds in torchvision. */
function centre(outer: number, inner: number): number {
  const begin = (outer - inner) / 2;
  const floor = Math.floor(begin);
  return begin - floor === 0.5 && floor % 2 !== 0 ? floor + 1 : floor;
}
