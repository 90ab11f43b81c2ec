import { arange, noGrad, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { type OperationName, operation } from '../../../src/networks/auto-deeplab/operations.js';
import { resize } from '../../../src/networks/auto-deeplab/resize.js';

setThreads(1);

/** A map of size x size pixels with the values 1 + row * size + column. */
const ramp = (size: number): Tensor =>
  arange(1, size * size + 1, 1, { dtype: 'float32' }).reshape([1, 1, size, size]);

/** Values by name in the state dictionary, for one filter. Normalisation is otherwise the identity. */
type State = Readonly<Record<string, number[]>>;

/** The rows of the output of an operation with one filter. */
function rows(name: OperationName, stride: 1 | 2, state: State, input: () => Tensor): number[][] {
  return scope(() =>
    noGrad(() => {
      const layer = operation(name, 1, stride).eval();
      const own = layer.stateDict();
      for (const [key, values] of own) if (key.endsWith('running_var')) values.fill_(1 - 1e-3);
      for (const [key, values] of Object.entries(state)) {
        const target = own.get(key)!;
        target.copy_(tensor(values).reshape(target.shape));
      }
      const output = layer.forward(input());
      const [, , height, width] = output.shape as [number, number, number, number];
      const values = output.toNumbers().map((value) => Math.round(value * 1e4) / 1e4);
      layer.free();
      return Array.from({ length: height }, (_, row) => values.slice(row * width, (row + 1) * width));
    }),
  );
}

const ONLY = (place: number, size: number, value = 1) =>
  Array.from({ length: size }, (_, index) => (index === place ? value : 0));

describe('an operation of auto-deeplab', () => {
  it('none gives zeros, with half the size at stride 2, rounded up', () => {
    expect(rows('none', 1, {}, () => ramp(2))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(rows('none', 2, {}, () => ramp(3))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(rows('none', 2, {}, () => ramp(4))).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('skip_connect gives the input itself, including negative values', () => {
    expect(rows('skip_connect', 1, {}, () => ramp(2).sub(3))).toEqual([
      [-2, -1],
      [0, 1],
    ]);
  });

  it('skip_connect with stride 2 applies ReLU and a 1x1 convolution to every second pixel', () => {
    expect(rows('skip_connect', 2, { 'conv.weight': [10], 'bn.bias': [5] }, () => ramp(3).sub(4))).toEqual([
      [5, 5],
      [35, 55],
    ]);
  });

  it('max_pool_3x3 and avg_pool_3x3 ignore the padding', () => {
    expect(rows('max_pool_3x3', 1, {}, () => ramp(3).neg())).toEqual([
      [-1, -1, -2],
      [-1, -1, -2],
      [-4, -4, -5],
    ]);
    expect(rows('avg_pool_3x3', 1, {}, () => ramp(3))).toEqual([
      [3, 3.5, 4],
      [4.5, 5, 5.5],
      [6, 6.5, 7],
    ]);
    expect(rows('avg_pool_3x3', 2, {}, () => ramp(3))).toEqual([
      [3, 4],
      [6, 7],
    ]);
    expect(rows('max_pool_3x3', 2, {}, () => ramp(4))).toEqual([
      [6, 8],
      [14, 16],
    ]);
  });

  it('atrous_conv_3x3 has full filters that read pixels two apart, after ReLU and before batch norm', () => {
    // The filter multiplies the pixel two to the left by 3. Batch norm then adds 1.
    const left = { 'conv.weight': ONLY(3, 9, 10), 'bn.bias': [1] };
    expect(rows('atrous_conv_3x3', 1, left, () => ramp(3).sub(4))).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 31],
    ]);
  });

  it('atrous_conv_5x5 reads pixels up to four away', () => {
    const corner = { 'conv.weight': ONLY(0, 25) };
    const found = rows('atrous_conv_5x5', 1, corner, () => ramp(5));
    expect(found.flat()).toEqual(ONLY(24, 25));
  });

  it('atrous_conv with stride 2 halves the map first, and then has rate 1', () => {
    // From 5x5 to 3x3 with aligned corners, 1 3 5, 11 13 15 and 21 23 25 remain. The filter reads one pixel to the left.
    expect(rows('atrous_conv_3x3', 2, { 'conv.weight': ONLY(3, 9) }, () => ramp(5))).toEqual([
      [0, 1, 3],
      [0, 11, 13],
      [0, 21, 23],
    ]);
    expect(rows('atrous_conv_5x5', 2, { 'conv.weight': ONLY(10, 25) }, () => ramp(5))).toEqual([
      [0, 0, 1],
      [0, 0, 11],
      [0, 0, 21],
    ]);
  });

  it('sep_conv_3x3 applies ReLU, depthwise convolution, pointwise convolution and batch norm twice', () => {
    const state = {
      'depthwise1.weight': ONLY(4, 9, -1),
      'pointwise1.weight': [-2],
      'bn1.bias': [-6],
      'depthwise2.weight': ONLY(3, 9),
      'pointwise2.weight': [10],
      'bn2.bias': [1],
    };
    // x -> 2x - 6 is positive from x = 4: 2, 4, 6, 8, ... Then the left neighbour is multiplied by 10, and 1 is added.
    expect(rows('sep_conv_3x3', 1, state, () => ramp(3))).toEqual([
      [1, 1, 1],
      [1, 21, 41],
      [1, 81, 101],
    ]);
    // With stride 2, the first depthwise convolution gives 1, 3, 7, 9. After 2x - 6 and ReLU: 0, 0, 8, 12.
    expect(rows('sep_conv_3x3', 2, state, () => ramp(3))).toEqual([
      [1, 1],
      [1, 81],
    ]);
  });

  it('sep_conv_5x5 has two depthwise convolutions that read pixels up to two away', () => {
    const state = {
      'depthwise1.weight': ONLY(10, 25),
      'pointwise1.weight': [1],
      'depthwise2.weight': ONLY(10, 25),
      'pointwise2.weight': [1],
    };
    expect(rows('sep_conv_5x5', 1, state, () => ramp(5)).map((row) => row.at(-1))).toEqual([
      1, 6, 11, 16, 21,
    ]);
  });

  it("has the paper's number of weights: full atrous convolutions, depthwise separable convolutions, no bias", () => {
    const parameters = (name: OperationName, stride: 1 | 2 = 1) => {
      const layer = operation(name, 4, stride);
      const count = layer.parameterCount();
      layer.free();
      return count;
    };
    expect(parameters('atrous_conv_3x3')).toBe(4 * 4 * 9 + 8);
    expect(parameters('atrous_conv_5x5', 2)).toBe(4 * 4 * 25 + 8);
    expect(parameters('sep_conv_3x3')).toBe(2 * (4 * 9 + 16 + 8));
    expect(parameters('sep_conv_5x5', 2)).toBe(2 * (4 * 25 + 16 + 8));
    expect(parameters('skip_connect')).toBe(0);
    expect(parameters('skip_connect', 2)).toBe(16 + 8);
    expect(parameters('none', 2) + parameters('max_pool_3x3', 2) + parameters('avg_pool_3x3', 2)).toBe(0);
  });
});

describe('resizing', () => {
  it('aligns corners and interpolates in between', () => {
    scope(() => {
      expect(resize(ramp(2), [3, 3]).toNumbers()).toEqual([1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4]);
      expect(resize(ramp(3), [2, 3]).toNumbers()).toEqual([1, 2, 3, 7, 8, 9]);
    });
  });

  it('returns a map that already has the target size unchanged', () => {
    scope(() => {
      const map = ramp(3);
      expect(resize(map, [3, 3])).toBe(map);
    });
  });
});
