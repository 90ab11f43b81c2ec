import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kendallTau } from '../../src/statistics/kendall-tau.js';

// Li & Talwalkar 2019, Random Search and Reproducibility for Neural Architecture Search, table 4: validation
// perplexity on PTB of DARTS, ASHA and two runs of random search after so many epochs, and the ranks printed beside.
const TABLE_4 = [
  { epochs: 300, values: [64.0, 63.9, 63.8, 63.9], ranks: [4, 2, 1, 2] },
  { epochs: 500, values: [61.9, 62.0, 61.7, 62.1], ranks: [2, 3, 1, 4] },
  { epochs: 1600, values: [59.5, 59.8, 59.3, 59.6], ranks: [2, 4, 1, 3] },
  { epochs: 2600, values: [58.5, 59.0, 58.4, 59.0], ranks: [2, 3, 1, 3] },
];
const AFTER_3600 = { values: [58.2, 58.6, 57.8, 58.8], ranks: [2, 3, 1, 4] };
const TEST = [55.9, 56.4, 55.5, 56.5];

describe("Kendall's tau", () => {
  test('of table 4 of Li & Talwalkar, each stage with the last', () => {
    // Concordant minus discordant pairs, by hand: 3 - 2 (one tied), 6 - 0, 5 - 1, 5 - 0 (one tied).
    const expected = [1 / Math.sqrt(5 * 6), 1, 4 / 6, 5 / Math.sqrt(5 * 6)];
    expect(TABLE_4.map(({ ranks }) => kendallTau(ranks, AFTER_3600.ranks))).toEqual(expected);
    expect(TABLE_4.map(({ values }) => kendallTau(values, AFTER_3600.values))).toEqual(expected);
    expect(kendallTau(AFTER_3600.values, TEST)).toBe(1);
  });

  test('of table 7, four architectures of DARTS after 100 and 600 epochs on CIFAR-10', () => {
    // 2 concordant pairs, 4 discordant ones.
    expect(kendallTau([7.63, 7.67, 8.38, 7.51], [2.92, 2.77, 3.0, 3.05])).toBe(-2 / 6);
    expect(kendallTau([2, 3, 4, 1], [2, 1, 3, 4])).toBe(-2 / 6);
  });

  test('with ties in both agrees with SciPy', () => {
    // SciPy 1.17.1: stats.kendalltau(...).statistic
    expect(kendallTau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])).toBeCloseTo(-0.4714045207910316, 15);
  });

  test('has other ties in the first measure than in the second', () => {
    // Ten pairs. Concordant: 1-4, 2-4, 3-4, 1-5, 2-5, 3-5, 1-3; discordant: none; tied in the first: 1-2; in the second:
    // 2-3, 4-5. 7 / sqrt(9 * 8).
    expect(kendallTau([1, 1, 2, 3, 4], [0, 1, 1, 2, 2])).toBeCloseTo(7 / Math.sqrt(9 * 8), 15);
    expect(kendallTau([1, 1], [2, 2])).toBeUndefined();
    expect(kendallTau([1, 2, 3], [1, 1, 1])).toBeUndefined();
  });

  test('needs values that are numbers', () => {
    expect(() => kendallTau([], [])).toThrow(new RangeError('there are 0 values; at least 1 are needed'));
    expect(() => kendallTau([1, 2], [])).toThrow(new RangeError('there are 0 values; at least 1 are needed'));
    expect(() => kendallTau([1, Number.NaN], [1, 2])).toThrow(
      new RangeError('a value is NaN, not a finite number'),
    );
    expect(() => kendallTau([1, 2], [1, Number.POSITIVE_INFINITY])).toThrow(
      new RangeError('a value is Infinity, not a finite number'),
    );
  });

  test('is undefined without an order', () => {
    expect(kendallTau([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(kendallTau([1], [2])).toBeUndefined();
    expect(() => kendallTau([1, 2], [1])).toThrow(
      new RangeError('2 and 1 values do not measure the same things'),
    );
  });

  test('depends on the order alone, is symmetric, and changes its sign with one of the measures', () => {
    const value = fc.integer({ min: -5, max: 5 });
    const rows = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(rows, (sample) => {
        const [first, second] = [sample.map(([a]) => a), sample.map(([, b]) => b)];
        const tau = kendallTau(first, second);
        expect(kendallTau(second, first)).toBe(tau);
        expect(
          kendallTau(
            first.map((one) => one ** 3 - 7),
            second,
          ),
        ).toBe(tau);
        const turned = kendallTau(
          first.map((one) => -one),
          second,
        );
        if (tau === undefined) expect(turned).toBeUndefined();
        else expect(turned).toBeCloseTo(-tau, 15);
        if (tau !== undefined) expect(kendallTau(first, first)).toBe(1);
      }),
    );
  });
});
