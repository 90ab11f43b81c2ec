import type { TracedTensor } from '../networks/operator-trace.js';
import { type BatchedCall, bareName, type Shape } from './exported-trace.js';
import { boolean, hole, number, sizes } from './python-code.js';

/** A module that calls one operator, on its way to a layer of `torch.nn`. */
interface LayerCall {
  readonly args: readonly unknown[];
  /** Of what the layer reads. */
  readonly input: Shape;
  /** The shape of its own tensor of a name. */
  state(name: string): readonly number[] | undefined;
}

interface LayerRow {
  /** The place of what it reads. */
  readonly input: number;
  /** Its own tensors, by their places. */
  readonly state: Readonly<Record<number, string>>;
  /** The constructor's call; nothing where the layer cannot do what is asked for. */
  readonly write: (call: LayerCall) => string | undefined;
}

const keywords = (given: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(given)
    .map(([name, value]) => (value === undefined ? '' : `, ${name}=${value}`))
    .join('');

/** Two sizes, of which libtorch takes one for both. */
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
  // PyTorch's layers have both of a pair, and count where they keep statistics.
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
  ['dropout', { input: 0, state: {}, write: ({ args }) => `nn.Dropout(${number(args[1] as number)})` }],
  ['embedding', { input: 1, state: { 0: 'weight' }, write: embedding }],
  [
    'flatten',
    {
      input: 0,
      state: {},
      write: ({ args }) => (args[1] === 1 && args[2] === undefined ? 'nn.Flatten()' : undefined),
    },
  ],
  ['gelu', plain('GELU')],
  ['hardswish', plain('Hardswish')],
  ['linear', { input: 0, state: { 1: 'weight', 2: 'bias' }, write: linear }],
  ['max_pool2d', { input: 0, state: {}, write: maxPool2d }],
  ['relu', plain('ReLU')],
  ['sigmoid', plain('Sigmoid')],
  ['silu', plain('SiLU')],
  ['tanh', plain('Tanh')],
]);

/** A buffer that a batch norm has and its operator does not read. */
const COUNTER = 'num_batches_tracked';

/**
 * The layer of `torch.nn` that does what a module of one call does, and has the same tensors under the same names.
 *
 * @param own the module's tensors, by name
 * @param nameOf the module's own name of a tensor; undefined for another module's
 * @param shapeOf of what the call reads
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
