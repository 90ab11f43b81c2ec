import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maskLabels } from '../../src/data/mask-file.js';
import { croppedLabels, drawPlacement, showPair } from '../../src/data/shown-pair.js';
import { Random } from '../../src/random/random.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeMask, writePixels } from './tiny-masks.js';

const folder = suiteFolder();
const labels = maskLabels((value) => value, 'all');
const whole = { top: 0, left: 0, height: 3, width: 4 };
const image = {
  height: 3,
  width: 4,
  data: Uint8Array.from(
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ].flat(),
  ),
};

describe('where an image comes into a crop', () => {
  const draws = (crop: { height: number; width: number }, augmentation = {}, factor = 1) =>
    Array.from({ length: 300 }, (_, seed) =>
      drawPlacement(Random.of(seed, 'test'), { height: 100, width: 200 }, crop, augmentation, factor),
    );

  it('is any place, each part as large as the crop', () => {
    const found = draws({ height: 98, width: 150 });
    for (const { part, resized, mirrored } of found) {
      expect([part.height, part.width]).toEqual([98, 150]);
      expect(resized).toEqual({ height: 98, width: 150 });
      expect(mirrored).toBe(false);
    }
    expect(new Set(found.map(({ part }) => part.top))).toEqual(new Set([0, 1, 2]));
    expect(Math.min(...found.map(({ part }) => part.left))).toBe(0);
    expect(Math.max(...found.map(({ part }) => part.left))).toBe(50);
  });

  it('is the whole image where it is smaller, and one that is enlarged is seen in parts', () => {
    const found = draws({ height: 120, width: 120 }, { scale: { least: 0.5, most: 2 } });
    const sizes = found.map(({ part, resized }) =>
      [part.height, part.width, resized.height, resized.width].join(),
    );
    // Factors 0.5, 0.75, ..., 2: seen are 120 / factor pixels, or all.
    expect(new Set(sizes)).toEqual(
      new Set([
        '100,200,50,100',
        '100,160,75,120',
        '100,120,100,120',
        '96,96,120,120',
        '80,80,120,120',
        '69,69,120,120',
        '60,60,120,120',
      ]),
    );
  });

  it('is mirrored in one of two', () => {
    const mirrored = draws({ height: 10, width: 10 }, { flip: true }).filter((one) => one.mirrored).length;
    expect(mirrored).toBeGreaterThan(110);
    expect(mirrored).toBeLessThan(190);
  });

  it('comes from an image that is seen in another size', () => {
    for (const { part, resized } of draws({ height: 50, width: 50 }, {}, 0.5)) {
      expect([part.height, part.width, resized.height, resized.width]).toEqual([100, 100, 50, 50]);
      expect(part.left).toBeLessThanOrEqual(100);
    }
  });
});

describe('the labels of a crop', () => {
  const rows = (data: Uint8Array, width: number) =>
    Array.from({ length: data.length / width }, (_, y) => [...data.subarray(y * width, (y + 1) * width)]);

  it('are those of the pixels at the same place', () => {
    const placement = {
      part: { top: 1, left: 1, height: 2, width: 3 },
      resized: { height: 2, width: 3 },
      mirrored: false,
    };
    expect(rows(croppedLabels(image, placement, { height: 2, width: 3 }), 3)).toEqual([
      [5, 6, 7],
      [9, 10, 11],
    ]);
    expect(rows(croppedLabels(image, { ...placement, mirrored: true }, { height: 2, width: 3 }), 3)).toEqual([
      [7, 6, 5],
      [11, 10, 9],
    ]);
  });

  it('are ignored beyond the image', () => {
    const placement = { part: whole, resized: { height: 3, width: 4 }, mirrored: false };
    expect(rows(croppedLabels(image, placement, { height: 4, width: 5 }), 5)).toEqual([
      [0, 1, 2, 3, 255],
      [4, 5, 6, 7, 255],
      [8, 9, 10, 11, 255],
      [255, 255, 255, 255, 255],
    ]);
  });

  it('are those under the centre of each pixel where the size changes', () => {
    const doubled = { part: whole, resized: { height: 6, width: 8 }, mirrored: false };
    expect(rows(croppedLabels(image, doubled, { height: 6, width: 8 }), 8)[2]).toEqual([
      4, 4, 5, 5, 6, 6, 7, 7,
    ]);
    const halved = { part: { ...whole, height: 2 }, resized: { height: 1, width: 2 }, mirrored: false };
    expect(rows(croppedLabels(image, halved, { height: 1, width: 2 }), 2)).toEqual([[5, 7]]);
  });
});

