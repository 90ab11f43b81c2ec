import { describe, expect, it } from 'vitest';
import { checkAugmentation, drawPlacement, UNTOUCHED } from '../../src/data/augmentation.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';

describe('the placement of an image', () => {
  const draw = (
    count: number,
    ...rest: Parameters<typeof drawPlacement> extends [Random, ...infer R] ? R : never
  ) => {
    const random = Random.of(7, 'placements');
    return Array.from({ length: count }, () => drawPlacement(random, ...rest));
  };
  const values = (all: number[]) => [...new Set(all)].sort((a, b) => a - b);

  it('takes every corner of the canvas, in one axis and in both', () => {
    const drawn = draw(2000, { crop: { from: 'padded', margin: 2 } }, 32, 32);
    expect(values(drawn.map(({ top }) => top))).toEqual([0, 1, 2, 3, 4]);
    expect(values(drawn.map(({ left }) => left))).toEqual([0, 1, 2, 3, 4]);
    expect(values(drawn.map(({ top, left }) => 5 * top + left))).toHaveLength(25);
  });

  it('mirrors one in two, and never unless asked to', () => {
    const mirrored = draw(2000, { flip: true }, 32, 32).filter((placement) => placement.mirrored).length;
    // Binomial, deviation 22: five deviations.
    expect(Math.abs(mirrored - 1000)).toBeLessThan(112);
    expect(draw(100, { crop: { from: 'padded', margin: 2 } }, 32, 32).some((p) => p.mirrored)).toBe(false);
  });

  it('centres the cutout on every pixel', () => {
    const drawn = draw(2000, { cutout: 3 }, 4, 6);
    expect(values(drawn.map(({ cutTop }) => cutTop))).toEqual([-1, 0, 1, 2]);
    expect(values(drawn.map(({ cutLeft }) => cutLeft))).toEqual([-1, 0, 1, 2, 3, 4]);
  });

  it('is the image as it is when nothing is asked for, and takes no random number', () => {
    const random = Random.of(7, 'placements');
    const before = random.state();
    expect(drawPlacement(random, {}, 32, 32)).toEqual(UNTOUCHED);
    expect(drawPlacement(random, { crop: { from: 'padded', margin: 0 }, flip: false }, 32, 32)).toEqual(
      UNTOUCHED,
    );
    expect(random.state()).toEqual(before);
  });
});

describe('an augmentation', () => {
  it.each([-1, 0.5, Number.NaN])('is refused with a margin of %d', (margin) => {
    expect(() => checkAugmentation({ crop: { from: 'padded', margin } })).toThrow(
      new InputError(`crop margin ${margin}: must be a whole number of pixels, 0 or more`),
    );
  });

  it.each([0, -16, 1.5])('is refused with a cutout of %d', (cutout) => {
    expect(() => checkAugmentation({ cutout })).toThrow(
      new InputError(`cutout ${cutout}: must be a whole number of pixels, 1 or more`),
    );
  });
});
