import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSamples, sideBySide, writeSamples } from '../../src/training/samples.js';
import { suiteFolder } from '../cli/suite-folder.js';

const folder = suiteFolder();

/** Each pixel has three equal bytes. */
const grey = (rows: readonly (readonly number[])[]) => ({
  title: 'grey',
  height: rows.length,
  width: rows[0]!.length,
  data: Uint8Array.from(rows.flat().flatMap((value) => [value, value, value])),
});

describe('samples of what a network makes of its inputs', () => {
  it('stand side by side on white', () => {
    const { data, width, height } = sideBySide([
      grey([
        [1, 2],
        [3, 4],
      ]),
      grey([[5], [6]]),
    ]);
    expect([width, height]).toEqual([7, 2]);
    const values = Array.from({ length: 14 }, (_, pixel) => data[3 * pixel]);
    expect(values).toEqual([1, 2, 255, 255, 255, 255, 5, 3, 4, 255, 255, 255, 255, 6]);
  });

  it('are written as pictures and read again by their names, large ones smaller', async () => {
    expect(readSamples(folder)).toEqual([]);
    const wide = grey([Array.from({ length: 800 }, (_, x) => x % 200), new Array(800).fill(9)]);
    await writeSamples(folder, [
      { name: 'two', pictures: [grey([[7]])] },
      { name: 'one', pictures: [wide, wide] },
    ]);
    const samples = readSamples(folder);
    expect(samples.map(({ name }) => name)).toEqual(['one', 'two']);
    const { data, info } = await sharp(join(folder, 'samples', 'one.png'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    // Every third pixel of the first row.
    expect([info.width, info.height]).toEqual([2 * 267 + 4, 1]);
    expect([data[0], data[3], data[6], data[3 * 271]]).toEqual([0, 3, 6, 0]);
  });
});
