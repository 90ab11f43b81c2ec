import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/random/random.js';

/** A folder with a text of twenty words that follow each other in turn, with a few astray: 600 in each part. */
export function writeTinyText(path: string): string {
  mkdirSync(path);
  const random = Random.of(1, 'tiny text');
  for (const part of ['train', 'valid', 'test']) {
    const words = Array.from(
      { length: 600 },
      (_, i) => `w${random.below(10) === 0 ? random.below(20) : i % 20}`,
    );
    const lines = Array.from({ length: 30 }, (_, i) => words.slice(20 * i, 20 * i + 20).join(' '));
    writeFileSync(join(path, `tiny.${part}.txt`), `${lines.join('\n')}\n`);
  }
  return path;
}
