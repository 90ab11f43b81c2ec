import { describe, expect, test } from 'vitest';
import { requireValues, summaryOf } from '../../src/statistics/summary.js';

describe('a summary', () => {
  test('has the mean and the deviation of the sample', () => {
    // Deviations -3, -1, -1, -1, 0, 0, 2, 4: their squares are 32; 32 / 7.
    expect(summaryOf([2, 4, 4, 4, 5, 5, 7, 9], 'higher')).toEqual({
      n: 8,
      mean: 5,
      deviation: Math.sqrt(32 / 7),
      best: 9,
      worst: 2,
    });
  });

  test('has the lowest perplexity as the best one', () => {
    expect(summaryOf([63.9, 64.8, 66.3, 66.7], 'lower')).toMatchObject({ best: 63.9, worst: 66.7 });
  });

  test('of one value has no deviation', () => {
    expect(summaryOf([0.5], 'higher')).toEqual({
      n: 1,
      mean: 0.5,
      deviation: undefined,
      best: 0.5,
      worst: 0.5,
    });
  });

  test('accepts as many values as are needed', () => {
    expect(() => requireValues([1, 2], 2)).not.toThrow();
    expect(() => requireValues([1, 2], 3)).toThrow(
      new RangeError('there are 2 values; at least 3 are needed'),
    );
  });

  test('rejects an empty sample and a value that is not a number', () => {
    expect(() => summaryOf([], 'higher')).toThrow(
      new RangeError('there are 0 values; at least 1 are needed'),
    );
    expect(() => summaryOf([1, Number.NaN], 'higher')).toThrow(
      new RangeError('a value is NaN, not a finite number'),
    );
  });
});
