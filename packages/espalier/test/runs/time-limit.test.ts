import { expect, test } from 'vitest';
import { TimeLimit } from '../../src/runs/time-limit.js';

const limit = () => new TimeLimit({ factor: 10, leastSeconds: 5, after: 3 });

test('there is no limit before enough trials have ended', () => {
  const made = limit();
  made.add(2, 1);
  made.add(2, 1);
  expect(made.of(1)).toBeUndefined();
  made.add(2, 1);
  expect(made.of(1)).toBe(20);
});

test('the limit is a multiple of the median pace, for the work that a trial has', () => {
  const made = limit();
  // Seconds for an epoch: 4, 1, 9, 2; the lower one of the middle two is 2.
  for (const [seconds, work] of [
    [8, 2],
    [3, 3],
    [9, 1],
    [2, 1],
  ] as const)
    made.add(seconds, work);
  expect([made.of(1), made.of(7)]).toEqual([20, 140]);
});

test('a trial may take some seconds however fast the others are', () => {
  const made = limit();
  for (let trial = 0; trial < 3; trial++) made.add(0.01, 1);
  expect(made.of(4)).toBe(5);
});
