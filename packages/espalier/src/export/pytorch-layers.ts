import type { TracedTensor } from '../networks/operator-trace.js';
import { type BatchedCall, bareName, type Shape } from './exported-trace.js';
import { boolean, hole, number, sizes } from './python-code.js';

/** The only call of a module that may become a layer of `torch.nn`. */
interface LayerCall {
  readonly args: readonly unknown[];
  /** The shape of what the layer reads. */
  readonly input: Shape;
  /** The shape of the module's own tensor of a name. */
  state(name: string): readonly number[] | undefined;
}

interface LayerRow {
  /** The place of what the layer reads among the arguments. */
  readonly input: number;
  /** The names of the module's own tensors, by their places among the arguments. */
  readonly state: Readonly<Record<number, string>>;
  /** The call of the layer's constructor; undefined where the layer cannot do the same as the operator. */
  readonly write: (call: LayerCall) => string | undefined;
}

const keywords = (given: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(given)
    .map(([name, value]) => (value === undefined ? '' : `, ${name}=${value}`))
    .join('');

/** Two sizes; libtorch takes one for both as well. */
const pair = (value: unknown, missing: readonly number[] = [1, 1]): readonly number[] => {
  const list = Array.isArray(value) ? (value as number[]) : value === undefined ? [] : [value as number];
  return list.length === 0 ? missing : list.length === 1 ? [list[0] as number, list[0] as number] : list;
};

const conv2d: LayerRow['write'] = ({ args, state }) => {
  const [outputs, each, ...kernel] = state('weight') as readonly [number, number, ...number[]];
  const groups = (args[6] as number | undefined) ?? 1;
  const [stride, padding, dilation] = [pair(args[3]), pair(args[4], [0, 0]), pair(args[5])];
  const channels = `${hole('inputs', each * groups)}, ${hole('outputs', outputs)}, ${hole('kernel', sizes(kernel))}`;
  return `nn.Conv2d(${channels}${keywords({
    stride: hole('stride', sizes(stride)),
    padding: hole('padding', sizes(padding)),
    dilation: dilation.every((step) => step === 1) ? undefined : hole('dilation', sizes(dilation)),
    groups: groups === 1 ? undefined : hole('groups', groups),
    bias: state('bias') === undefined ? 'False' : undefined,
  })})`;
};

const linear: LayerRow['write'] = ({ state }) => {
  const [outputs, inputs] = state('weight') as readonly [number, number];
  const bias = state('bias') === undefined ? 'False' : undefined;
  return `nn.Linear(${hole('inputs', inputs)}, ${hole('outputs', outputs)}${keywords({ bias })})`;
};

const batchNorm: LayerRow['write'] = ({ args, input, state }) => {
  const dimensions = { 2: '1d', 3: '1d', 4: '2d' }[input.length];
  const [own, running] = [state('weight'), state('running_mean')];
  const counts = state('num_batches_tracked') !== undefined;
  // PyTorch's layer has both tensors of a pair or neither, and it counts batches where it keeps statistics.
  if (dimensions === undefined || (own === undefined) !== (state('bias') === undefined)) return undefined;
  if ((running !== undefined) !== counts || (running === undefined) !== (state('running_var') === undefined))
    return undefined;
  const [momentum, epsilon] = [args[6] as number, args[7] as number];
  return `nn.BatchNorm${dimensions}(${hole('channels', input[1] as number)}${keywords({
    eps: epsilon === 1e-5 ? undefined : number(epsilon),
    momentum: momentum === 0.1 ? undefined : number(momentum),
    affine: own === undefined ? 'False' : undefined,
    track_running_stats: running === undefined ? 'False' : undefined,
  })})`;
};

const embedding: LayerRow['write'] = ({ state }) => {
  const [count, dimensions] = state('weight') as readonly [number, number];
  return `nn.Embedding(${hole('vocabulary', count)}, ${hole('units', dimensions)})`;
};

const window = (args: readonly unknown[]): string => {
  const kernel = pair(args[1]);
  return `${hole('kernel', sizes(kernel))}${keywords({
    stride: hole('stride', sizes(pair(args[2], kernel))),
    padding: hole('padding', sizes(pair(args[3], [0, 0]))),
  })}`;
};

const maxPool2d: LayerRow['write'] = ({ args }) => {
  const dilation = pair(args[4]);
  return `nn.MaxPool2d(${window(args)}${keywords({
    dilation: dilation.every((step) => step === 1) ? undefined : sizes(dilation),
    ceil_mode: args[5] === true ? 'True' : undefined,
  })})`;
};

const avgPool2d: LayerRow['write'] = ({ args }) =>
  `nn.AvgPool2d(${window(args)}${keywords({
    ceil_mode: args[4] === true ? 'True' : undefined,
    count_include_pad: args[5] === undefined ? undefined : boolean(args[5] as boolean),
    divisor_override: args[6] === undefined ? undefined : number(args[6] as number),
  })})`;

const convTranspose2d: LayerRow['write'] = ({ args, state }) => {
  const [inputs, each, ...kernel] = state('weight') as readonly [number, number, ...number[]];
  const groups = (args[6] as number | undefined) ?? 1;
  const [stride, padding, added, dilation] = [
    pair(args[3]),
    pair(args[4], [0, 0]),
    pair(args[5], [0, 0]),
    pair(args[7]),
  ];
  const channels = `${hole('inputs', inputs)}, ${hole('outputs', each * groups)}, ${hole('kernel', sizes(kernel))}`;
  return `nn.ConvTranspose2d(${channels}${keywords({
    stride: hole('stride', sizes(stride)),
    padding: hole('padding', sizes(padding)),
    output_padding: added.every((size) => size === 0) ? undefined : hole('added', sizes(added)),
    groups: groups === 1 ? undefined : hole('groups', groups),
    bias: state('bias') === undefined ? 'False' : undefined,
    dilation: dilation.every((step) => step === 1) ? undefined : hole('dilation', sizes(dilation)),
  })})`;
};

const epsilon = (value: unknown): string | undefined =>
  value === undefined || value === 1e-5 ? undefined : number(value as number);

/** PyTorch 1.13's layers that scale also shift. */
const isHalfAffine = ({ state }: LayerCall): boolean =>
  (state('weight') === undefined) !== (state('bias') === undefined);

const layerNorm: LayerRow['write'] = (call) => {
  if (isHalfAffine(call)) return undefined;
  const shape = call.args[1] as readonly number[];
  const size = shape.length === 1 ? String(shape[0]) : `(${shape.join(', ')})`;
  return `nn.LayerNorm(${hole('shape', size)}${keywords({
    eps: epsilon(call.args[4]),
    elementwise_affine: call.state('weight') === undefined ? 'False' : undefined,
  })})`;
};

const groupNorm: LayerRow['write'] = (call) => {
  if (isHalfAffine(call)) return undefined;
  const { args, input, state } = call;
  return `nn.GroupNorm(${hole('groups', args[1] as number)}, ${hole('channels', input[1] as number)}${keywords(
    {
      eps: epsilon(args[4]),
      affine: state('weight') === undefined ? 'False' : undefined,
    },
  )})`;
};

const upsample =
  (mode: string, scales: number, corners?: number): LayerRow['write'] =>
  ({ args }) => {
    const [size, factors] = [args[1], args[scales]] as (readonly number[] | undefined)[];
    const target =
      factors === undefined
        ? `size=${hole('size', `(${size?.join(', ')})`)}`
        : `scale_factor=(${factors.map(number).join(', ')})`;
    const align =
      corners === undefined ? undefined : boolean((args[corners] as boolean | undefined) ?? false);
    return `nn.Upsample(${target}, mode='${mode}'${keywords({ align_corners: align })})`;
  };

const gelu: LayerRow['write'] = ({ args }) => {
  const approximation = (args[1] as string | undefined) ?? 'none';
  return approximation === 'none' ? 'nn.GELU()' : `nn.GELU(approximate='${approximation}')`;
};

const hardtanh: LayerRow['write'] = ({ args }) => {
  const [least, most] = [(args[1] as number | undefined) ?? -1, (args[2] as number | undefined) ?? 1];
  return least === 0 && most === 6 ? 'nn.ReLU6()' : `nn.Hardtanh(${number(least)}, ${number(most)})`;
};

const softmax: LayerRow['write'] = ({ args }) =>
  args[2] === undefined ? `nn.Softmax(dim=${number(args[1] as number)})` : undefined;

/** A layer with one number, which PyTorch has a default for. */
const withNumber =
  (layer: string): LayerRow['write'] =>
  ({ args }) =>
    args.length > 2 && args.slice(2).some((argument) => argument !== undefined)
      ? undefined
      : `nn.${layer}(${args[1] === undefined ? '' : number(args[1] as number)})`;

const plain = (layer: string): LayerRow => ({
  input: 0,
  state: {},
  write: ({ args }) =>
    args.slice(1).every((argument) => argument === undefined) ? `nn.${layer}()` : undefined,
});

const rows: ReadonlyMap<string, LayerRow> = new Map<string, LayerRow>([
  [
    'adaptive_avg_pool2d',
    { input: 0, state: {}, write: ({ args }) => `nn.AdaptiveAvgPool2d(${sizes(pair(args[1]))})` },
  ],
  ['avg_pool2d', { input: 0, state: {}, write: avgPool2d }],
  [
    'batch_norm',
    { input: 0, state: { 1: 'weight', 2: 'bias', 3: 'running_mean', 4: 'running_var' }, write: batchNorm },
  ],
  ['conv2d', { input: 0, state: { 1: 'weight', 2: 'bias' }, write: conv2d }],
  ['conv_transpose2d', { input: 0, state: { 1: 'weight', 2: 'bias' }, write: convTranspose2d }],
  ['dropout', { input: 0, state: {}, write: ({ args }) => `nn.Dropout(${number(args[1] as number)})` }],
  ['elu', { input: 0, state: {}, write: withNumber('ELU') }],
  ['embedding', { input: 1, state: { 0: 'weight' }, write: embedding }],
  [
    'flatten',
    {
      input: 0,
      state: {},
      write: ({ args }) => (args[1] === 1 && args[2] === undefined ? 'nn.Flatten()' : undefined),
    },
  ],
  ['gelu', { input: 0, state: {}, write: gelu }],
  ['group_norm', { input: 0, state: { 2: 'weight', 3: 'bias' }, write: groupNorm }],
  ['hardsigmoid', plain('Hardsigmoid')],
  ['hardswish', plain('Hardswish')],
  ['hardtanh', { input: 0, state: {}, write: hardtanh }],
  ['layer_norm', { input: 0, state: { 2: 'weight', 3: 'bias' }, write: layerNorm }],
  ['leaky_relu', { input: 0, state: {}, write: withNumber('LeakyReLU') }],
  ['linear', { input: 0, state: { 1: 'weight', 2: 'bias' }, write: linear }],
  ['max_pool2d', { input: 0, state: {}, write: maxPool2d }],
  ['relu', plain('ReLU')],
  ['sigmoid', plain('Sigmoid')],
  ['silu', plain('SiLU')],
  ['softmax', { input: 0, state: {}, write: softmax }],
  ['tanh', plain('Tanh')],
  ['upsample_bilinear2d', { input: 0, state: {}, write: upsample('bilinear', 3, 2) }],
  ['upsample_nearest2d', { input: 0, state: {}, write: upsample('nearest', 2) }],
]);

/** A buffer of batch norm layers that the operator does not read. */
const COUNTER = 'num_batches_tracked';

/**
 * The layer of `torch.nn` that does the same as a module with a single call and has the same tensors under the same
 * names; undefined where there is none.
 *
 * @param own the module's tensors, by name
 * @param nameOf the module's own name for a tensor; undefined for another module's tensor
 * @param shapeOf the shape of a tensor that the call reads
 */
export function pytorchLayer(
  { call, batchDependent }: BatchedCall,
  own: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  nameOf: (tensor: TracedTensor) => string | undefined,
  shapeOf: (tensor: TracedTensor) => Shape,
): string | undefined {
  const name = call.operator.replace('aten::', '');
  const row = rows.get(name);
  if (row === undefined || name !== bareName(call.operator) || batchDependent.size > 0) return undefined;
  const expected = new Set(own.keys());
  if (name === 'batch_norm') expected.delete(COUNTER);
  for (const [place, wanted] of Object.entries(row.state)) {
    const tensor = (call.args[Number(place)] ?? undefined) as TracedTensor | undefined;
    if (tensor === undefined) continue;
    if (nameOf(tensor) !== wanted) return undefined;
    expected.delete(wanted);
  }
  if (expected.size > 0) return undefined;
  const args = call.args.map((argument) => argument ?? undefined);
  return row.write({
    args,
    input: shapeOf(args[row.input] as TracedTensor),
    state: (key) => own.get(key)?.shape,
  });
}
