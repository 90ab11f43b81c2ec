import { fromTypedArray, noGrad, scope, type Tensor, upsampleBilinear2dAa } from '@espalier/torch';
import type { ChannelStatistics } from '../data/channel-statistics.js';
import { centreView } from '../data/view.js';

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
      const { resized, crop } = centreView(
        { height: fromHeight, width: fromWidth },
        { height, width },
        margin,
      );
      const view =
        resized.height === fromHeight && resized.width === fromWidth
          ? image
          : upsampleBilinear2dAa(image, [resized.height, resized.width], false).round().clamp(0, 255);
      const cropped = view.narrow(2, crop.top, height).narrow(3, crop.left, width);
      const perChannel = (values: Float64Array) =>
        fromTypedArray(Float32Array.from(values), [1, channels, 1, 1]);
      return cropped.div(255).sub(perChannel(mean)).div(perChannel(standardDeviation));
    }),
  );
}
