import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random/random.js';
import { pairedTest } from '../../src/statistics/paired-test.js';
import { sampledTest, threshold } from '../../src/statistics/permutation-test.js';
import { unpairedTest } from '../../src/statistics/unpaired-test.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('a test by random rearrangements', () => {
  test('adds the observed one: p = (b + 1) / (m + 1)', () => {
    const answers = [true, false, false, true, true, false, false, false, false];
    let drawn = 0;
    const { p, ...rest } = sampledTest(2.5, 9, () => answers[drawn++]!);
    expect(p).toBe((3 + 1) / (9 + 1));
    expect(rest).toEqual({ difference: 2.5, rearrangements: 9, exact: false });
    expect(drawn).toBe(9);
  });

  test('has its least p if no rearrangement is far, and 1 if all are', () => {
    expect(sampledTest(1, 99, () => false).p).toBe(1 / 100);
    expect(sampledTest(1, 99, () => true).p).toBe(1);
    expect(sampledTest(1, 1, () => false).p).toBe(1 / 2);
  });

  test.each([0, -5, 2.5, Number.NaN])('does not take %d samples', (samples) => {
    expect(() => sampledTest(1, samples, () => true)).toThrow(
      new RangeError(`the number of samples is ${samples}; allowed: a positive integer`),
    );
  });

  test('takes sums as equal up to 1e-12 of their terms', () => {
    expect(threshold(-3, 8)).toBe(3 - 8e-12);
    expect(threshold(3, 8)).toBe(3 - 8e-12);
  });
});

describe.each([
  ['paired', pairedTest],
  ['unpaired', unpairedTest],
])('the %s test', (_, compare) => {
  test('of equal values is 1, by all rearrangements and by samples', () => {
    const values = [0, 0, 0];
    expect(compare(values, values)).toMatchObject({ difference: 0, p: 1, exact: true });
    expect(compare(values, values, { exactUpTo: 1, samples: 9 })).toMatchObject({ p: 1, exact: false });
  });

  test('depends on no unit', () => {
    const [first, second] = [
      [5, 3, 8, 6],
      [4, 4, 6, 2],
    ];
    const { p } = compare(first, second);
    expect(p).toBeLessThan(1);
    for (const unit of [2 ** -60, 2 ** 60])
      expect(
        compare(
          first.map((value) => value * unit),
          second.map((value) => value * unit),
        ).p,
      ).toBe(p);
  });
});

