import { createHash } from 'node:crypto';
import type { ImagesInMemory } from './image-dataset.js';

/** SHA-256 (hexadecimal) of sizes, pixels and labels of sets, in the order given. */
export function checksumOf(sets: readonly ImagesInMemory[]): string {
  const hash = createHash('sha256');
  for (const { images, labels, count, height, width, channels } of sets) {
    hash.update(`${count}x${height}x${width}x${channels};`).update(images);
    // Little-endian whatever the machine, so that a run's manifest can be compared across machines.
    const bytes = new DataView(new ArrayBuffer(4 * count));
    labels.forEach((label, i) => {
      bytes.setInt32(4 * i, label, true);
    });
    hash.update(bytes);
  }
  return hash.digest('hex');
}
