import { describe, expect, it } from 'vitest';
import { kindOfCall } from '../../src/profiling/kind-of-call.js';

describe('the kind of a call', () => {
  it.each([
    [
      'aten::conv2d',
      [
        [2, 6, 8, 8],
        [4, 6, 3, 5],
      ],
      '3x5',
    ],
    ['aten::conv2d', [[2, 6, 8, 8], [6, 1, 5, 5], [6]], '5x5 depthwise'],
    [
      'aten::conv2d',
      [
        [2, 6, 8, 8],
        [4, 3, 1, 1],
      ],
      '1x1 in 2 groups',
    ],
    // A single input channel means an ordinary convolution, not a depthwise one.
    [
      'aten::conv2d',
      [
        [2, 1, 8, 8],
        [4, 1, 3, 3],
      ],
      '3x3',
    ],
    [
      'espalier::relu_conv_norm',
      [[2, 6, 8, 8], [6], [6], [6, 1, 3, 3], [4, 6, 1, 1], [4], [4]],
      '3x3 separable',
    ],
    ['espalier::relu_conv_norm', [[2, 6, 8, 8], [4, 6, 1, 1], [4], [4]], '1x1'],
    // A pointwise convolution with one input channel.
    ['espalier::relu_conv_norm', [[2, 1, 8, 8], [4, 1, 1, 1], [4], [4]], '1x1'],
    ['aten::relu', [[2, 6, 8, 8]], ''],
    ['aten::zeros', [], ''],
  ])('%s of %j is %j', (name, inputs, kind) => {
    expect(kindOfCall({ name, inputs })).toBe(kind);
  });
});
