import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstImages, holdOut } from '../../src/data/split.js';
import { InputError } from '../../src/input-error.js';
import { countByClass, tinySet } from './tiny-set.js';

/** Image i is the two bytes [i, 255 - i], so that a picture tells where it came from. */
function numbered(labels: readonly number[]) {
  const images = labels.flatMap((_, i) => [i, 255 - i]);
  return tinySet([labels.length, 1, 1, 2], images, labels);
}

const numbersOf = (set: { images: Uint8Array }) => [...set.images.filter((_, i) => i % 2 === 0)];

describe('holding images out', () => {
  const labels = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 100 });

  it('puts every image in exactly one half, in its order and with its label', () => {
    fc.assert(
      fc.property(labels, fc.nat(), fc.nat(), fc.boolean(), (all, n, seed, stratified) => {
        const set = numbered(all);
        const count = 1 + (n % (all.length - 1));
        const { train, heldOut } = holdOut(set, { count, seed, stratified });
        expect([train.count, heldOut.count]).toEqual([all.length - count, count]);
        for (const half of [train, heldOut]) {
          const numbers = numbersOf(half);
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          expect([...half.labels]).toEqual(numbers.map((i) => all[i]));
          expect([...half.images]).toEqual(numbers.flatMap((i) => [i, 255 - i]));
        }
        expect([...numbersOf(train), ...numbersOf(heldOut)].sort((a, b) => a - b)).toEqual(
          all.map((_, i) => i),
        );
      }),
    );
  });

  it('keeps the proportions of the classes to within one image when stratified', () => {
    fc.assert(
      fc.property(labels, fc.nat(), fc.nat(), (all, n, seed) => {
        const count = 1 + (n % (all.length - 1));
        const { heldOut } = holdOut(numbered(all), { count, seed, stratified: true });
        const whole = countByClass(all, 5);
        countByClass(heldOut.labels, 5).forEach((held, label) => {
          expect(Math.abs(held - (whole[label]! * count) / all.length)).toBeLessThan(1);
        });
      }),
    );
  });

  it('gives the places left over to the classes with the largest remainders', () => {
    // 10 images, 4 to hold out: class 0 (5) is due 2, class 1 (3) is due 1.2, class 2 (2) is due 0.8.
    const set = numbered([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]);
    for (let seed = 0; seed < 10; seed++) {
      const { heldOut } = holdOut(set, { count: 4, seed, stratified: true });
      expect(countByClass(heldOut.labels, 3)).toEqual([2, 1, 1]);
    }
  });

  it('lets the classes fall as they may when not stratified', () => {
    const set = numbered(Array.from({ length: 40 }, (_, i) => i % 2));
    const firstClass = Array.from({ length: 20 }, (_, seed) =>
      countByClass(holdOut(set, { count: 10, seed, stratified: false }).heldOut.labels, 2).at(0),
    );
    expect(new Set(firstClass).size).toBeGreaterThan(2);
  });

  it('depends on the seed alone', () => {
    const set = numbered(new Array(60).fill(0));
    const draw = (seed: number) => numbersOf(holdOut(set, { count: 20, seed, stratified: true }).heldOut);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('copies, so that the set can be let go', () => {
    const set = numbered([0, 0, 0]);
    const { train } = holdOut(set, { count: 1, seed: 1, stratified: false });
    expect(train.images.buffer).not.toBe(set.images.buffer);
  });

  it.each([0, 3, 4, -1, 1.5, Number.NaN])('refuses to hold %d of 3 images out', (count) => {
    expect(() => holdOut(numbered([0, 0, 0]), { count, seed: 1, stratified: false })).toThrow(
      new InputError(
        `${count} images to hold out: must be a whole number from 1 to 2, for there are 3 images`,
      ),
    );
  });
});

describe('the first N images', () => {
  it('are a view of the set', () => {
    const set = numbered([3, 1, 2]);
    const first = firstImages(set, 2);
    expect(first).toEqual(tinySet([2, 1, 1, 2], [0, 255, 1, 254], [3, 1]));
    expect(first.images.buffer).toBe(set.images.buffer);
    expect(firstImages(set, 3)).toEqual(set);
  });

  it.each([0, 4, -1, 1.5])('are not %d of 3', (count) => {
    expect(() => firstImages(numbered([3, 1, 2]), count)).toThrow(
      new InputError(`limit ${count}: must be a whole number from 1 to 3, the images there are`),
    );
  });
});
