import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/data/batches.js';
import { batches } from '../../src/data/batches.js';
import { InputError } from '../../src/input-error.js';
import { bytesAsTheyAre, scrambled, tinySet } from './tiny-set.js';

/** Image i is one pixel of value i and label 1000 + i. */
function numbered(count: number) {
  const indices = Array.from({ length: count }, (_, i) => i);
  return tinySet(
    [count, 1, 1, 1],
    indices,
    indices.map((i) => 1000 + i),
  );
}

const statistics = bytesAsTheyAre(1);
const copy = ({ images, labels, count }: Batch) => ({ images: [...images], labels: [...labels], count });

function collect(pass: Iterable<Batch>) {
  const copies: ReturnType<typeof copy>[] = [];
  for (const batch of pass) copies.push(copy(batch));
  return copies;
}

const training = (seed: number, epoch: number) => ({ seed, epoch, augmentation: {} });

describe('batches without training', () => {
  it('come in the order of the set, the last one partial', () => {
    expect(collect(batches(numbered(5), { size: 2, statistics }))).toEqual([
      { images: [0, 1], labels: [1000n, 1001n], count: 2 },
      { images: [2, 3], labels: [1002n, 1003n], count: 2 },
      { images: [4], labels: [1004n], count: 1 },
    ]);
  });

  it('leave the partial one out when told to, and only a partial one', () => {
    const counts = (count: number) =>
      collect(batches(numbered(count), { size: 2, statistics, lastBatch: 'drop' })).map((b) => b.count);
    expect(counts(5)).toEqual([2, 2]);
    expect(counts(4)).toEqual([2, 2]);
  });

  it('are normalised channel by channel, and laid out as the set is', () => {
    const set = tinySet([1, 2, 1, 2], [0, 255, 51, 102]);
    const [batch] = collect(
      batches(set, {
        size: 9,
        statistics: { mean: Float64Array.of(0.2, 0.5), standardDeviation: Float64Array.of(0.1, 0.25) },
      }),
    );
    const expected = [(0 - 0.2) / 0.1, (1 - 0.5) / 0.25, (0.2 - 0.2) / 0.1, (0.4 - 0.5) / 0.25];
    expect(batch?.images).toEqual(expected.map(Math.fround));
  });

  it('write over one another', () => {
    const pass = batches(numbered(4), { size: 2, statistics });
    const first = pass.next().value as Batch;
    const second = pass.next().value as Batch;
    expect(second.images.buffer).toBe(first.images.buffer);
    expect(second.labels.buffer).toBe(first.labels.buffer);
    expect([...first.images]).toEqual([2, 3]);
  });
});

describe('batches of an epoch of training', () => {
  it('have every image exactly once, with its label', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(),
        fc.nat(),
        (count, size, seed, epoch) => {
          const pass = collect(
            batches(numbered(count), { size, statistics, training: training(seed, epoch) }),
          );
          const images = pass.flatMap((b) => b.images);
          expect(pass.flatMap((b) => b.labels)).toEqual(images.map((i) => BigInt(1000 + i)));
          expect(images.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
          expect(
            pass
              .map((b) => b.count)
              .slice(0, -1)
              .every((n) => n === size),
          ).toBe(true);
        },
      ),
    );
  });

  it('differ from epoch to epoch in which images the last batch drops', () => {
    const dropped = Array.from({ length: 8 }, (_, epoch) => {
      const pass = collect(
        batches(numbered(11), { size: 5, statistics, training: training(1, epoch), lastBatch: 'drop' }),
      );
      const seen = new Set(pass.flatMap((b) => b.images));
      expect(seen.size).toBe(10);
      return Array.from({ length: 11 }, (_, i) => i).find((i) => !seen.has(i));
    });
    expect(new Set(dropped).size).toBeGreaterThan(1);
  });

  const set = tinySet(
    [20, 6, 6, 3],
    scrambled(20 * 6 * 6 * 3),
    Array.from({ length: 20 }, (_, i) => i),
  );
  const pass = (seed: number, epoch: number, size = 8, cutout = 3) =>
    collect(
      batches(set, {
        size,
        statistics: bytesAsTheyAre(3),
        training: {
          seed,
          epoch,
          augmentation: { crop: { from: 'padded', margin: 2 }, flip: true, cutout },
        },
      }),
    );

  it('are the same bytes for the same seed and epoch, and others for another', () => {
    expect(pass(1, 3)).toEqual(pass(1, 3));
    expect(pass(1, 3)).not.toEqual(pass(2, 3));
    expect(pass(1, 3)).not.toEqual(pass(1, 4));
  });

  it('show an image the same whatever the batch size', () => {
    const flat = (size: number) => pass(5, 0, size).flatMap((b) => b.images);
    expect(flat(1)).toEqual(flat(20));
    expect(flat(7)).toEqual(flat(20));
  });

  it('are augmented, each image for itself', () => {
    // The same picture 50 times: a crop, a flip and a cutout make nearly all of them different.
    const same = tinySet([50, 6, 6, 1], Array.from({ length: 50 }, () => [...scrambled(36)]).flat());
    const [batch] = collect(
      batches(same, {
        size: 50,
        statistics,
        training: {
          seed: 1,
          epoch: 0,
          augmentation: { crop: { from: 'padded', margin: 2 }, flip: true, cutout: 2 },
        },
      }),
    );
    const pictures = Array.from({ length: 50 }, (_, i) => batch!.images.slice(36 * i, 36 * (i + 1)).join());
    expect(new Set(pictures).size).toBeGreaterThan(40);
  });
});

describe('batches are refused before the first', () => {
  it.each([0, -1, 2.5, Number.NaN])('with a size of %d', (size) => {
    expect(() => batches(numbered(3), { size, statistics })).toThrow(
      new InputError(`batch size ${size}: must be a whole number, 1 or more`),
    );
  });

  it('with no image, and with less than one batch when the last is dropped', () => {
    expect(() => batches(numbered(0), { size: 4, statistics })).toThrow(InputError);
    expect(() => batches(numbered(3), { size: 4, statistics, lastBatch: 'drop' })).toThrow(
      new InputError('batch size 4: there are only 3 images, not enough for one batch'),
    );
  });

  it('with an augmentation that cannot be', () => {
    const impossible = { seed: 1, epoch: 0, augmentation: { cutout: 0 } };
    expect(() => batches(numbered(3), { size: 1, statistics, training: impossible })).toThrow(InputError);
  });
});
