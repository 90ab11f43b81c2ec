import type { CallArguments } from './call-arguments.js';
import type { Shape } from './exported-trace.js';
import { boolean, hole, number } from './python-code.js';

/** A tensor of the Python program: the expression that stands for it, and its shape. */
export interface PythonTensor {
  readonly code: string;
  readonly shape: Shape;
}

type PythonCall = CallArguments<PythonTensor>;

/** The Python expression for a call. */
type Row = (call: PythonCall, name: string) => string;

const isTensor = (value: unknown): value is PythonTensor =>
  typeof value === 'object' && value !== null && 'code' in value;

function literal(value: unknown): string {
  if (value === undefined) return 'None';
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return boolean(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (isTensor(value)) return value.code;
  return JSON.stringify(value);
}

/** The arguments at the places `from` up to `to`, as the network gave them. */
const given = (call: PythonCall, from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, Math.min(to, call.places) - from) }, (_, index) =>
    literal(call.argument(from + index)),
  );

/** A method of the first argument. It takes the first `places` arguments in libtorch's order. */
const method =
  (places: number): Row =>
  (call, name) =>
    `${call.tensor(0).code}.${name}(${given(call, 1, places).join(', ')})`;

/** A function that takes the first `places` arguments in libtorch's order. */
const functional =
  (places: number, name: string, ...ignored: readonly number[]): Row =>
  (call) => {
    call.ignore(...ignored);
    return `${name}(${given(call, 0, places).join(', ')})`;
  };

const infix =
  (sign: string): Row =>
  (call) =>
    `${call.tensor(0).code} ${sign} ${literal(call.argument(1))}`;

/** A sum or a difference, its second operand times a number. */
const weighted =
  (sign: string): Row =>
  (call, name) => {
    const factor = call.setting<number>(2, 1);
    return factor === 1
      ? infix(sign)(call, name)
      : `${call.tensor(0).code} ${sign} ${number(factor)} * ${literal(call.argument(1))}`;
  };

/** The same in place. */
const weightedInPlace: Row = (call, name) => {
  const factor = call.setting<number>(2, 1);
  const alpha = factor === 1 ? [] : [`alpha=${number(factor)}`];
  return `${call.tensor(0).code}.${name}(${[literal(call.argument(1)), ...alpha].join(', ')})`;
};

const counted = (values: readonly number[]): string => values.map((value) => hole('size', value)).join(', ');

const reshape: Row = (call, name) => {
  const target = call.dependsOnBatch(1) ? call.shapeWithOneFree() : (call.list(1) ?? []);
  call.ignore(1);
  return `${call.tensor(0).code}.${name}(${counted(target)})`;
};

/** A size of -1 keeps the input's size, such as that of the batch. */
const expand: Row = (call) => {
  const input = call.tensor(0);
  call.ignore(1);
  const { shape } = call;
  const target = shape.map((size, index) => {
    if (size !== null) return size;
    if (input.shape[index - shape.length + input.shape.length] === null) return -1;
    throw call.error(
      `it repeats dimension ${index} as often as the batch is large; export to PyTorch has no operator for that`,
    );
  });
  return `${input.code}.expand(${counted(target)})`;
};

/** `x[:, 1:3]` */
function indexed(input: PythonTensor, dimension: number, index: string): string {
  return `${input.code}[${[...new Array<string>(dimension).fill(':'), index].join(', ')}]`;
}

const slice: Row = (call) => {
  const input = call.tensor(0);
  const dimension = call.dimension(1, 0, input.shape.length);
  const bound = (place: number) => (call.isGiven(place) ? call.setting<number>(place, 0) : undefined);
  const [start, end, step] = [bound(2), bound(3), bound(4)];
  const written = (value: number | undefined) => (value === undefined ? '' : hole('place', value));
  const range = `${start === 0 ? '' : written(start)}:${written(end)}`;
  return indexed(input, dimension, step === undefined || step === 1 ? range : `${range}:${step}`);
};

const narrow: Row = (call) =>
  `${call.tensor(0).code}.narrow(${call.setting(1, 0)}, ${hole('start', call.setting(2, 0))}, ${hole('length', call.setting(3, 0))})`;

