import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random/random.js';
import {
  differenceInterval,
  meanInterval,
  pairedDifferenceInterval,
} from '../../src/statistics/bootstrap.js';

/** The quantile of definition 7 of Hyndman & Fan: linear between the order statistics at (n - 1) share. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place - Math.floor(place));
}

describe('the bootstrap interval of a mean', () => {
  test('has the quantiles of the means that its stream draws', () => {
    const values = [1, 2, 4, 8, 16];
    const random = Random.of(7, 'bootstrap');
    const means = Array.from({ length: 50 }, () => {
      const drawn = Array.from({ length: 5 }, () => values[random.below(5)]!);
      return drawn.reduce((sum, value) => sum + value, 0) / 5;
    });
    const { low, high } = meanInterval(values, { level: 0.8, resamples: 50, seed: 7 });
    expect(low).toBeCloseTo(quantile(means, 0.1), 12);
    expect(high).toBeCloseTo(quantile(means, 0.9), 12);
  });

  test('has 95% of 10,000 resamples by default, from seed 0', () => {
    const values = Array.from({ length: 20 }, (_, i) => Math.sqrt(2 + i));
    const usual = meanInterval(values);
    expect(usual).toEqual(meanInterval(values, { level: 0.95, resamples: 10_000, seed: 0 }));
    for (const other of [{ level: 0.949 }, { resamples: 9_999 }, { seed: 1 }])
      expect(meanInterval(values, other)).not.toEqual(usual);
  });

  test('of two values has the ends that the binomial distribution gives', () => {
    // The mean of a resample of 0 and 1 is 0, 0.5 or 1 with the probabilities 1/4, 1/2 and 1/4.
    expect(meanInterval([0, 1], { level: 0.95 })).toEqual({ low: 0, high: 1 });
    expect(meanInterval([0, 1], { level: 0.4 })).toEqual({ low: 0.5, high: 0.5 });
  });

  test('is near the quantiles of all resamples of a small sample', () => {
    const values = [1, 2, 4, 8, 16];
    const means: number[] = [];
    for (let code = 0; code < 5 ** 5; code++) {
      let sum = 0;
      for (let rest = code, i = 0; i < 5; i++, rest = Math.floor(rest / 5)) sum += values[rest % 5] as number;
      means.push(sum / 5);
    }
    const { low, high } = meanInterval(values, { level: 0.9, resamples: 50_000, seed: 3 });
    const below = (end: number) => means.filter((one) => one < end - 1e-9).length / means.length;
    const upTo = (end: number) => means.filter((one) => one < end + 1e-9).length / means.length;
    // The standard error of a share of 0.05 is 0.001.
    for (const [end, share] of [
      [low, 0.05],
      [high, 0.95],
    ] as const) {
      expect(below(end)).toBeLessThan(share + 0.005);
      expect(upTo(end)).toBeGreaterThan(share - 0.005);
    }
  });

  test('is the same for the same seed, and differs for another', () => {
    const values = [0.913, 0.927, 0.931, 0.902, 0.918];
    expect(meanInterval(values, { seed: 1 })).toEqual(meanInterval(values, { seed: 1 }));
    expect(meanInterval(values, { seed: 1, resamples: 100 })).not.toEqual(
      meanInterval(values, { seed: 2, resamples: 100 }),
    );
  });

  test('lies between the least and the greatest value, and moves and scales with them', () => {
    const sample = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(sample, (values) => {
        const { low, high } = meanInterval(values, { resamples: 200 });
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
        expect(low).toBeLessThanOrEqual(high);
        const moved = meanInterval(
          values.map((value) => 2 * value + 7),
          { resamples: 200 },
        );
        expect(moved.low).toBeCloseTo(2 * low + 7, 9);
        expect(moved.high).toBeCloseTo(2 * high + 7, 9);
      }),
    );
  });

  test('needs two values', () => {
    expect(() => meanInterval([1])).toThrow(new RangeError('there are 1 values; at least 2 are needed'));
  });

  test.each([0, 1, -0.5, 1.5, 95, Number.NaN])('does not take the level %d', (level) => {
    expect(() => meanInterval([1, 2], { level })).toThrow(
      new RangeError(`the level of an interval is ${level}; allowed: between 0 and 1`),
    );
  });

  test('of one resample is its mean', () => {
    const { low, high } = meanInterval([1, 2, 4], { resamples: 1 });
    expect(low).toBe(high);
    expect(low * 3).toBeGreaterThanOrEqual(3);
  });

  test.each([0, -1, 1.5, Number.NaN])('does not take %d resamples', (resamples) => {
    expect(() => meanInterval([1, 2], { resamples })).toThrow(
      new RangeError(`the number of resamples is ${resamples}; allowed: a positive integer`),
    );
  });
});

describe('the bootstrap interval of a difference', () => {
  test('of pairs with one difference is that difference alone', () => {
    expect(pairedDifferenceInterval([3, 5, 10], [1, 3, 8])).toEqual({ low: 2, high: 2 });
  });

  test('of the same values as independent samples is wider', () => {
    // First mean - second mean lies between 3 - 8 and 10 - 1; with 10,000 resamples the ends are inside.
    const { low, high } = differenceInterval([3, 5, 10], [1, 3, 8]);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(4);
  });

  test('of independent samples draws from each by itself', () => {
    const [first, second] = [
      [3, 5, 10],
      [1, 3, 8, 20],
    ];
    const random = Random.of(2, 'bootstrap');
    const drawnMean = (values: readonly number[]) =>
      values.reduce((sum) => sum + values[random.below(values.length)]!, 0) / values.length;
    const differences = Array.from({ length: 40 }, () => drawnMean(first) - drawnMean(second));
    const { low, high } = differenceInterval(first, second, { level: 0.5, resamples: 40, seed: 2 });
    expect(low).toBeCloseTo(quantile(differences, 0.25), 12);
    expect(high).toBeCloseTo(quantile(differences, 0.75), 12);
  });

  test('of independent samples needs two values of each', () => {
    const message = new RangeError('there are 1 values; at least 2 are needed');
    expect(() => differenceInterval([1], [1, 2])).toThrow(message);
    expect(() => differenceInterval([1, 2], [1])).toThrow(message);
  });

  test('of independent samples without spread is exact', () => {
    expect(differenceInterval([5, 5], [3, 3, 3])).toEqual({ low: 2, high: 2 });
  });

  test('needs pairs', () => {
    expect(() => pairedDifferenceInterval([1, 2], [1])).toThrow(
      new RangeError('2 and 1 values do not make pairs'),
    );
  });
});
