import type { ExportedCall, ExportedTensor } from './exported-call.js';
import type { Attribute } from './onnx-model.js';

/** Writes a call into its model. @returns the names of its results */
type Row = (call: ExportedCall) => readonly string[];

const int = (value: number): Attribute => ({ int: value });
const float = (value: number): Attribute => ({ float: value });
const ints = (values: readonly number[]): Attribute => ({ ints: values });
const text = (value: string): Attribute => ({ text: value });

/** Beyond the end of any dimension. */
const END = 2n ** 63n - 1n;

/** Integers as the inputs of operators want them. */
const integers = (call: ExportedCall, values: readonly (number | bigint)[]): string =>
  call.model.constant(BigInt64Array.from(values, BigInt), [values.length]);

const first = (results: readonly string[]): string => results[0] as string;

/** An operator of the first argument alone. */
const unary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.tensor(0).name]);

/** An operator of two tensors, or of a tensor and a number. */
const binary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.operand(0).name, call.operand(1).name]);

/** A sum or difference, the second one times a number. */
const weighted =
  (type: string): Row =>
  (call) => {
    const { model } = call;
    const left = call.operand(0).name;
    const right = call.operand(1).name;
    const factor = call.setting(2, 1);
    if (factor === 1) return model.node(type, [left, right]);
    return model.node(type, [left, first(model.node('Mul', [right, call.number(factor).name]))]);
  };

/** An operator that returns what it is given, apart from the settings at some places. */
const same =
  (...ignored: readonly number[]): Row =>
  (call) => {
    call.ignore(...ignored);
    return [call.tensor(0).name];
  };

/** The same numbers in the shape of the result, whatever arguments it came from. */
const reshape: Row = (call) => {
  call.ignore(1, 2);
  const { shape } = call;
  if (shape.filter((size) => size === null).length > 1)
    throw call.error('two dimensions of its result depend on the number of images; allowed: one');
  const target = integers(
    call,
    shape.map((size) => size ?? -1),
  );
  return call.model.node('Reshape', [call.tensor(0).name, target]);
};

/** `ends` of each spatial dimension, as ONNX has them: all begins, then all ends. */
const symmetric = (padding: readonly number[], extra: readonly number[]): Attribute =>
  ints([...padding, ...padding.map((size, index) => size + (extra[index] as number))]);

const convolution =
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

/** Windows of a pooling: libtorch's arguments 1 to 3 and, at `dilations`, the fourth. */
function windows(call: ExportedCall, input: ExportedTensor, dilations: number | undefined) {
  const kernel = call.integers(1, [1, 1]);
  const strides = call.integers(2, kernel);
  const padding = call.integers(3, [0, 0]);
  const dilation = dilations === undefined ? [1, 1] : call.integers(dilations, [1, 1]);
  const sizes = call.fixed(input.shape, 2);
  const results = call.fixed(call.shape, 2);
  /** What the last window of a result that is rounded up reaches beyond the padding. */
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

const maxPool: Row = (call) => {
  const input = call.tensor(0);
  const { kernel, strides, padding, dilation, beyond } = windows(call, input, 4);
  call.ignore(5);
  return call.model.node('MaxPool', [input.name], {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    pads: symmetric(padding, beyond),
    dilations: ints(dilation),
  });
};

const averagePool: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const { kernel, strides, padding, beyond } = windows(call, input, undefined);
  call.ignore(4);
  const countsPadding = call.setting(5, true);
  let { name } = input;
  let pads = symmetric(padding, beyond);
  if (countsPadding && beyond.some((size) => size > 0)) {
    // The zeros of the padding count, what a window reaches beyond them does not.
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

/** The matrix that averages `size` values in `bins` windows as libtorch chooses them, [bins, size]. */
function averages(size: number, bins: number): Float32Array {
  const matrix = new Float32Array(bins * size);
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * size) / bins);
    const to = Math.ceil(((bin + 1) * size) / bins);
    matrix.fill(1 / (to - from), bin * size + from, bin * size + to);
  }
  return matrix;
}

const adaptiveAveragePool: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  call.ignore(1);
  const [height, width] = call.fixed(input.shape, 2) as [number, number];
  const [rows, columns] = call.fixed(call.shape, 2) as [number, number];
  if (rows === 1 && columns === 1) return model.node('GlobalAveragePool', [input.name]);
  const left = model.constant(averages(height, rows), [rows, height]);
  const right = model.constant(averages(width, columns), [columns, width]);
  const transposed = first(model.node('Transpose', [right], { perm: ints([1, 0]) }));
  return model.node('MatMul', [first(model.node('MatMul', [left, input.name])), transposed]);
};

const batchNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  call.ignore(6, 8);
  if (call.setting(5, false))
    throw call.error(
      'batch norm without running statistics normalises by the batch; ONNX has it for one only',
    );
  const [features] = call.fixed(input.shape, 1) as [number];
  const filled = (value: number) => model.constant(new Float32Array(features).fill(value), [features]);
  const scale = call.optionalTensor(1)?.name ?? filled(1);
  const shift = call.optionalTensor(2)?.name ?? filled(0);
  return model.node(
    'BatchNormalization',
    [input.name, scale, shift, call.tensor(3).name, call.tensor(4).name],
    { epsilon: float(call.setting(7, 1e-5)) },
  );
};

const layerNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const normalized = call.list(1) ?? [];
  call.ignore(5);
  const rank = input.shape.length;
  const count = normalized.reduce((product, size) => product * size, 1);
  const scale = call.optionalTensor(2)?.name ?? model.constant(new Float32Array(count).fill(1), normalized);
  const shift = call.optionalTensor(3);
  return model.node('LayerNormalization', [input.name, scale, ...(shift === undefined ? [] : [shift.name])], {
    axis: int(rank - normalized.length),
    epsilon: float(call.setting(4, 1e-5)),
  });
};

const linear: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const weight = call.tensor(1);
  const bias = call.optionalTensor(2);
  const rest = bias === undefined ? [] : [bias.name];
  if (input.shape.length === 2)
    return model.node('Gemm', [input.name, weight.name, ...rest], { transB: int(1) });
  const transposed = first(model.node('Transpose', [weight.name], { perm: ints([1, 0]) }));
  const product = model.node('MatMul', [input.name, transposed]);
  return bias === undefined ? product : model.node('Add', [first(product), bias.name]);
};

/** Part of a dimension. */
const cut = (call: ExportedCall, input: string, dimension: number, range: readonly (number | bigint)[]) => {
  const [start, end, step = 1] = range as readonly [number | bigint, number | bigint, number?];
  return call.model.node('Slice', [
    input,
    integers(call, [start]),
    integers(call, [end]),
    integers(call, [dimension]),
    integers(call, [step]),
  ]);
};

const slice: Row = (call) => {
  const input = call.tensor(0);
  const dimension = call.dimension(1, 0, input.shape.length);
  const end = call.isGiven(3) ? call.setting(3, 0) : END;
  return cut(call, input.name, dimension, [call.setting(2, 0), end, call.setting(4, 1)]);
};

const narrow: Row = (call) => {
  const input = call.tensor(0);
  const start = call.setting(2, 0);
  const end = start + call.setting(3, 0);
  const dimension = call.dimension(1, 0, input.shape.length);
  return cut(call, input.name, dimension, [start, start < 0 && end === 0 ? END : end]);
};

const select: Row = (call) => {
  const input = call.tensor(0);
  const index = call.model.constant(BigInt64Array.of(BigInt(call.setting(2, 0))), []);
  const axis = int(call.dimension(1, 0, input.shape.length));
  return call.model.node('Gather', [input.name, index], { axis });
};

const split: Row = (call) => {
  const input = call.tensor(0);
  call.ignore(1);
  const axis = call.dimension(2, 0, input.shape.length);
  const sizes = call.shapes.map((shape) => call.fixed(shape.slice(axis, axis + 1))[0] as number);
  return call.model.node('Split', [input.name, integers(call, sizes)], { axis: int(axis) }, sizes.length);
};

const concatenate: Row = (call) => {
  const inputs = call.tensors(0);
  const axis = call.dimension(1, 0, call.shape.length);
  return call.model.node(
    'Concat',
    inputs.map(({ name }) => name),
    { axis: int(axis) },
  );
};

const stack: Row = (call) => {
  const { model } = call;
  const axis = call.dimension(1, 0, call.shape.length);
  const inputs = call
    .tensors(0)
    .map(({ name }) => first(model.node('Unsqueeze', [name, integers(call, [axis])])));
  return model.node('Concat', inputs, { axis: int(axis) });
};

