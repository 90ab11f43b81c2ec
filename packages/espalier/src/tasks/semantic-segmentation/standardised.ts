import { fromTypedArray, type Tensor } from '@espalier/torch';
import type { ChannelStatistics } from '../../data/channel-statistics.js';

/**
 * Images as networks read them, [N, 3, height, width], channels last in memory.
 *
 * @param pixels raw bytes [N, height, width, 3]
 */
export function standardised(
  pixels: Uint8Array,
  [count, height, width]: readonly [number, number, number],
  { mean, standardDeviation }: ChannelStatistics,
  device: string,
): Tensor {
  const scale = Float32Array.from(standardDeviation, (deviation) => 1 / (255 * deviation));
  const shift = Float32Array.from(mean, (value, channel) => -value / (standardDeviation[channel] as number));
  const row = (values: Float32Array) => fromTypedArray(values, [values.length]).to({ device });
  return fromTypedArray(pixels, [count, height, width, mean.length])
    .to({ device, dtype: 'float32' })
    .mul(row(scale))
    .add(row(shift))
    .permute([0, 3, 1, 2]);
}

/** What lies beyond an image: the mean pixel, as bytes. */
export function beyond({ mean }: ChannelStatistics): readonly [number, number, number] {
  return Array.from(mean, (value) => Math.round(255 * value)) as [number, number, number];
}
