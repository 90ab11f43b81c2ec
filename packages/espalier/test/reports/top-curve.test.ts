import { describe, expect, test } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { meanOfBest, topCurve } from '../../src/reports/top-curve.js';
import { RunState } from '../../src/runs/run-state.js';
import { searchEvents } from './journals.js';

describe('the mean of the best values so far', () => {
  test('begins where there are so many, and changes with each better one', () => {
    const values = [3, 1, 4, 1, 5, 0];
    expect(meanOfBest(values, 2, 'higher')).toEqual([
      { count: 2, mean: 2 },
      { count: 3, mean: 3.5 },
      { count: 4, mean: 3.5 },
      { count: 5, mean: 4.5 },
      { count: 6, mean: 4.5 },
    ]);
    expect(meanOfBest(values, 1, 'lower').map(({ mean }) => mean)).toEqual([3, 1, 1, 1, 1, 0]);
    expect(meanOfBest(values, 7, 'higher')).toEqual([]);
  });
});

describe('the comparison curve of NASNet', () => {
  const state = (values: readonly number[]) =>
    RunState.of(
      searchEvents({ strategy: 'random', seed: 1, children: values.map((value) => [value]) }),
      'here',
    );

  test('has the best and the means of the best 5 and 25 of each search', () => {
    const [one, other] = [state([0.5, 0.1, 0.2, 0.3, 0.4]), state([0.9])];
    const alone = topCurve(accuracy, [{ name: 'one', state: one }])!;
    expect(alone).toContain('best: 0.5');
    expect(alone).toContain('mean of the best 5: 0.3');
    expect(alone).not.toContain('mean of the best 25');
    const both = topCurve(accuracy, [
      { name: 'one', state: one },
      { name: 'other', state: other },
    ])!;
    expect(both).toContain('other, best: 0.9');
    expect(both).toContain('one, mean of the best 5: 0.3');
  });

  test('is left out where no search has 5 children', () => {
    expect(topCurve(accuracy, [{ name: 'one', state: state([0.5, 0.1, 0.2, 0.3]) }])).toBeUndefined();
  });
});
