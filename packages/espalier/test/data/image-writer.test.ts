import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Augmentation, Placement } from '../../src/data/augmentation.js';
import { marginOf, UNTOUCHED } from '../../src/data/augmentation.js';
import type { ChannelStatistics } from '../../src/data/channel-statistics.js';
import { jitterColours } from '../../src/data/colour-jitter.js';
import type { ImagesInMemory } from '../../src/data/image-dataset.js';
import { imageWriter } from '../../src/data/image-writer.js';
import { channelStatistics } from '../../src/data/statistics.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { bytesAsTheyAre, scrambled, tinySet } from './tiny-set.js';

/** What is written for one image, from a buffer full of NaN: a number left unwritten shows. */
function written(
  set: ImagesInMemory,
  augmentation: Augmentation,
  placement: Partial<Placement>,
  { statistics = bytesAsTheyAre(set.channels), index = 0 } = {},
): number[] {
  const size = set.height * set.width * set.channels;
  const out = new Float32Array(size + 2).fill(Number.NaN);
  imageWriter(set, statistics, augmentation).write(index, { ...UNTOUCHED, ...placement }, out, 1);
  expect([out[0], out[size + 1]]).toEqual([Number.NaN, Number.NaN]);
  return [...out.subarray(1, size + 1)];
}

// 1 2 3
// 4 5 6
// 7 8 9
const nine = tinySet([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
const padded: Augmentation = { crop: { from: 'padded', margin: 1 } };

describe('a crop from the padded image', () => {
  it.each([
    ['top left', 0, 0, [0, 0, 0, 0, 1, 2, 0, 4, 5]],
    ['top', 0, 1, [0, 0, 0, 1, 2, 3, 4, 5, 6]],
    ['top right', 0, 2, [0, 0, 0, 2, 3, 0, 5, 6, 0]],
    ['left', 1, 0, [0, 1, 2, 0, 4, 5, 0, 7, 8]],
    ['middle', 1, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['right', 1, 2, [2, 3, 0, 5, 6, 0, 8, 9, 0]],
    ['bottom left', 2, 0, [0, 4, 5, 0, 7, 8, 0, 0, 0]],
    ['bottom', 2, 1, [4, 5, 6, 7, 8, 9, 0, 0, 0]],
    ['bottom right', 2, 2, [5, 6, 0, 8, 9, 0, 0, 0, 0]],
  ])('at the %s', (_, top, left, expected) => {
    expect(written(nine, padded, { top, left })).toEqual(expected);
  });

  it('is mirrored after it is cut', () => {
    expect(written(nine, padded, { top: 0, left: 0, mirrored: true })).toEqual([0, 0, 0, 2, 1, 0, 5, 4, 0]);
    expect(written(nine, padded, { top: 2, left: 2, mirrored: true })).toEqual([0, 6, 5, 0, 9, 8, 0, 0, 0]);
  });

  it('pads with black before normalising, as torchvision does', () => {
    const set = tinySet([1, 1, 2, 2], [0, 255, 255, 51]);
    const statistics = { mean: Float64Array.of(0.5, 0.2), standardDeviation: Float64Array.of(0.25, 0.1) };
    const values = written(set, padded, { top: 1, left: 0 }, { statistics });
    // Black is (0 - 0.5) / 0.25 and (0 - 0.2) / 0.1; the pixel beside it is (0, 255).
    expect(values).toEqual([-2, -2, -2, 8]);
  });

  it('may be wholly black, when the margin is larger than the image', () => {
    const wide: Augmentation = { crop: { from: 'padded', margin: 5 } };
    expect(written(nine, wide, { top: 5, left: 0 })).toEqual(new Array(9).fill(0));
    expect(written(nine, wide, { top: 5, left: 10 })).toEqual(new Array(9).fill(0));
    expect(written(nine, wide, { top: 5, left: 7 })).toEqual([3, 0, 0, 6, 0, 0, 9, 0, 0]);
  });
});

describe('a mirrored image', () => {
  it('has its columns turned round and its channels not', () => {
    const set = tinySet([1, 2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(written(set, {}, { mirrored: true })).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
  });
});

describe('a crop from the enlarged image', () => {
  // 2 pixels enlarged to 4: centres at -0.25 (held at 0), 0.25, 0.75 and 1.25 (held at 1).
  const enlarged: Augmentation = { crop: { from: 'upsampled', margin: 1 } };
  // 0  100  ->  0  25  75 100 | 10 32.5 77.5 100 | 30 47.5 82.5 100 | 40 55 85 100
  // 40 100
  const four = tinySet([1, 2, 2, 1], [0, 100, 40, 100]);

  it.each([
    ['top left', 0, 0, [0, 25, 10, 32.5]],
    ['top right', 0, 2, [75, 100, 77.5, 100]],
    ['bottom left', 2, 0, [30, 47.5, 40, 55]],
    ['bottom right', 2, 2, [82.5, 100, 85, 100]],
    ['middle', 1, 1, [32.5, 77.5, 47.5, 82.5]],
  ])('at the %s', (_, top, left, expected) => {
    expect(written(four, enlarged, { top, left })).toEqual(expected);
  });

  it('is mirrored after it is cut', () => {
    expect(written(four, enlarged, { top: 0, left: 0, mirrored: true })).toEqual([25, 0, 32.5, 10]);
  });
});

describe('a cutout', () => {
  const ones = tinySet([1, 4, 4, 1], new Array(16).fill(9));
  it.each([
    ['inside', 1, 2, '9999 9900 9900 9999'],
    ['over the top left corner', -1, -1, '0999 9999 9999 9999'],
    ['over the bottom right corner', 3, 3, '9999 9999 9999 9990'],
    ['over the right border', 0, 3, '9990 9990 9999 9999'],
  ])('%s', (_, cutTop, cutLeft, expected) => {
    expect(written(ones, { cutout: 2 }, { cutTop, cutLeft }).join('')).toBe(expected.replaceAll(' ', ''));
  });

  it('is the mean pixel, whatever black is', () => {
    const set = tinySet([1, 1, 2, 1], [255, 255]);
    const statistics = { mean: Float64Array.of(0.5), standardDeviation: Float64Array.of(0.25) };
    expect(written(set, { cutout: 1 }, { cutTop: 0, cutLeft: 1 }, { statistics })).toEqual([2, 0]);
  });

  it('covers every channel, and stays where it is when the image is mirrored', () => {
    const set = tinySet([1, 1, 3, 2], [1, 2, 3, 4, 5, 6]);
    expect(written(set, { cutout: 1 }, { cutLeft: 0, mirrored: true })).toEqual([0, 0, 3, 4, 1, 2]);
  });
});

/** The same by the definition: the whole canvas, then the crop, mirrored, normalised, cut out. */
function slowly(
  { images, height, width, channels }: ImagesInMemory,
  { mean, standardDeviation }: ChannelStatistics,
  augmentation: Augmentation,
  { top, left, mirrored, cutTop, cutLeft }: Placement,
  index: number,
): number[] {
  const { crop, cutout } = augmentation;
  const margin = marginOf(augmentation);
  const pixel = (y: number, x: number, c: number) =>
    images[((index * height + y) * width + x) * channels + c]!;
  const clamp = (v: number, last: number) => Math.min(last, Math.max(0, v));
  const canvas = (y: number, x: number, c: number) => {
    if (crop?.from !== 'upsampled') {
      const [row, column] = [y - margin, x - margin];
      return row >= 0 && row < height && column >= 0 && column < width ? pixel(row, column, c) : 0;
    }
    const row = clamp(((y + 0.5) * height) / (height + 2 * margin) - 0.5, height - 1);
    const column = clamp(((x + 0.5) * width) / (width + 2 * margin) - 0.5, width - 1);
    let sum = 0;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        sum += pixel(i, j, c) * Math.max(0, 1 - Math.abs(i - row)) * Math.max(0, 1 - Math.abs(j - column));
      }
    }
    return sum;
  };
  const result: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const value = canvas(top + y, left + (mirrored ? width - 1 - x : x), c);
        const cut =
          cutout !== undefined && y >= cutTop && y < cutTop + cutout && x >= cutLeft && x < cutLeft + cutout;
        result.push(cut ? 0 : Math.fround((value / 255 - mean[c]!) / standardDeviation[c]!));
      }
    }
  }
  return result;
}

