import { InputError } from '../input-error.js';
import type { ChannelStatistics } from './channel-statistics.js';
import type { ImagesInMemory } from './image-dataset.js';

/**
 * Statistics over all pixels of a set (population deviation), to standardise each channel. Zoph & Le (section 4.1) write
 * "whitening all the images" without saying how. Published code for CIFAR standardises each channel, and so does this.
 *
 * Throws an InputError for an empty set, and for a channel with the same value everywhere, which cannot be scaled.
 */
export function channelStatistics(set: ImagesInMemory): ChannelStatistics {
  const { images, channels, count } = set;
  if (count === 0) throw new InputError('statistics of 0 images: at least 1 image is needed');
  const histogram = new Float64Array(256 * channels);
  for (let i = 0; i < images.length; i += channels) {
    for (let c = 0; c < channels; c++) histogram[c * 256 + images[i + c]!]!++;
  }
  const pixels = images.length / channels;
  const mean = new Float64Array(channels);
  const standardDeviation = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let value = 0; value < 256; value++) sum += value * histogram[c * 256 + value]!;
    const center = sum / pixels;
    let squares = 0;
    for (let value = 0; value < 256; value++) squares += (value - center) ** 2 * histogram[c * 256 + value]!;
    if (squares === 0) {
      throw new InputError(
        `channel ${c} of the ${count} training images has the value ${center} in every pixel: ` +
          'images must differ in every channel to be standardised',
      );
    }
    mean[c] = center / 255;
    standardDeviation[c] = Math.sqrt(squares / pixels) / 255;
  }
  return { mean, standardDeviation };
}
