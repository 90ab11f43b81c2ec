import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairedTest } from '../../src/statistics/paired-test.js';
import { unpairedTest } from '../../src/statistics/unpaired-test.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the paired test', () => {
  test('of five pairs that all differ in one direction is at its least, 2 of 32', () => {
    expect(pairedTest([2, 4, 6, 8, 10], [1, 2, 3, 4, 5])).toEqual({
      difference: 3,
      p: 2 / 32,
      rearrangements: 32,
      exact: true,
    });
  });

  test('is as scipy has it', () => {
    // scipy 1.17.1, stats.permutation_test of the mean difference to zeros, permutation_type 'samples': 20 of 64.
    const { difference, p } = pairedTest([0.5, 1.25, -0.25, 2, 0.75, -1], [0, 0, 0, 0, 0, 0]);
    expect(difference).toBeCloseTo(0.5416666666666666, 15);
    expect(p).toBe(0.3125);
  });

  test('counts sums as equal that only rounding tells apart', () => {
    // 0.1 + 0.2 is not 0.3 in doubles: the sum of the differences is 0, but comes out as 5.6e-17.
    expect(pairedTest([0.1, 0.2, 0], [0, 0, 0.3]).p).toBe(1);
    // Differences 0.1, 0.2, 0.3: only + + + and - - - reach 0.6.
    expect(pairedTest([0.1, 0.2, 0.3], [0, 0, 0]).p).toBe(0.25);
  });

  test('of equal methods is 1', () => {
    expect(pairedTest([0.3, 0.4], [0.3, 0.4])).toMatchObject({ difference: 0, p: 1 });
  });

  test('is what counting all signs by their bits gives', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(pairs, (sample) => {
        const differences = sample.map(([a, b]) => a - b);
        const found = Math.abs(differences.reduce((sum, one) => sum + one, 0));
        let far = 0;
        for (let signs = 0; signs < 2 ** sample.length; signs++) {
          const sum = differences.reduce((total, one, i) => total + ((signs >> i) & 1 ? one : -one), 0);
          if (Math.abs(sum) >= found) far++;
        }
        const first = sample.map(([a]) => a);
        const second = sample.map(([, b]) => b);
        expect(pairedTest(first, second).p).toBe(far / 2 ** sample.length);
        expect(pairedTest(second, first).p).toBe(far / 2 ** sample.length);
      }),
    );
  });

  test('draws signs where there are too many, the same with the same seed, near the exact answer', () => {
    const first = [5, 3, 8, 6, 7, 4, 9, 5];
    const second = [4, 4, 6, 5, 7, 3, 6, 6];
    const exact = pairedTest(first, second).p;
    const drawn = pairedTest(first, second, { exactUpTo: 255, samples: 20_000, seed: 1 });
    expect(drawn).toMatchObject({ exact: false, rearrangements: 20_000 });
    expect(drawn).toEqual(pairedTest(first, second, { exactUpTo: 255, samples: 20_000, seed: 1 }));
    // The standard error is at most 0.0035.
    expect(Math.abs(drawn.p - exact)).toBeLessThan(0.015);
  });

  test('that draws never says 0', () => {
    const first = Array.from({ length: 40 }, (_, i) => i + 1);
    expect(
      pairedTest(
        first,
        first.map(() => 0),
        { samples: 999 },
      ).p,
    ).toBe(1 / 1000);
  });
});

describe('the unpaired test', () => {
  test('of samples that do not overlap is at its least, 2 of 20', () => {
    expect(unpairedTest([4, 5, 6], [1, 2, 3])).toEqual({
      difference: 3,
      p: 2 / 20,
      rearrangements: 20,
      exact: true,
    });
  });

  test('of samples of unequal size counts differences of either sign', () => {
    // 7 of the 126 ways to choose five of the nine, 6 above and 1 below, by itertools.combinations.
    const { difference, p } = unpairedTest([85.9, 88.1, 86.4, 87.7, 90.2], [84.1, 85.9, 86.0, 83.3]);
    expect(difference).toBeCloseTo(2.835, 12);
    expect(p).toBe(7 / 126);
  });

  test('is what counting all subsets by their bits gives', () => {
    const sample = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sample, sample, (first, second) => {
        const all = [...first, ...second];
        const found = Math.abs(mean(first) - mean(second));
        let [far, ways] = [0, 0];
        for (let subset = 0; subset < 2 ** all.length; subset++) {
          const chosen = all.filter((_, i) => (subset >> i) & 1);
          if (chosen.length !== first.length) continue;
          const others = all.filter((_, i) => !((subset >> i) & 1));
          ways++;
          if (Math.abs(mean(chosen) - mean(others)) >= found - 1e-9) far++;
        }
        expect(unpairedTest(first, second)).toMatchObject({ p: far / ways, rearrangements: ways });
      }),
    );
  });

  test('draws where there are too many ways, the same with the same seed, near the exact answer', () => {
    const first = [5, 3, 8, 6, 7];
    const second = [4, 4, 6, 5, 2];
    const exact = unpairedTest(first, second).p;
    const drawn = unpairedTest(first, second, { exactUpTo: 251, samples: 20_000, seed: 1 });
    expect(drawn).toMatchObject({ exact: false, rearrangements: 20_000 });
    expect(drawn).toEqual(unpairedTest(first, second, { exactUpTo: 251, samples: 20_000, seed: 1 }));
    expect(Math.abs(drawn.p - exact)).toBeLessThan(0.015);
  });
});