/** libtorch's list begins with the last dimension: begin and end of each. A negative width cuts off. */
const pad: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const rank = input.shape.length;
  const given = call.list(1) ?? [];
  const value = call.number(call.setting(2, 0)).name;
  const begins = new Array<number>(rank).fill(0);
  const ends = new Array<number>(rank).fill(0);
  for (let pair = 0; 2 * pair < given.length; pair++) {
    begins[rank - 1 - pair] = given[2 * pair] as number;
    ends[rank - 1 - pair] = given[2 * pair + 1] as number;
  }
  let { name } = input;
  for (let dimension = 0; dimension < rank; dimension++) {
    const [begin, end] = [begins[dimension] as number, ends[dimension] as number];
    if (begin >= 0 && end >= 0) continue;
    name = first(cut(call, name, dimension, [Math.max(0, -begin), end < 0 ? end : END]));
  }
  const widths = [...begins, ...ends].map((width) => Math.max(0, width));
  if (widths.every((width) => width === 0)) return [name];
  return model.node('Pad', [name, integers(call, widths), value]);
};

/** Images of another size; their number and channels are read from the input when the model runs. */
function resize(
  call: ExportedCall,
  attributes: Readonly<Record<string, Attribute>>,
  factors: readonly number[] | undefined,
): readonly string[] {
  const { model } = call;
  const input = call.tensor(0);
  const sizes = call.fixed(input.shape, 2);
  const target = call.fixed(call.shape, 2);
  const before = first(model.node('Shape', [input.name], { start: int(0), end: int(2) }));
  const shape = first(model.node('Concat', [before, integers(call, target)], { axis: int(0) }));
  if (
    factors !== undefined &&
    sizes.some((size, index) => size * (factors[index] as number) !== target[index])
  )
    throw call.error(
      `scale factors ${factors.join(' and ')} do not take ${sizes.join('x')} to a whole number of pixels; give the size`,
    );
  return model.node('Resize', [input.name, '', '', shape], attributes);
}

const bilinear: Row = (call) => {
  call.ignore(1);
  const mode = call.setting(2, false) ? 'align_corners' : 'half_pixel';
  const attributes = { mode: text('linear'), coordinate_transformation_mode: text(mode) };
  return resize(call, attributes, call.list(3));
};

const nearest: Row = (call) => {
  call.ignore(1);
  const attributes = {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  };
  return resize(call, attributes, call.list(2));
};

const transpose: Row = (call) => {
  const input = call.tensor(0);
  const order = [...input.shape.keys()];
  const [one, other] = [call.dimension(1, 0, order.length), call.dimension(2, 0, order.length)];
  [order[one], order[other]] = [other, one];
  return call.model.node('Transpose', [input.name], { perm: ints(order) });
};

const permute: Row = (call) => {
  const input = call.tensor(0);
  return call.model.node('Transpose', [input.name], { perm: ints(call.dimensions(1, input.shape.length)) });
};

/** A size of 1 in the target leaves the input's size as it is, the number of images among them. */
const expand: Row = (call) => {
  const input = call.tensor(0);
  call.ignore(1);
  const { shape } = call;
  const target = shape.map((size, index) => {
    if (size !== null) return size;
    if (input.shape[index - shape.length + input.shape.length] === null) return 1;
    throw call.error(
      `it repeats dimension ${index} as often as there are images; ONNX export has no operator for that`,
    );
  });
  return call.model.node('Expand', [input.name, integers(call, target)]);
};

/** The axes are an attribute of all reductions but the sum, until operator set 18. */
const reduction =
  (type: string): Row =>
  (call) => {
    const input = call.tensor(0);
    const axes = call.dimensions(1, input.shape.length);
    return call.model.node(type, [input.name], {
      axes: ints(axes),
      keepdims: int(call.setting(2, false) ? 1 : 0),
    });
  };

const sum: Row = (call) => {
  const input = call.tensor(0);
  const axes = integers(call, call.dimensions(1, input.shape.length));
  return call.model.node('ReduceSum', [input.name, axes], { keepdims: int(call.setting(2, false) ? 1 : 0) });
};

const alongDimension =
  (type: string): Row =>
  (call) => {
    const input = call.tensor(0);
    return call.model.node(type, [input.name], { axis: int(call.dimension(1, 0, input.shape.length)) });
  };

/** Values between two bounds, either of which may be missing. */
const clip =
  (lowest?: number, highest?: number): Row =>
  (call) => {
    const bound = (place: number, missing: number | undefined) => {
      const value = call.setting(place, missing ?? Number.NaN);
      return Number.isNaN(value) ? '' : call.number(value).name;
    };
    return call.model.node('Clip', [call.tensor(0).name, bound(1, lowest), bound(2, highest)]);
  };

