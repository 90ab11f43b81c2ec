import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { ImageSet, ImagesInMemory } from './image-dataset.js';

interface HoldOutOptions {
  /** How many images to hold out: at least 1, and fewer than the set has. */
  readonly count: number;
  readonly seed: number;
  /** Whether the classes keep their proportions, to within one image; otherwise chance decides. */
  readonly stratified: boolean;
}

/**
 * Divides a set at random into two disjoint ones: Zoph & Le (section 4.1) hold out 5,000 of the training images for
 * validation. Both are copies, in the order of the set, so that the memory of the set itself can be freed.
 */
export function holdOut<S extends ImageSet>(
  set: S,
  { count, seed, stratified }: HoldOutOptions,
): { train: S; heldOut: S } {
  if (!Number.isInteger(count) || count < 1 || count >= set.count) {
    throw new InputError(
      `${count} images to hold out: must be a whole number from 1 to ${set.count - 1}, ` +
        `for there are ${set.count} images`,
    );
  }
  const order = Random.of(seed, 'held-out images').permutation(set.count);
  const chosen = stratified ? takeByClass(order, set.labels, count) : order.slice(0, count);
  const isHeldOut = new Uint8Array(set.count);
  for (const image of chosen) isHeldOut[image] = 1;
  const indices = Int32Array.from(isHeldOut.keys());
  return {
    train: chosenImages(
      set,
      indices.filter((image) => isHeldOut[image] === 0),
    ),
    heldOut: chosenImages(
      set,
      indices.filter((image) => isHeldOut[image] === 1),
    ),
  };
}

/** The first `count` images of a set, without a copy: `--limit`. Throws an InputError unless 1 <= count <= the set's. */
export function firstImages<S extends ImageSet>(set: S, count: number): S {
  if (!Number.isInteger(count) || count < 1 || count > set.count) {
    throw new InputError(
      `limit ${count}: must be a whole number from 1 to ${set.count}, the images there are`,
    );
  }
  const labels = set.labels.subarray(0, count);
  if ('files' in set) return { ...set, files: set.files.slice(0, count), labels, count };
  return { ...set, images: set.images.subarray(0, count * bytesOf(set)), labels, count };
}

/** A set without images, of the same image size. */
export function noImages<S extends ImageSet>(set: S): S {
  return chosenImages(set, new Int32Array(0));
}

/** Takes images in the given order until each class has its share of `count`. */
function takeByClass(order: Int32Array, labels: Int32Array, count: number): Int32Array {
  const places = shareOut(labels, count);
  return order.filter((image) => {
    const label = labels[image]!;
    const left = places.get(label)!;
    if (left > 0) places.set(label, left - 1);
    return left > 0;
  });
}

/** Divides `count` among the classes in proportion: rounded down, and the rest to the largest remainders. */
function shareOut(labels: Int32Array, count: number): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const shares = [...sizes].map(([label, size]) => {
    // In whole numbers, so that equal remainders compare as equal.
    const remainder = (count * size) % labels.length;
    return { label, places: (count * size - remainder) / labels.length, remainder };
  });
  const left = count - shares.reduce((sum, { places }) => sum + places, 0);
  shares.sort((a, b) => b.remainder - a.remainder || a.label - b.label);
  return new Map(shares.map(({ label, places }, i) => [label, i < left ? places + 1 : places]));
}

/** Some images of a set, in the given order, as a new set. */
function chosenImages<S extends ImageSet>(set: S, indices: Int32Array): S {
  const labels = indices.map((index) => set.labels[index]!);
  const count = indices.length;
  if ('files' in set)
    return { ...set, files: Array.from(indices, (index) => set.files[index]!), labels, count };
  const size = bytesOf(set);
  const images = new Uint8Array(count * size);
  indices.forEach((from, to) => {
    images.set(set.images.subarray(from * size, (from + 1) * size), to * size);
  });
  return { ...set, images, labels, count };
}

/** The size of an image, in bytes. */
function bytesOf({ height, width, channels }: ImagesInMemory): number {
  return height * width * channels;
}
