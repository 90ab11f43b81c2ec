import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { MaskedImages } from './masked-images.js';
import { PairPass } from './pair-decoder.js';
import { placesOf, type Share } from './share.js';
import type { PairAugmentation, PairShowing, ShownPair } from './shown-pair.js';
import type { Size } from './view.js';

/** Images of one size with the classes of their pixels, for one step. */
export interface MaskedBatch extends Size {
  /** Raw bytes [count, height, width, 3]. */
  readonly pixels: Uint8Array;
  /** [count, height, width]: classes, or `IGNORED`. */
  readonly labels: Uint8Array;
  readonly count: number;
}

interface MaskedBatchOptions {
  /** Images of a batch. */
  readonly size: number;
  /** The crop of a training image. */
  readonly crop: Size;
  readonly beyond: PairShowing['beyond'];
  /** Shuffles, and crops at random places. Without it the images come whole and in the order of the set. */
  readonly training?: {
    readonly seed: number;
    /** The number of the pass. Seed and epoch determine order and augmentation, so that a run can be resumed. */
    readonly epoch: number;
    readonly augmentation: PairAugmentation;
    /** How many of the images are in the pass; all by default. */
    readonly count?: number;
    /** Reads only this process's part of each batch. Missing: all of it. */
    readonly share?: Share;
  };
}

/**
 * One pass over a set. Equal options give equal bytes. How an image is cropped depends on its place in the order of the
 * epoch, not on the batch size.
 *
 * Whole images may have different sizes. A batch then ends where the size changes, and has no more pixels than `size`
 * crops, but one image at least.
 *
 * @throws InputError for a batch size below 1 and for a set without images, before the first batch; with the path of a
 *   file that cannot be decoded or does not fit
 */
export function maskedBatches(
  set: MaskedImages,
  options: MaskedBatchOptions,
): Generator<MaskedBatch, void, undefined> {
  const { size } = options;
  if (!Number.isInteger(size) || size < 1)
    throw new InputError(`batch size ${size}: must be a whole number, 1 or more`);
  if (set.count === 0)
    throw new InputError(`batch size ${size}: there are only 0 images, not enough for one batch`);
  return generate(set, options);
}

function* generate(
  set: MaskedImages,
  { size, crop, beyond, training }: MaskedBatchOptions,
): Generator<MaskedBatch, void, undefined> {
  const { folder, labels, seen, count } = set;
  const order =
    training === undefined
      ? Int32Array.from({ length: count }, (_, index) => index)
      : Random.of(training.seed, `epoch ${training.epoch}`).permutation(count).subarray(0, training.count);
  const { places, sizes } = placesOf(order.length, size, training?.share);
  const pass = new PairPass(set, order, places, size, {
    folder,
    labels,
    seen,
    beyond,
    ...(training === undefined ? {} : { crop: cropOf(training, crop) }),
  });
  const mostPixels = size * crop.height * crop.width;
  try {
    let pairs: ShownPair[] = [];
    let batch = 0;
    for (let pair = pass.next(); pair !== undefined; pair = pass.next()) {
      const [first] = pairs;
      const fits =
        first === undefined ||
        (first.height === pair.height &&
          first.width === pair.width &&
          pairs.length < (training === undefined ? size : (sizes[batch] as number)) &&
          (pairs.length + 1) * pair.height * pair.width <= mostPixels);
      if (!fits) {
        yield batchOf(pairs);
        batch++;
        pairs = [];
      }
      pairs.push(pair);
    }
    yield batchOf(pairs);
  } finally {
    pass.close();
  }
}

function cropOf(
  { seed, epoch, augmentation }: NonNullable<MaskedBatchOptions['training']>,
  { height, width }: Size,
): NonNullable<PairShowing['crop']> {
  return { seed, epoch, augmentation, height, width };
}

function batchOf(pairs: readonly ShownPair[]): MaskedBatch {
  const { height, width } = pairs[0] as ShownPair;
  const pixels = new Uint8Array(pairs.length * height * width * 3);
  const labels = new Uint8Array(pairs.length * height * width);
  for (const [place, pair] of pairs.entries()) {
    pixels.set(pair.pixels, place * height * width * 3);
    labels.set(pair.labels, place * height * width);
  }
  return { pixels, labels, count: pairs.length, height, width };
}
