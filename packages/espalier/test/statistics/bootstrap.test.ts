import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  differenceInterval,
  meanInterval,
  pairedDifferenceInterval,
} from '../../src/statistics/bootstrap.js';

describe('the bootstrap interval of a mean', () => {
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

  test('is the same with the same seed, and another with another', () => {
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
    expect(() => meanInterval([1])).toThrow(new RangeError('1 values where at least 2 are needed'));
  });
});

describe('the bootstrap interval of a difference', () => {
  test('of pairs that differ by the same everywhere is that difference alone', () => {
    expect(pairedDifferenceInterval([3, 5, 10], [1, 3, 8])).toEqual({ low: 2, high: 2 });
  });

  test('of the same values as independent samples is wider', () => {
    // First mean - second mean lies between 3 - 8 and 10 - 1; with 10,000 resamples the ends are inside.
    const { low, high } = differenceInterval([3, 5, 10], [1, 3, 8]);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(4);
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