const select: Row = (call) => {
  const input = call.tensor(0);
  return indexed(input, call.dimension(1, 0, input.shape.length), hole('place', call.setting(2, 0)));
};

const pad: Row = (call) => {
  const value = call.setting(2, 0);
  const widths = `(${counted(call.list(1) ?? [])})`;
  return `F.pad(${call.tensor(0).code}, ${widths}${value === 0 ? '' : `, value=${number(value)}`})`;
};

const interpolate =
  (mode: string, scales: number, corners?: number): Row =>
  (call) => {
    const factors = call.list(scales);
    call.ignore(1);
    const size =
      factors === undefined
        ? `size=(${call
            .fixed(call.shape, 2)
            .map((length) => hole('size', length))
            .join(', ')})`
        : `scale_factor=(${factors.map(number).join(', ')})`;
    const align = corners === undefined ? '' : `, align_corners=${boolean(call.setting(corners, false))}`;
    return `F.interpolate(${call.tensor(0).code}, ${size}, mode='${mode}'${align})`;
  };

const batchNorm: Row = (call) => {
  call.ignore(8);
  const [weight, bias, mean, variance] = [1, 2, 3, 4].map((place) => literal(call.optionalTensor(place)));
  // Without running statistics, evaluation normalises by the batch as well.
  const usesBatch = call.setting(5, false) ? 'True' : 'self.training';
  const rest = `${number(call.setting(6, 0.1))}, ${number(call.setting(7, 1e-5))}`;
  return `F.batch_norm(${call.tensor(0).code}, ${mean}, ${variance}, ${weight}, ${bias}, ${usesBatch}, ${rest})`;
};

const dropout: Row = (call) => {
  if (call.setting(2, false)) throw call.error('it drops values though the network is not training');
  return `F.dropout(${call.tensor(0).code}, ${number(call.setting(1, 0.5))}, self.training)`;
};

const embedding: Row = (call) => {
  call.ignore(2, 3, 4);
  return `F.embedding(${call.tensor(1).code}, ${call.tensor(0).code})`;
};

/** addmm and baddbmm, whose factors are keywords in Python. */
const addProduct: Row = (call, name) => {
  const [added, left, right] = [call.tensor(0).code, call.tensor(1).code, call.tensor(2).code];
  const factor = (word: string, place: number) => {
    const value = call.setting(place, 1);
    return value === 1 ? '' : `, ${word}=${number(value)}`;
  };
  return `torch.${name}(${added}, ${left}, ${right}${factor('beta', 3)}${factor('alpha', 4)})`;
};

/** Element types as libtorch numbers them (`c10/core/ScalarType.h`). */
const DTYPES: Readonly<Record<number, string>> = {
  0: 'uint8',
  1: 'int8',
  2: 'int16',
  3: 'int32',
  4: 'int64',
  5: 'float16',
  6: 'float32',
  7: 'float64',
  11: 'bool',
  15: 'bfloat16',
};

/** `x.new_ones(2, 3)`: on the device of a tensor, and of its type unless another is asked for. */
const madeLike: Row = (call, name) => {
  call.ignore(3, 4, 5);
  const type = call.isGiven(2) ? `, dtype=torch.${DTYPES[call.setting(2, 6)]}` : '';
  return `${call.tensor(0).code}.${name}(${counted(call.list(1) ?? [])}${type})`;
};

const gelu: Row = (call) => {
  const approximation = call.setting(1, 'none');
  return `F.gelu(${call.tensor(0).code}${approximation === 'none' ? '' : `, approximate='${approximation}'`})`;
};

const MEMORY_FORMATS = ['torch.contiguous_format', 'torch.preserve_format', 'torch.channels_last'];

/** A copy in the memory format that stands at a place. */
const inMemoryFormat =
  (place: number, name: string): Row =>
  (call) => {
    const format = call.isGiven(place) ? `memory_format=${MEMORY_FORMATS[call.setting(place, 0)]}` : '';
    return `${call.tensor(0).code}.${name}(${format})`;
  };