/** x times the sigmoid of x. */
const silu: Row = (call) => {
  const { name } = call.tensor(0);
  return call.model.node('Mul', [name, first(call.model.node('Sigmoid', [name]))]);
};

/** x times the normal distribution's share below x. */
const gelu: Row = (call) => {
  const { model } = call;
  const { name } = call.tensor(0);
  const approximation = call.setting(1, 'none');
  if (approximation !== 'none')
    throw call.error(`approximate is '${approximation}'; allowed for export to ONNX: 'none'`);
  const scaled = first(model.node('Mul', [name, call.number(Math.SQRT1_2).name]));
  const twice = first(model.node('Add', [first(model.node('Erf', [scaled])), call.number(1).name]));
  return model.node('Mul', [first(model.node('Mul', [name, call.number(0.5).name])), twice]);
};

const leakyRelu: Row = (call) =>
  call.model.node('LeakyRelu', [call.tensor(0).name], { alpha: float(call.setting(1, 0.01)) });

const elu: Row = (call) =>
  call.model.node('Elu', [call.tensor(0).name], { alpha: float(call.setting(1, 1)) });

const reciprocalRoot: Row = (call) =>
  call.model.node('Reciprocal', call.model.node('Sqrt', [call.tensor(0).name]));

const dropout: Row = (call) => {
  call.ignore(1);
  if (call.setting(2, false)) throw call.error('it drops values though the network is not training');
  return [call.tensor(0).name];
};

/** How the operators of libtorch are written in ONNX; one in place (`relu_`) is written like the other. */
export const onnxOperators: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['_to_copy', same(6)],
  ['abs', unary('Abs')],
  ['adaptive_avg_pool2d', adaptiveAveragePool],
  ['add', weighted('Add')],
  ['amax', reduction('ReduceMax')],
  ['avg_pool2d', averagePool],
  ['batch_norm', batchNorm],
  ['cat', concatenate],
  ['chunk', split],
  ['clamp', clip()],
  ['clone', same(1)],
  ['constant_pad_nd', pad],
  ['contiguous', same(1)],
  ['conv1d', convolution(1)],
  ['conv2d', convolution(2)],
  ['cos', unary('Cos')],
  ['div', binary('Div')],
  ['dropout', dropout],
  ['elu', elu],
  ['exp', unary('Exp')],
  ['expand', expand],
  ['flatten', reshape],
  ['gelu', gelu],
  ['hardswish', unary('HardSwish')],
  ['hardtanh', clip(-1, 1)],
  ['layer_norm', layerNorm],
  ['leaky_relu', leakyRelu],
  ['linear', linear],
  ['log', unary('Log')],
  ['log_softmax', alongDimension('LogSoftmax')],
  ['matmul', binary('MatMul')],
  ['max_pool2d', maxPool],
  ['maximum', binary('Max')],
  ['mean', reduction('ReduceMean')],
  ['minimum', binary('Min')],
  ['mul', binary('Mul')],
  ['narrow', narrow],
  ['neg', unary('Neg')],
  ['permute', permute],
  ['pow', binary('Pow')],
  ['relu', unary('Relu')],
  ['reshape', reshape],
  ['rsqrt', reciprocalRoot],
  ['select', select],
  ['sigmoid', unary('Sigmoid')],
  ['silu', silu],
  ['sin', unary('Sin')],
  ['slice', slice],
  ['softmax', alongDimension('Softmax')],
  ['softplus', unary('Softplus')],
  ['split', split],
  ['sqrt', unary('Sqrt')],
  ['squeeze', reshape],
  ['stack', stack],
  ['sub', weighted('Sub')],
  ['sum', sum],
  ['tanh', unary('Tanh')],
  ['transpose', transpose],
  ['unsqueeze', reshape],
  ['upsample_bilinear2d', bilinear],
  ['upsample_nearest2d', nearest],
  ['view', reshape],
]);

/** The operators whose results share the memory of their first argument. */
export const aliases: ReadonlySet<string> = new Set([
  'chunk',
  'contiguous',
  'dropout',
  'expand',
  'flatten',
  'narrow',
  'permute',
  'reshape',
  'select',
  'slice',
  'split',
  'squeeze',
  'transpose',
  'unsqueeze',
  'view',
]);
