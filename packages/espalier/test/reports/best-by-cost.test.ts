import { describe, expect, test } from 'vitest';
import { bestByCost } from '../../src/reports/best-by-cost.js';

const at = (hours: number, value: number) => ({ hours, value });

describe('the best so far by cost', () => {
  const runs = [
    { hours: 4, course: [at(1, 0.2), at(2, 0.1), at(3, 0.6), at(4, 0.5)] },
    { hours: 5, course: [at(2, 0.4), at(5, 0.5)] },
  ];

  test('begins once all runs have a value, steps when one gets better, and ends with the last run', () => {
    expect(bestByCost(runs, 'higher')).toEqual([
      { x: 2, low: 0.2, middle: (0.2 + 0.4) / 2, high: 0.4 },
      { x: 3, low: 0.4, middle: 0.5, high: 0.6 },
      { x: 5, low: 0.5, middle: (0.6 + 0.5) / 2, high: 0.6 },
    ]);
  });

  test('falls for perplexities', () => {
    expect(bestByCost(runs, 'lower')).toEqual([
      { x: 2, low: 0.1, middle: (0.1 + 0.4) / 2, high: 0.4 },
      { x: 5, low: 0.1, middle: (0.1 + 0.4) / 2, high: 0.4 },
    ]);
  });

  test('is empty if the runs have no values on the way', () => {
    expect(bestByCost([{ hours: 3, course: [] }], 'higher')).toEqual([]);
  });
});
