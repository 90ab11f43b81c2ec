import { expect, test } from 'vitest';
import { checkLosses } from '../driver/check-losses.mjs';

const ours = [
  [2, 4],
  [1, 3],
];
const near = [
  [2, 4],
  [1.00005, 3],
];
const far = [
  [2, 4],
  [1.001, 3],
];

test('layouts that agree with ours are timed, with the largest of their relative differences', () => {
  const { agreeing, faults, largestDifference } = checkLosses(
    'darts-step',
    ours,
    new Map([
      ['default', near],
      ['channels_last', ours],
    ]),
  );
  expect(agreeing).toEqual(['default', 'channels_last']);
  expect(faults).toEqual({});
  expect(largestDifference).toBeCloseTo(0.00005 / 1.00005, 12);
});

test.each([
  ['disagrees', far],
  [
    'not a number',
    [
      [2, 4],
      [null, 3],
    ],
  ],
  ['disagrees', [[2, 4]]],
  ['crashed', 'crashed'],
])('a layout that %s is left out where the other one agrees', (fault, losses) => {
  for (const [bad, good] of [
    ['default', 'channels_last'],
    ['channels_last', 'default'],
  ]) {
    const theirs = new Map([
      [bad, losses],
      [good, ours],
    ]);
    expect(checkLosses('darts-step', ours, theirs)).toEqual({
      agreeing: [good],
      faults: { [bad]: fault },
      largestDifference: 0,
    });
  }
});

test('a benchmark whose losses no layout agrees with fails, naming both sides', () => {
  const theirs = new Map([
    ['default', far],
    ['channels_last', 'crashed'],
  ]);
  expect(() => checkLosses('darts-step', ours, theirs)).toThrow(
    'darts-step: the losses of the first steps from equal weights are 2 and 4, 1 and 3 here. PyTorch agrees in none of the ' +
      'layouts asked for (they may differ by 0.0001 of their value): default: 2 and 4, 1.001 and 3; channels_last: crashed.',
  );
});
