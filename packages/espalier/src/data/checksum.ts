import { createHash } from 'node:crypto';
import type { ImagesInMemory } from './image-dataset.js';

/** SHA-256, in hexadecimal, of the sizes, the pixels and the labels of sets, in the given order. */
export function checksumOf(sets: readonly ImagesInMemory[]): string {
  const hash = createHash('sha256');
  for (const { images, labels, count, height, width, channels } of sets) {
    hash.update(`${count}x${height}x${width}x${channels};`).update(images);
    // Little-endian on every machine, so that manifests of runs can be compared.
    const bytes = new DataView(new ArrayBuffer(4 * count));
    labels.forEach((label, i) => {
      bytes.setInt32(4 * i, label, true);
    });
    hash.update(bytes);
  }
  return hash.digest('hex');
}