describe('the fast writers', () => {
  const shape = fc.record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    channels: fc.constantFrom(1, 3),
    margin: fc.integer({ min: 0, max: 8 }),
    index: fc.integer({ min: 0, max: 2 }),
    mirrored: fc.boolean(),
    cutout: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    at: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
  });

  it.each(['padded', 'upsampled'] as const)('agree with the definition: %s', (from) => {
    fc.assert(
      fc.property(shape, ({ height, width, channels, margin, index, mirrored, cutout, at }) => {
        const set = tinySet([3, height, width, channels], scrambled(3 * height * width * channels));
        const statistics = channelStatistics(set);
        const augmentation = { crop: { from, margin }, ...(cutout === undefined ? {} : { cutout }) };
        const placement = {
          top: at[0] % (2 * margin + 1),
          left: at[1] % (2 * margin + 1),
          mirrored,
          cutTop: (at[2] % height) - Math.floor((cutout ?? 0) / 2),
          cutLeft: (at[3] % width) - Math.floor((cutout ?? 0) / 2),
          colour: 0,
        };
        const fast = written(set, augmentation, placement, { statistics, index });
        const slow = slowly(set, statistics, augmentation, placement, index);
        if (from === 'padded') expect(fast).toEqual(slow);
        else expect(Math.max(...fast.map((value, i) => Math.abs(value - slow[i]!)))).toBeLessThan(1e-5);
      }),
    );
  });
});

describe('the colours of an image', () => {
  const colour = { strength: 0.4, hue: 0.2 };
  const set = tinySet([1, 4, 5, 3], scrambled(60));
  const statistics = {
    mean: Float64Array.of(0.4, 0.5, 0.6),
    standardDeviation: Float64Array.of(0.2, 0.3, 0.1),
  };

  it('are changed as bytes after the crop and before the cutout', () => {
    const pixels = Uint8Array.from(written(set, padded, { top: 2, left: 1 }));
    jitterColours(pixels, Random.of(5, 'colours'), colour);
    const expected = Array.from(pixels, (value, i) =>
      Math.fround((value / 255 - statistics.mean[i % 3]!) / statistics.standardDeviation[i % 3]!),
    );
    expected.fill(0, 0, 3);
    const placement = { top: 2, left: 1, colour: 5, cutTop: 0, cutLeft: 0 };
    expect(written(set, { ...padded, colour, cutout: 1 }, placement, { statistics })).toEqual(expected);
  });

  it('are those of three channels', () => {
    expect(() => written(nine, { colour }, {})).toThrow(
      new InputError('colour jitter of images of 1 channels: only red, green and blue can be changed in hue'),
    );
  });
});