describe('the paired test', () => {
  test('tells apart sums that differ by more than rounding', () => {
    // With the sign of 1e-9 flipped, the sum is 3.999999999 and not 4.000000001.
    expect(pairedTest([3, 1, 1e-9], [0, 0, 0]).p).toBe(2 / 8);
  });

  test('by samples has the p of the signs that its stream draws', () => {
    const differences = [4, -1, 3, 2, -2, 5];
    const random = Random.of(3, 'paired test');
    let far = 0;
    for (let i = 0; i < 49; i++) {
      const turned = differences.map((one) => (random.below(2) === 0 ? one : -one));
      if (Math.abs(sum(turned)) >= 11) far++;
    }
    const zeros = differences.map(() => 0);
    const drawn = pairedTest(differences, zeros, { exactUpTo: 63, samples: 49, seed: 3 });
    expect(drawn).toEqual({ difference: 11 / 6, p: (far + 1) / 50, rearrangements: 49, exact: false });
    expect(far).toBeGreaterThan(0);
  });

  test('looks at all signs up to the given number, and by default of 20 pairs', () => {
    const of = (n: number) => [Array.from({ length: n }, (_, i) => i + 1), Array(n).fill(0)] as const;
    expect(pairedTest(...of(5), { exactUpTo: 32 })).toMatchObject({ exact: true, rearrangements: 32 });
    expect(pairedTest(...of(5), { exactUpTo: 31 })).toMatchObject({ exact: false, rearrangements: 100_000 });
    expect(pairedTest(...of(20))).toMatchObject({ exact: true, rearrangements: 2 ** 20, p: 2 / 2 ** 20 });
    expect(pairedTest(...of(21))).toMatchObject({ exact: false, rearrangements: 100_000 });
  });

  test('draws from seed 0 by default', () => {
    const first = [5, 3, 8, 6, 7, 4, 9, 5];
    const second = [4, 4, 6, 5, 7, 3, 6, 6];
    const drawn = (seed?: number) =>
      pairedTest(first, second, { exactUpTo: 1, samples: 500, ...(seed === undefined ? {} : { seed }) }).p;
    expect(drawn()).toBe(drawn(0));
    expect(new Set([0, 1, 2, 3].map(drawn)).size).toBeGreaterThan(1);
  });

  test('needs pairs of numbers', () => {
    expect(() => pairedTest([], [])).toThrow(new RangeError('there are 0 values; at least 1 are needed'));
    expect(() => pairedTest([1], [1, 2])).toThrow(new RangeError('1 and 2 values do not make pairs'));
    expect(() => pairedTest([1, Number.NaN], [1, 2])).toThrow(
      new RangeError('a value is NaN, not a finite number'),
    );
  });

  test('of five pairs that all differ in one direction has its least p, 2 / 32', () => {
    expect(pairedTest([2, 4, 6, 8, 10], [1, 2, 3, 4, 5])).toEqual({
      difference: 3,
      p: 2 / 32,
      rearrangements: 32,
      exact: true,
    });
  });

  test('agrees with SciPy', () => {
    // SciPy 1.17.1, stats.permutation_test of the mean difference to zeros, permutation_type 'samples': 20 of 64.
    const { difference, p } = pairedTest([0.5, 1.25, -0.25, 2, 0.75, -1], [0, 0, 0, 0, 0, 0]);
    expect(difference).toBeCloseTo(0.5416666666666666, 15);
    expect(p).toBe(0.3125);
  });

  test('counts sums as equal that differ only by rounding', () => {
    // 0.1 + 0.2 is not 0.3 in doubles: the sum of the differences is 0, but comes out as 5.6e-17.
    expect(pairedTest([0.1, 0.2, 0], [0, 0, 0.3]).p).toBe(1);
    // Differences 0.1, 0.2, 0.3: only + + + and - - - reach 0.6.
    expect(pairedTest([0.1, 0.2, 0.3], [0, 0, 0]).p).toBe(0.25);
  });

  test('of equal methods is 1', () => {
    expect(pairedTest([0.3, 0.4], [0.3, 0.4])).toMatchObject({ difference: 0, p: 1 });
  });

  test('agrees with a count of all signs', () => {
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

  test('by samples is near the exact p, and the same for the same seed', () => {
    const first = [5, 3, 8, 6, 7, 4, 9, 5];
    const second = [4, 4, 6, 5, 7, 3, 6, 6];
    const exact = pairedTest(first, second).p;
    const drawn = pairedTest(first, second, { exactUpTo: 255, samples: 20_000, seed: 1 });
    expect(drawn).toMatchObject({ exact: false, rearrangements: 20_000 });
    expect(drawn).toEqual(pairedTest(first, second, { exactUpTo: 255, samples: 20_000, seed: 1 }));
    // The standard error is at most 0.0035.
    expect(Math.abs(drawn.p - exact)).toBeLessThan(0.015);
  });

  test('by samples is never 0', () => {
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
  test('by samples is never 0', () => {
    // C(80, 40) is 1.1e23: no drawn rearrangement is as far as the observed one.
    const first = Array.from({ length: 40 }, (_, i) => i + 100);
    const second = Array.from({ length: 40 }, (_, i) => i);
    expect(unpairedTest(first, second, { samples: 999 })).toEqual({
      difference: 100,
      p: 1 / 1000,
      rearrangements: 999,
      exact: false,
    });
  });

  test('by samples has the p of the orders that its stream draws', () => {
    const [first, second] = [
      [5, 9, 8],
      [4, 4, 6, 5],
    ];
    const all = [...first, ...second];
    const observed = 22 / 3 - 19 / 4;
    const random = Random.of(4, 'unpaired test');
    let far = 0;
    for (let i = 0; i < 49; i++) {
      const order = [...random.permutation(7)];
      const [one, other] = [order.slice(0, 3), order.slice(3)].map((part) =>
        mean(part.map((at) => all[at]!)),
      );
      if (Math.abs(one! - other!) >= observed - 1e-9) far++;
    }
    const { difference, ...drawn } = unpairedTest(first, second, { exactUpTo: 34, samples: 49, seed: 4 });
    expect(difference).toBeCloseTo(observed, 14);
    expect(drawn).toEqual({ p: (far + 1) / 50, rearrangements: 49, exact: false });
    expect(far).toBeGreaterThan(0);
  });

  test('looks at all ways up to the given number', () => {
    const [first, second] = [
      [5, 9, 8],
      [4, 4, 6, 5],
    ];
    expect(unpairedTest(first, second, { exactUpTo: 35 })).toMatchObject({ exact: true, rearrangements: 35 });
    expect(unpairedTest(second, first, { exactUpTo: 35 })).toMatchObject({ exact: true, rearrangements: 35 });
    expect(unpairedTest(first, second, { exactUpTo: 34 })).toMatchObject({ exact: false });
  });

  test('looks at 2^20 ways at most, and at 100,000 random ones otherwise, by default', () => {
    const of = (n: number) => Array.from({ length: n }, (_, i) => i);
    // C(22, 11) = 705,432 and C(23, 11) = 1,352,078.
    expect(unpairedTest(of(11), of(11))).toMatchObject({ exact: true, rearrangements: 705_432 });
    expect(unpairedTest(of(11), of(12))).toMatchObject({ exact: false, rearrangements: 100_000 });
  });

  test('draws from seed 0 by default', () => {
    const drawn = (seed?: number) =>
      unpairedTest([5, 3, 8, 6, 7], [4, 4, 6, 5, 2], {
        exactUpTo: 1,
        samples: 500,
        ...(seed === undefined ? {} : { seed }),
      }).p;
    expect(drawn()).toBe(drawn(0));
    expect(new Set([0, 1, 2, 3].map(drawn)).size).toBeGreaterThan(1);
  });

  test('of two single values is 1', () => {
    expect(unpairedTest([3], [1])).toEqual({ difference: 2, p: 1, rearrangements: 2, exact: true });
  });

  test('counts differences as equal that differ only by rounding', () => {
    // Means 0.2 and 0.2: 0.1 + 0.2 + 0.3 is 0.6000000000000001.
    expect(unpairedTest([0.1, 0.2, 0.3], [0.2, 0.3, 0.1]).p).toBe(1);
    // With 1 and 1 + 5e-12 exchanged, the difference is 5e-12 less; the tolerance is 1e-12 of 5 / 2.
    expect(unpairedTest([3, 1 + 5e-12], [1, 0]).p).toBe(2 / 6);
    // With 1 - 1e-12 for 1, the difference is 1.25e-12 less; the tolerance is 1e-12 of 2 / 1.
    expect(unpairedTest([1], [1 - 1e-12, 0, 0, 0]).p).toBe(2 / 5);
  });

  test('needs numbers in both samples', () => {
    const empty = new RangeError('there are 0 values; at least 1 are needed');
    expect(() => unpairedTest([], [1])).toThrow(empty);
    expect(() => unpairedTest([1], [])).toThrow(empty);
    expect(() => unpairedTest([1], [Number.NaN])).toThrow(
      new RangeError('a value is NaN, not a finite number'),
    );
  });

  test('of samples that do not overlap has its least p, 2 / 20', () => {
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

  test('agrees with a count of all subsets', () => {
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

  test('by samples is near the exact p, and the same for the same seed', () => {
    const first = [5, 3, 8, 6, 7];
    const second = [4, 4, 6, 5, 2];
    const exact = unpairedTest(first, second).p;
    const drawn = unpairedTest(first, second, { exactUpTo: 251, samples: 20_000, seed: 1 });
    expect(drawn).toMatchObject({ exact: false, rearrangements: 20_000 });
    expect(drawn).toEqual(unpairedTest(first, second, { exactUpTo: 251, samples: 20_000, seed: 1 }));
    expect(Math.abs(drawn.p - exact)).toBeLessThan(0.015);
  });
});
