import { describe, expect, test } from 'vitest';
import { autoDeepLabS } from '../../src/hub/auto-deeplab-s.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { mixtureOf } from '../../src/reports/mixtures.js';

/** What is kept, in words. */
function kept(spaceName: string, name: string, rows: number, architecture: unknown): string[] {
  const mixture = mixtureOf(spaceName, name, rows, architecture)!;
  return mixture.kept.map(([place, option]) => `${mixture.places[place]}: ${mixture.options[option]}`);
}

describe('the architecture parameters of a supernet', () => {
  test('of darts-cnn name inputs and nodes as the picture of the cell does', () => {
    expect(mixtureOf('darts-cnn', 'normal', 14, undefined)!.places).toEqual([
      ...['c_{k-2} → 0', 'c_{k-1} → 0'],
      ...['c_{k-2} → 1', 'c_{k-1} → 1', '0 → 1'],
      ...['c_{k-2} → 2', 'c_{k-1} → 2', '0 → 2', '1 → 2'],
      ...['c_{k-2} → 3', 'c_{k-1} → 3', '0 → 3', '1 → 3', '2 → 3'],
    ]);
    expect(kept('darts-cnn', 'normal', 14, dartsV2.architecture)).toEqual([
      'c_{k-2} → 0: sep_conv_3x3',
      'c_{k-1} → 0: sep_conv_3x3',
      'c_{k-2} → 1: sep_conv_3x3',
      'c_{k-1} → 1: sep_conv_3x3',
      'c_{k-1} → 2: sep_conv_3x3',
      'c_{k-2} → 2: skip_connect',
      'c_{k-2} → 3: skip_connect',
      '0 → 3: dil_conv_3x3',
    ]);
    expect(kept('darts-cnn', 'reduce', 14, dartsV2.architecture)[2]).toBe('0 → 1: skip_connect');
  });

  test('of darts-rnn have one edge into each node', () => {
    expect(kept('darts-rnn', 'recurrent', 36, dartsV2Rnn.architecture)).toEqual([
      ...['0 → 1: sigmoid', '1 → 2: relu', '1 → 3: relu', '1 → 4: identity'],
      ...['2 → 5: tanh', '5 → 6: sigmoid', '3 → 7: tanh', '5 → 8: relu'],
    ]);
  });

  test('of nasbench201 keep an operation on every edge', () => {
    const cell = '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|none~1|nor_conv_3x3~2|';
    expect(kept('nasbench201', 'cell', 6, { cell })).toEqual([
      '0 → 1: avg_pool_3x3',
      '0 → 2: nor_conv_1x1',
      '1 → 2: skip_connect',
      '0 → 3: nor_conv_3x3',
      '1 → 3: none',
      '2 → 3: nor_conv_3x3',
    ]);
  });

  test('of auto-deeplab are those of the cell, and the moves of the path', () => {
    const { cell, path } = autoDeepLabS.architecture as unknown as {
      readonly cell: readonly (readonly [number, number, string, string])[];
      readonly path: readonly number[];
    };
    const inputs = ['H^{l-1}', 'H^{l-2}', '1', '2', '3', '4'];
    expect(kept('auto-deeplab', 'cell', 20, { cell, path })).toEqual(
      cell.flatMap(([first, second, onFirst, onSecond], block) => [
        `${inputs[first]} → ${block + 1}: ${onFirst}`,
        `${inputs[second]} → ${block + 1}: ${onSecond}`,
      ]),
    );
    expect(kept('auto-deeplab', 'trellis', 48, { cell, path: [0, 1, 1, 0] })).toEqual([
      'to layer 1 from stride 4: same size',
      'to layer 2 from stride 4: smaller map',
      'to layer 3 from stride 8: same size',
      'to layer 4 from stride 8: larger map',
    ]);
  });

  test('of another space have no names', () => {
    expect(mixtureOf('my-space', 'cell', 3, undefined)).toBeUndefined();
  });
});
