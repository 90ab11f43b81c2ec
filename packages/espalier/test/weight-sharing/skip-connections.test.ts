import { describe, expect, it } from 'vitest';
import { countSkips } from '../../src/weight-sharing/skip-connections.js';

describe('the skip connections of an architecture', () => {
  it('are counted by the kind of cell, under the names that spaces have for them', () => {
    expect(
      countSkips({
        normal: [
          ['skip_connect', 0],
          ['sep_conv_3x3', 1],
          ['skip_connect', 2],
        ],
        normal_concat: [2, 3],
        reduce: [['identity', 0]],
        none: [['none', 0]],
      }),
    ).toEqual({ normal: 2, reduce: 1, none: 0 });
  });

  it.each([
    ['not a list', { length: 2, 0: 'skip_connect', 1: 0 }],
    ['a triple', ['skip_connect', 0, 1]],
    ['a number', 3],
    ['a pair without an operation', [3, 0]],
    ['a pair without a state', ['skip_connect', 'identity']],
  ])('are unknown where an edge is %s', (_, edge) => {
    expect(countSkips({ cell: [['skip_connect', 0], edge] })).toBeUndefined();
  });

  it.each([['|skip_connect~0|'], [undefined], [null], [7], [{ cell: '|skip_connect~0|' }], [{}]])(
    'are unknown of %j',
    (architecture) => {
      expect(countSkips(architecture)).toBeUndefined();
    },
  );
});
