import { createHash } from 'node:crypto';
import type { ChannelStatistics } from '../../src/data/channel-statistics.js';
import type { ImageSet, ImagesInMemory } from '../../src/data/image-dataset.js';

/** A set from bytes written out by hand, NHWC. */
export function tinySet(
  [count, height, width, channels]: readonly [number, number, number, number],
  images: ArrayLike<number>,
  labels: ArrayLike<number> = new Int32Array(count),
): ImagesInMemory {
  return { images: Uint8Array.from(images), labels: Int32Array.from(labels), count, height, width, channels };
}

/** Mean 0 and deviation 1/255: a normalised pixel is the byte itself, so that expected values can be read. */
export function bytesAsTheyAre(channels: number): ChannelStatistics {
  return { mean: new Float64Array(channels), standardDeviation: new Float64Array(channels).fill(1 / 255) };
}

/** Bytes without a pattern, the same at every run. */
export function scrambled(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 32) {
    bytes.set(
      createHash('sha256')
        .update(`${i}`)
        .digest()
        .subarray(0, length - i),
      i,
    );
  }
  return bytes;
}

/** How many there are of each label, from 0 on. */
export function countByClass(labels: Iterable<number | bigint>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[Number(label)]!++;
  return counts;
}

/** Whether images are the same is seen by their digests: one a line of a set, in order. */
export function digestsOf(set: ImageSet): string[] {
  const { images, count } = set as ImagesInMemory;
  const size = images.length / count;
  return Array.from({ length: count }, (_, i) =>
    createHash('sha256')
      .update(images.subarray(i * size, (i + 1) * size))
      .digest('hex'),
  );
}
