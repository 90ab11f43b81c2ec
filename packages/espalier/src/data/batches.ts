import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import { type Augmentation, checkAugmentation, drawPlacement, UNTOUCHED } from './augmentation.js';
import type { ChannelStatistics } from './channel-statistics.js';
import { DecodingPass } from './decoder.js';
import type { ImageSet } from './image-dataset.js';
import { imageWriter } from './image-writer.js';

/** Images and labels for one step. Both arrays are written over by the next batch: copy what has to stay. */
export interface Batch {
  /** [count, height, width, channels], (pixel / 255 - mean) / standard deviation, channel by channel. */
  readonly images: Float32Array;
  /** [count], as libtorch's losses take them. */
  readonly labels: BigInt64Array;
  readonly count: number;
}

interface BatchOptions {
  /** Images a batch. */
  readonly size: number;
  /** Those of the training images, for every set: see `channelStatistics`. */
  readonly statistics: ChannelStatistics;
  /** Shuffles and augments; without it the images come in the order of the set and as they are. */
  readonly training?: {
    readonly seed: number;
    /** Which pass over the data this is. With the seed it gives order and augmentation: a run resumes by it. */
    readonly epoch: number;
    readonly augmentation: Augmentation;
  };
  /** What becomes of the images left over when the batch size does not divide their number. Default: keep. */
  readonly lastBatch?: 'keep' | 'drop';
}

/**
 * One pass over a set. Equal options give equal bytes, and what an image looks like depends on its place in the
 * epoch's order, not on the batch size.
 *
 * Throws an InputError, before the first batch, for a batch size below 1, for no image, and for fewer images than
 * one batch when the last is dropped.
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
  const decoding = 'files' in set ? new DecodingPass(set, order, size, training) : undefined;
  const { cutout, ...earlier } = training?.augmentation ?? {};
  // Files come cropped, mirrored and coloured; images in memory are changed on the way into the batch.
  const augmentation = {
    ...(decoding === undefined ? earlier : {}),
    ...(cutout === undefined ? {} : { cutout }),
  };
  const shown = 'files' in set ? { ...set, images: decoding!.images } : set;
  const writer = imageWriter(shown, statistics, augmentation);
  const images = new Float32Array(Math.min(size, total) * pixels);
  const targets = new BigInt64Array(Math.min(size, total));
  try {
    for (let start = 0; start < total; start += size) {
      const filled = Math.min(size, total - start);
      decoding?.next(filled);
      for (let i = 0; i < filled; i++) {
        const index = order[start + i]!;
        const placement =
          random === undefined ? UNTOUCHED : drawPlacement(random, augmentation, height, width);
        writer.write(decoding === undefined ? index : i, placement, images, i * pixels);
        targets[i] = BigInt(labels[index]!);
      }
      yield {
        images: images.subarray(0, filled * pixels),
        labels: targets.subarray(0, filled),
        count: filled,
      };
    }
  } finally {
    decoding?.close();
  }
}
