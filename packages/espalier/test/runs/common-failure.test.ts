import { expect, test } from 'vitest';
import { commonFailure } from '../../src/runs/common-failure.js';

const of = (...reasons: string[]) => commonFailure(reasons.map((reason) => ({ reason })));

test('nothing failed: there is no reason', () => {
  expect(of()).toBeNull();
});

test('the most common reason counts, told as the first child has it', () => {
  expect(
    of('out of memory', 'diverged: the loss is NaN in epoch 1', 'diverged: the loss is NaN in epoch 12'),
  ).toEqual({
    reason: 'diverged: the loss is NaN in epoch 1',
    count: 2,
  });
});

test('of equally common ones the first counts', () => {
  expect(of('a', 'b', 'b', 'a')).toEqual({ reason: 'a', count: 2 });
});
