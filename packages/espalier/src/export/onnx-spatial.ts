import type { OnnxCall, OnnxTensor } from './onnx-call.js';
import type { Attribute } from './onnx-model.js';
import { first, int, integers, ints, type Row, text } from './onnx-row.js';

/** Padding as ONNX lists it: before each spatial dimension, then after each, there with some more. */
const symmetric = (padding: readonly number[], extra: readonly number[]): Attribute =>
  ints([...padding, ...padding.map((size, index) => size + (extra[index] as number))]);

export const convolution =
  (dimensions: 1 | 2): Row =>
  (call) => {
    const each = (value: number) => Array.from({ length: dimensions }, () => value);
    const weight = call.tensor(1);
    const bias = call.optionalTensor(2);
    const padding = call.integers(4, each(0));
    return call.model.node(
      'Conv',
      [call.tensor(0).name, weight.name, ...(bias === undefined ? [] : [bias.name])],
      {
        kernel_shape: ints(call.fixed(weight.shape, 2)),
        strides: ints(call.integers(3, each(1))),
        pads: symmetric(padding, each(0)),
        dilations: ints(call.integers(5, each(1))),
        group: int(call.setting(6, 1)),
      },
    );
  };

export const transposedConvolution: Row = (call) => {
  const weight = call.tensor(1);
  const bias = call.optionalTensor(2);
  return call.model.node(
    'ConvTranspose',
    [call.tensor(0).name, weight.name, ...(bias === undefined ? [] : [bias.name])],
    {
      kernel_shape: ints(call.fixed(weight.shape, 2)),
      strides: ints(call.integers(3, [1, 1])),
      pads: symmetric(call.integers(4, [0, 0]), [0, 0]),
      output_padding: ints(call.integers(5, [0, 0])),
      group: int(call.setting(6, 1)),
      dilations: ints(call.integers(7, [1, 1])),
    },
  );
};

/**
 * The windows of a pooling: libtorch's arguments 1 to 3 and, at the place `dilations`, the dilation.
 *
 * @param roundsUp whether the size of the result is rounded up
 */
function windows(call: OnnxCall, input: OnnxTensor, dilations: number | undefined, roundsUp: boolean) {
  const kernel = call.integers(1, [1, 1]);
  const strides = call.integers(2, kernel);
  const padding = call.integers(3, [0, 0]);
  const dilation = dilations === undefined ? [1, 1] : call.integers(dilations, [1, 1]);
  if (!roundsUp) return { kernel, strides, padding, dilation, beyond: kernel.map(() => 0) };
  const sizes = call.fixed(input.shape, 2);
  const results = call.fixed(call.shape, 2);
  /** How far the last window reaches beyond the padding where the size of the result was rounded up. */
  const beyond = sizes.map((size, index) => {
    const [length, stride, pad, step] = [kernel, strides, padding, dilation].map((list) => list[index]) as [
      number,
      number,
      number,
      number,
    ];
    const reach = ((results[index] as number) - 1) * stride + step * (length - 1) + 1;
    return Math.max(0, reach - size - 2 * pad);
  });
  return { kernel, strides, padding, dilation, beyond };
}

export const maxPool: Row = (call) => {
  const input = call.tensor(0);
  const { kernel, strides, padding, dilation, beyond } = windows(call, input, 4, call.setting(5, false));
  return call.model.node('MaxPool', [input.name], {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    pads: symmetric(padding, beyond),
    dilations: ints(dilation),
  });
};

/** The matrix [bins, size] that averages `size` values in `bins` windows as libtorch chooses them. */
function averages(size: number, bins: number): Float32Array {
  const matrix = new Float32Array(bins * size);
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * size) / bins);
    const to = Math.ceil(((bin + 1) * size) / bins);
    matrix.fill(1 / (to - from), bin * size + from, bin * size + to);
  }
  return matrix;
}

export const averagePool: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const { kernel, strides, padding, beyond } = windows(call, input, undefined, call.setting(4, false));
  const countsPadding = call.setting(5, true);
  let { name } = input;
  let pads = symmetric(padding, beyond);
  if (countsPadding && beyond.some((size) => size > 0)) {
    // The mean counts the zeros of the padding, but not what lies beyond them.
    const widths = [0, 0, ...padding, 0, 0, ...padding];
    name = first(model.node('Pad', [name, integers(call, widths), call.number(0).name]));
    pads = symmetric([0, 0], beyond);
  }
  return model.node('AveragePool', [name], {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    pads,
    count_include_pad: int(countsPadding && name === input.name ? 1 : 0),
  });
};

export const adaptiveAveragePool: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  call.ignore(1);
  const [rows, columns] = call.fixed(call.shape, 2) as [number, number];
  if (rows === 1 && columns === 1) return model.node('GlobalAveragePool', [input.name]);
  const [height, width] = call.fixed(input.shape, 2) as [number, number];
  const left = model.constant(averages(height, rows), [rows, height]);
  const right = model.constant(averages(width, columns), [columns, width]);
  const transposed = first(model.node('Transpose', [right], { perm: ints([1, 0]) }));
  return model.node('MatMul', [first(model.node('MatMul', [left, input.name])), transposed]);
};

/** Resizes images. The model reads their number and channels, and a size that is free, from its tensors when it runs. */
function resize(
  call: OnnxCall,
  attributes: Readonly<Record<string, Attribute>>,
  factors: readonly number[] | undefined,
): readonly string[] {
  const { model } = call;
  const input = call.tensor(0);
  const before = first(model.node('Shape', [input.name], { start: int(0), end: int(2) }));
  const target = call.shape.slice(2).includes(null) ? freeTarget(call) : fixedTarget(call, input, factors);
  const shape = first(model.node('Concat', [before, target], { axis: int(0) }));
  return model.node('Resize', [input.name, '', '', shape], attributes);
}

/** That of an earlier tensor, perhaps halved and rounded up. */
function freeTarget(call: OnnxCall): string {
  const { model, sizedLike } = call;
  if (sizedLike === undefined)
    throw call.error(
      'its result has the height and width of no tensor before it, so its size cannot be free',
    );
  const { tensor, halvings } = sizedLike;
  const size = first(model.node('Shape', [tensor.name], { start: int(2), end: int(4) }));
  if (halvings === 0) return size;
  const divisor = 2 ** halvings;
  const more = first(model.node('Add', [size, integers(call, [divisor - 1])]));
  return first(model.node('Div', [more, integers(call, [divisor])]));
}

function fixedTarget(call: OnnxCall, input: OnnxTensor, factors: readonly number[] | undefined): string {
  const sizes = call.fixed(input.shape, 2);
  const target = call.fixed(call.shape, 2);
  if (
    factors !== undefined &&
    sizes.some((size, index) => size * (factors[index] as number) !== target[index])
  )
    throw call.error(
      `scale factors ${factors.join(' and ')} do not take ${sizes.join('x')} to a whole number of pixels; give the size`,
    );
  return integers(call, target);
}

export const bilinear: Row = (call) => {
  call.ignore(1);
  const mode = call.setting(2, false) ? 'align_corners' : 'half_pixel';
  const attributes = { mode: text('linear'), coordinate_transformation_mode: text(mode) };
  return resize(call, attributes, call.list(3));
};

export const nearest: Row = (call) => {
  call.ignore(1);
  const attributes = {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  };
  return resize(call, attributes, call.list(2));
};
