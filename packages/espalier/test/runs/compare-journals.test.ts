import { describe, expect, test } from 'vitest';
import { firstDifferentLine } from '../../src/runs/compare-journals.js';

const begin = { event: 'run', version: '0.1.0', seed: 1, clock: { time: 'then' } };
const result = (loss: number, time = 'then') => ({
  event: 'result',
  trial: 0,
  epochs: [
    { epoch: 1, loss: 2 },
    { epoch: 2, loss },
  ],
  clock: { time },
});

describe('two journals', () => {
  test('are equal if only the clocks and the version in the first line differ', () => {
    const other = { ...begin, version: '0.2.0', clock: { time: 'now' } };
    expect(firstDifferentLine([begin, result(1)], [other, result(1, 'now')])).toBeUndefined();
    expect(firstDifferentLine([begin, begin], [begin, other])).toMatchObject({ line: 2, path: 'version' });
  });

  test('differ first in a line and a key, with both values', () => {
    expect(firstDifferentLine([begin, result(1), result(3)], [begin, result(1.5), result(4)])).toEqual({
      line: 2,
      path: 'epochs.1.loss',
      ours: '1',
      theirs: '1.5',
    });
  });

  test('differ in the line at which one of them has ended', () => {
    const end = { event: 'end' };
    expect(firstDifferentLine([begin, end], [begin])).toEqual({
      line: 2,
      path: '',
      ours: '{"event":"end"}',
      theirs: 'nothing',
    });
    expect(firstDifferentLine([begin], [begin, end])).toMatchObject({ ours: 'nothing', line: 2 });
  });
});
