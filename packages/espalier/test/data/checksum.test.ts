import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checksumOf } from '../../src/data/checksum.js';
import { tinySet } from './tiny-set.js';

describe('the checksum of data', () => {
  const set = tinySet([2, 1, 2, 1], [1, 2, 3, 4], [5, 258]);

  it('is the SHA-256 of sizes, pixels and little-endian labels', () => {
    const bytes = Buffer.concat([Buffer.from('2x1x2x1;'), Buffer.from([1, 2, 3, 4, 5, 0, 0, 0, 2, 1, 0, 0])]);
    expect(checksumOf([set])).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(checksumOf([set, set])).toBe(createHash('sha256').update(bytes).update(bytes).digest('hex'));
  });

  it('changes with one pixel, one label, the shape and the order of the sets', () => {
    const others = [
      [tinySet([2, 1, 2, 1], [1, 2, 3, 5], [5, 258])],
      [tinySet([2, 1, 2, 1], [1, 2, 3, 4], [5, 257])],
      [tinySet([2, 2, 1, 1], [1, 2, 3, 4], [5, 258])],
      [set, tinySet([1, 1, 2, 1], [9, 9], [0])],
      [tinySet([1, 1, 2, 1], [9, 9], [0]), set],
    ];
    expect(new Set([[set], ...others].map(checksumOf)).size).toBe(6);
  });
});
