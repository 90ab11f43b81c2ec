import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/random/random.js';

const RECORD = 1 + 3 * 32 * 32;

/**
 * A folder in CIFAR-10's binary format with images whose brightness says their class, so that a small network learns
 * it: 300 training and 100 test images.
 */
export function writeTinyCifar10(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const random = Random.of(1, 'tiny CIFAR-10');
  for (const [file, count] of [
    ['data_batch_1.bin', 300],
    ['test_batch.bin', 100],
  ] as const) {
    const bytes = new Uint8Array(count * RECORD);
    for (let image = 0; image < count; image++) {
      const label = image % 10;
      bytes[image * RECORD] = label;
      for (let byte = 1; byte < RECORD; byte++) bytes[image * RECORD + byte] = label * 20 + random.below(40);
    }
    writeFileSync(join(folder, file), bytes);
  }
  return folder;
}
