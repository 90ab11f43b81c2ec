import { describe, expect, it } from 'vitest';
import { epochBeforeGrowth, takesEigenvalue } from '../../src/weight-sharing/early-stopping.js';

const constant = (count: number, value = 1) => new Array<number>(count).fill(value);

describe('early stopping', () => {
  it('takes the eigenvalue in every second epoch, from the first on', () => {
    expect([1, 2, 3, 4, 5, 49, 50].map(takesEigenvalue)).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it('goes back twelve epochs when the mean of five eigenvalues is more than 1.3 times that of four before', () => {
    // The windows are the values 4 to 8 and 8 to 12 (epochs 7 to 15 and 15 to 23), which share one.
    const grown = (last: number) => [...constant(8), ...constant(3), last];
    // Mean now (4 + last) / 5, before 1.
    expect(epochBeforeGrowth(grown(2.51))).toBe(11);
    expect(epochBeforeGrowth(grown(2.49))).toBeUndefined();
    expect(epochBeforeGrowth([...constant(12), 3])).toBe(13);
  });

  it('compares with windows that end four eigenvalues apart', () => {
    // The last five are x, 2, 2, 2, 2; those that end four before are 1, 1, 1, 1, x.
    const history = (x: number) => [...constant(7), x, 2, 2, 2, 2];
    // (x + 8) / (4 + x) is above 1.3 for x below 9.33.
    expect(epochBeforeGrowth(history(9.3))).toBe(11);
    expect(epochBeforeGrowth(history(9.4))).toBeUndefined();
  });

  it('never goes back to one of the first ten epochs', () => {
    for (let count = 0; count < 12; count++)
      expect(epochBeforeGrowth(Array.from({ length: count }, (_, i) => 2 ** i))).toBeUndefined();
    expect(epochBeforeGrowth(Array.from({ length: 12 }, (_, i) => 2 ** i))).toBe(11);
  });

  it('does not stop where the eigenvalue falls', () => {
    expect(epochBeforeGrowth([...constant(11, 0.2), -0.3])).toBeUndefined();
    expect(epochBeforeGrowth(Array.from({ length: 20 }, (_, i) => 1 / (i + 1)))).toBeUndefined();
  });
});