/** A copy, perhaps of another element type. */
const copy: Row = (call, name) => {
  if (!call.isGiven(1)) return inMemoryFormat(6, 'clone')(call, name);
  const format = call.isGiven(6) ? `, memory_format=${MEMORY_FORMATS[call.setting(6, 0)]}` : '';
  return `${call.tensor(0).code}.to(torch.${DTYPES[call.setting(1, 6)]}${format})`;
};

const joined =
  (name: string): Row =>
  (call) => {
    const list = call.tensors(0).map(({ code }) => code);
    return `${name}([${list.join(', ')}], ${call.setting(1, 0)})`;
  };

/** Methods by the number of arguments that they take, the tensor itself among them. */
const methods: readonly (readonly string[])[] = [
  [],
  'abs cos exp floor log log1p reciprocal relu relu_ round rsqrt sigmoid sign sin sqrt square t tanh'.split(
    ' ',
  ),
  [
    ...'bmm clamp_max clamp_min cumsum div_ eq flip ge gt le log_softmax lt maximum minimum mul_ ne'.split(
      ' ',
    ),
    ...'permute pow softmax squeeze tril triu unbind unsqueeze'.split(' '),
  ],
  [
    ...'amax amin chunk clamp flatten index_select lerp logsumexp masked_fill mean split'.split(' '),
    ...'split_with_sizes sum transpose'.split(' '),
  ],
];

/** How each operator of libtorch is written in Python. */
export const pytorchOperators: ReadonlyMap<string, Row> = new Map<string, Row>([
  ...methods.flatMap((names, places) => names.map((name): [string, Row] => [name, method(places)])),
  ['_to_copy', copy],
  ['adaptive_avg_pool2d', functional(2, 'F.adaptive_avg_pool2d')],
  ['add', weighted('+')],
  ['add_', weightedInPlace],
  ['addmm', addProduct],
  ['avg_pool2d', functional(7, 'F.avg_pool2d')],
  ['baddbmm', addProduct],
  ['batch_norm', batchNorm],
  ['cat', joined('torch.cat')],
  ['clone', inMemoryFormat(1, 'clone')],
  ['constant_pad_nd', pad],
  ['contiguous', inMemoryFormat(1, 'contiguous')],
  ['conv1d', functional(7, 'F.conv1d')],
  ['conv2d', functional(7, 'F.conv2d')],
  ['conv_transpose2d', functional(8, 'F.conv_transpose2d')],
  ['div', infix('/')],
  ['dropout', dropout],
  ['elu', functional(2, 'F.elu')],
  ['embedding', embedding],
  ['expand', expand],
  ['gelu', gelu],
  ['group_norm', functional(5, 'F.group_norm', 5)],
  ['hardsigmoid', functional(1, 'F.hardsigmoid')],
  ['hardswish', functional(1, 'F.hardswish')],
  ['hardtanh', functional(3, 'F.hardtanh')],
  ['layer_norm', functional(5, 'F.layer_norm', 5)],
  ['leaky_relu', functional(2, 'F.leaky_relu')],
  ['linear', functional(3, 'F.linear')],
  ['log_sigmoid', functional(1, 'F.logsigmoid')],
  ['lstm_cell', functional(6, 'torch.lstm_cell')],
  ['matmul', infix('@')],
  ['max_pool2d', functional(6, 'F.max_pool2d')],
  ['mm', infix('@')],
  ['mul', infix('*')],
  ['narrow', narrow],
  ['neg', (call) => `-${call.tensor(0).code}`],
  ['new_ones', madeLike],
  ['new_zeros', madeLike],
  ['ones_like', functional(1, 'torch.ones_like')],
  ['reshape', reshape],
  ['select', select],
  ['silu', functional(1, 'F.silu')],
  ['slice', slice],
  ['softplus', functional(3, 'F.softplus')],
  ['stack', joined('torch.stack')],
  ['sub', weighted('-')],
  ['sub_', weightedInPlace],
  ['upsample_bilinear2d', interpolate('bilinear', 3, 2)],
  ['upsample_nearest2d', interpolate('nearest', 2)],
  ['view', reshape],
  ['where', functional(3, 'torch.where')],
  ['zeros_like', functional(1, 'torch.zeros_like')],
]);
