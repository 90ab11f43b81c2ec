import { describe, expect, it } from 'vitest';
import { meanEntropy } from '../../src/weight-sharing/entropy.js';

describe('the mean entropy of choices', () => {
  it('is the logarithm of the number of options when all are even, and 0 when all are decided', () => {
    expect(meanEntropy([[0.25, 0.25, 0.25, 0.25]])).toBeCloseTo(Math.log(4), 14);
    expect(meanEntropy([[1e-300, 1, 1e-300]])).toBeCloseTo(0, 14);
  });

  it('is the mean over the rows, each normalised', () => {
    // ln 2, and 0.25 ln 4 + 0.75 ln (4 / 3)
    const expected = (Math.log(2) + 0.25 * Math.log(4) + 0.75 * Math.log(4 / 3)) / 2;
    expect(
      meanEntropy([
        [2, 2],
        [0.2, 0.6],
      ]),
    ).toBeCloseTo(expected, 14);
  });

  it('passes over what leaves no choice', () => {
    expect(
      meanEntropy([
        [0, 0, 0],
        [0, 1, 0],
        [0, 0.5, 0.5],
      ]),
    ).toBeCloseTo(Math.log(2), 14);
    expect(meanEntropy([[0, 1, 0]])).toBeUndefined();
    expect(meanEntropy([])).toBeUndefined();
  });
});
