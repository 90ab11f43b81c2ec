import { describe, expect, it } from 'vitest';
import { countSkips, withFewSkips } from '../../src/supernets/skip-connections.js';

describe('the number of skip connections', () => {
  it('counts operations that return their input, under the names that spaces have for them', () => {
    expect(countSkips(['skip_connect', 'sep_conv_3x3', 'identity', 'none', 'skip_connect'])).toBe(3);
    expect(countSkips([])).toBe(0);
  });
});

describe('a cell with few skip connections', () => {
  /** The strongest operation on each edge; operation 1 is the skip connection. */
  const derive = (weights: readonly (readonly number[])[]) => {
    const cell = weights.map((row) => row.indexOf(Math.max(...row)));
    return { cell, skips: [...cell.keys()].filter((edge) => cell[edge] === 1) };
  };
  const weights = [
    [0.3, 0.5, 0.2],
    [0.1, 0.6, 0.3],
    [0.25, 0.4, 0.35],
    [0.5, 0.1, 0.4],
  ];

  it.each([
    [4, [1, 1, 1, 0]],
    [3, [1, 1, 1, 0]],
    [2, [1, 1, 2, 0]],
    [1, [0, 1, 2, 0]],
    [0, [0, 2, 2, 0]],
  ])('with at most %d of them, gives the weakest up first', (most, cell) => {
    expect(withFewSkips(weights, 1, most, derive)).toEqual(cell);
  });

  it('leaves the weights as they were', () => {
    const before = structuredClone(weights);
    withFewSkips(weights, 1, 0, derive);
    expect(weights).toEqual(before);
  });
});
