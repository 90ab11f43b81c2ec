import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { MaskedImages } from './masked-images.js';

/** Divides a set at random into two disjoint ones, both in the order of the set. @throws InputError unless both have images */
export function holdOutPairs(
  set: MaskedImages,
  { count, seed }: { readonly count: number; readonly seed: number },
): { train: MaskedImages; heldOut: MaskedImages } {
  if (!Number.isInteger(count) || count < 1 || count >= set.count)
    throw new InputError(
      `${count} images to hold out: must be a whole number from 1 to ${set.count - 1}, ` +
        `for there are ${set.count} images`,
    );
  const order = Random.of(seed, 'held-out images').permutation(set.count);
  const held = new Set(order.subarray(0, count));
  const indices = [...order.keys()];
  return {
    train: chosenPairs(
      set,
      indices.filter((index) => !held.has(index)),
    ),
    heldOut: chosenPairs(
      set,
      indices.filter((index) => held.has(index)),
    ),
  };
}

/** The first `count` images of a set: `--limit`. @throws InputError unless there are so many */
export function firstPairs(set: MaskedImages, count: number): MaskedImages {
  if (count > set.count)
    throw new InputError(
      `limit ${count}: must be a whole number from 1 to ${set.count}, the images there are`,
    );
  return chosenPairs(
    set,
    Array.from({ length: count }, (_, index) => index),
  );
}

/** Some images of a set, in the given order. */
export function chosenPairs(set: MaskedImages, indices: readonly number[]): MaskedImages {
  const of = (files: readonly string[]) => indices.map((index) => files[index] as string);
  return { ...set, images: of(set.images), masks: of(set.masks), count: indices.length };
}
