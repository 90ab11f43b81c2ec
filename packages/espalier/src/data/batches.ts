import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import { type Augmentation, checkAugmentation, drawPlacement, UNTOUCHED } from './augmentation.js';
import type { ChannelStatistics } from './channel-statistics.js';
import { DecodingPass } from './decoder.js';
import type { ImageSet } from './image-dataset.js';
import { imageWriter } from './image-writer.js';
import { partOf, placesOf, type Share } from './share.js';

/** Images and labels for one step. The next batch overwrites both arrays: copy what you need for longer. */
export interface Batch {
  /** [count, height, width, channels], (pixel / 255 - mean) / standard deviation, channel by channel. */
  readonly images: Float32Array;
  /** [count], as libtorch's losses take them. */
  readonly labels: BigInt64Array;
  readonly count: number;
}

interface BatchOptions {
  /** Images per batch. */
  readonly size: number;
  /** The statistics of the training images, whatever the set: see `channelStatistics`. */
  readonly statistics: ChannelStatistics;
  /** Shuffles and augments. Without it, the images come unchanged, in the order of the set. */
  readonly training?: {
    readonly seed: number;
    /** The number of the pass. Seed and epoch determine order and augmentation, so that a run can be resumed. */
    readonly epoch: number;
    readonly augmentation: Augmentation;
    /** Reads only this process's part of each batch. Missing: all of it. */
    readonly share?: Share;
  };
  /** Whether to keep the last batch if it is smaller than the others. Default: keep. */
  readonly lastBatch?: 'keep' | 'drop';
}

/**
 * One pass over a set. Equal options give equal bytes. How an image is augmented depends on its place in the order of the
 * epoch, not on the batch size.
 *
 * Throws an InputError, before the first batch, for a batch size below 1, for a set without images, and for a set smaller
 * than one batch if the last batch is dropped.
 */
export function batches(set: ImageSet, options: BatchOptions): Generator<Batch, void, undefined> {
  const { size, training, lastBatch = 'keep' } = options;
  if (!Number.isInteger(size) || size < 1) {
    throw new InputError(`batch size ${size}: must be a whole number, 1 or more`);
  }
  if (set.count < (lastBatch === 'drop' ? size : 1)) {
    throw new InputError(`batch size ${size}: there are only ${set.count} images, not enough for one batch`);
  }
  if (training !== undefined) checkAugmentation(training.augmentation);
  return generate(set, options, lastBatch === 'drop' ? set.count - (set.count % size) : set.count);
}

function* generate(
  set: ImageSet,
  { size, statistics, training }: BatchOptions,
  total: number,
): Generator<Batch, void, undefined> {
  const { height, width, channels, count, labels } = set;
  const pixels = height * width * channels;
  const random = training && Random.of(training.seed, `epoch ${training.epoch}`);
  const order = (random?.permutation(count) ?? Int32Array.from(labels.keys())).subarray(0, total);
  const share = training?.share;
  const { places, sizes } = placesOf(total, size, share);
  const most = Math.max(...sizes);
  const decoding = 'files' in set ? new DecodingPass(set, order, places, most, training) : undefined;
  const { cutout, ...earlier } = training?.augmentation ?? {};
  // The decoder crops, mirrors and colours image files. Images in memory are changed on their way into the batch.
  const augmentation = {
    ...(decoding === undefined ? earlier : {}),
    ...(cutout === undefined ? {} : { cutout }),
  };
  const shown = 'files' in set ? { ...set, images: decoding!.images } : set;
  const writer = imageWriter(shown, statistics, augmentation);
  const images = new Float32Array(most * pixels);
  const targets = new BigInt64Array(most);
  try {
    for (let start = 0; start < total; start += size) {
      const filled = Math.min(size, total - start);
      const [from, to] = partOf(filled, share);
      decoding?.next(to - from);
      for (let i = 0; i < filled; i++) {
        // Also of the images of other processes: what is drawn for one depends on its place in the order.
        const placement =
          random === undefined ? UNTOUCHED : drawPlacement(random, augmentation, height, width);
        if (i < from || i >= to) continue;
        const index = order[start + i]!;
        writer.write(decoding === undefined ? index : i - from, placement, images, (i - from) * pixels);
        targets[i - from] = BigInt(labels[index]!);
      }
      yield {
        images: images.subarray(0, (to - from) * pixels),
        labels: targets.subarray(0, to - from),
        count: to - from,
      };
    }
  } finally {
    decoding?.close();
  }
}
