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

test('returns the layouts that agree and their largest relative difference', () => {
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
])('excludes a layout with fault "%s" if the other layout agrees', (fault, losses) => {
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

test('fails if no layout agrees, and reports the losses of both sides', () => {
  const theirs = new Map([
    ['default', far],
    ['channels_last', 'crashed'],
  ]);
  expect(() => checkLosses('darts-step', ours, theirs)).toThrow(
    "darts-step: PyTorch's losses in the first steps agree with Espalier's in none of the requested layouts (relative " +
      'tolerance 0.0001). Espalier: 2 and 4, 1 and 3; default: 2 and 4, 1.001 and 3; channels_last: crashed.',
  );
});