describe('an image with its mask', () => {
  const size = { height: 3, width: 4 };
  const pixels = Uint8Array.from({ length: 36 }, (_, i) => 5 * i);
  const showing = { folder, labels, beyond: [9, 8, 7] as const, seen: { scale: 1 } };

  async function written(name: string, mask = size) {
    await writePixels(join(folder, `${name}.png`), pixels, size);
    await writeMask(join(folder, `${name}-mask.png`), new Uint8Array(mask.height * mask.width).fill(6), mask);
    return [`${name}.png`, `${name}-mask.png`] as const;
  }

  it('is shown as it is without a crop', async () => {
    const [image, mask] = await written('whole');
    const shown = await showPair(image, mask, 0, showing);
    expect([...shown.pixels]).toEqual([...pixels]);
    expect([shown.height, shown.width, shown.labels.length]).toEqual([3, 4, 12]);
  });

  it('is shown in half its size, or with a longer side of so many pixels', async () => {
    const [image, mask] = await written('halved');
    for (const seen of [{ scale: 0.5 }, { longest: 2 }]) {
      const shown = await showPair(image, mask, 0, { ...showing, seen });
      expect([shown.height, shown.width, shown.pixels.length, shown.labels.length]).toEqual([2, 2, 12, 4]);
    }
  });

  it('is filled up to the crop at the right and at the bottom, the image with the given colour', async () => {
    const [image, mask] = await written('filled');
    const crop = { height: 4, width: 6, seed: 1, epoch: 1, augmentation: {} };
    const shown = await showPair(image, mask, 0, { ...showing, crop });
    expect([...shown.pixels.subarray(0, 18)]).toEqual([...pixels.subarray(0, 12), 9, 8, 7, 9, 8, 7]);
    expect([...shown.pixels.subarray(54)]).toEqual(new Array(6).fill([9, 8, 7]).flat());
    expect([...shown.labels.subarray(0, 6)]).toEqual([6, 6, 6, 6, 255, 255]);
  });

  it('is cropped and mirrored at the same place as its mask', async () => {
    const width = 16;
    const bands = Uint8Array.from({ length: width * width }, (_, i) => Math.floor((i % width) / 4));
    await writeMask(join(folder, 'bands-mask.png'), bands, { height: width, width });
    await writePixels(
      join(folder, 'bands.png'),
      Uint8Array.from([...bands].flatMap((band) => [60 * band, 0, 0])),
      { height: width, width },
    );
    for (let place = 0; place < 12; place++) {
      const crop = { height: 6, width: 9, seed: 1, epoch: 1, augmentation: { flip: true } };
      const shown = await showPair('bands.png', 'bands-mask.png', place, { ...showing, crop });
      const red = Array.from(shown.labels.keys(), (pixel) => shown.pixels[3 * pixel]! / 60);
      expect(red).toEqual([...shown.labels]);
    }
  });

  it('is refused where the mask has another size, with the names of the files', async () => {
    const [image, mask] = await written('unequal', { height: 4, width: 3 });
    await expect(showPair(image, mask, 0, showing)).rejects.toThrow(
      `${join(folder, 'unequal-mask.png')}: the mask has 3 x 4 pixels; its image unequal.png has 4 x 3`,
    );
  });

  it('is refused where a file is missing', async () => {
    const [image] = await written('alone');
    await expect(showPair(image, 'nowhere.png', 0, showing)).rejects.toThrow(
      `${join(folder, 'nowhere.png')}: does not exist; expected a mask`,
    );
  });
});
