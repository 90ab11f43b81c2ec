import type { GraphEdge, GraphNode, NetworkGraph, NodeKind } from '../drawing/graph.js';
import { type OperatorCall, type TracedTensor, tensorsOf } from './operator-trace.js';

interface Unit {
  readonly kind: NodeKind;
  readonly label: string;
  readonly details: string[];
  /** The shape of the result: [channels, height, width] or [features]. */
  shape: readonly number[];
}

/** The unit that produced the values of a tensor. */
interface Origin {
  readonly unit: number;
  /** What happened to the result since, such as padding. */
  readonly note: string;
  /** Whether another operator also reads the result, or a tensor derived from it since. */
  readonly shared: boolean;
}

/** Operators that change the shape or layout of a tensor but not its values. */
const RESHAPES = new Set([
  'flatten',
  'view',
  'reshape',
  'contiguous',
  'dropout',
  'clone',
  'permute',
  'squeeze',
  'unsqueeze',
]);
/** Operators that are drawn as part of the layer before them, with the name that the picture uses. */
const FOLLOWERS = new Map([
  ['batch_norm', 'batch norm'],
  ['layer_norm', 'layer norm'],
  ['group_norm', 'group norm'],
  ['relu', 'ReLU'],
  ['leaky_relu', 'leaky ReLU'],
  ['gelu', 'GELU'],
  ['silu', 'SiLU'],
  ['hardswish', 'hard swish'],
  ['sigmoid', 'sigmoid'],
  ['hardsigmoid', 'hard sigmoid'],
  ['tanh', 'tanh'],
]);

/** The name of an operator without namespace and in-place suffix: `aten::add_` becomes `add`. */
const bare = (operator: string) => operator.replace(/^aten::|_$/g, '');

/**
 * Builds the graph of a network for drawing. Each layer, with its normalisation and activation, is a node. An edge joins
 * two layers if one reads the other. Concatenation is drawn as several edges into the layer that reads it.
 */
export function networkGraph(
  calls: readonly OperatorCall[],
  { label, shape }: { readonly label: string; readonly shape: readonly number[] },
  title: string,
): NetworkGraph {
  const units: Unit[] = [{ kind: 'input', label, details: [], shape }];
  const edges = new Map<string, GraphEdge>();
  const readers = new Map<number, number>();
  for (const call of calls) for (const read of readsOf(call)) readers.set(read, (readers.get(read) ?? 0) + 1);
  const origins = new Map<number, readonly Origin[]>([[INPUT, [{ unit: 0, note: '', shared: false }]]]);
  /** The units of modules that are drawn as a single node, by the run of the module. */
  const wholes = new Map<number, number>();
  const addEdges = (from: readonly Origin[], to: number): void => {
    for (const { unit, note } of from) {
      if (unit === to) continue;
      const edge: GraphEdge = {
        from: `n${unit}`,
        to: `n${to}`,
        kind: unit === to - 1 ? 'flow' : 'skip',
        ...(note === '' ? {} : { label: note }),
      };
      edges.set(`${edge.from} ${edge.to}`, edge);
    }
  };

  for (const [place, call] of calls.entries()) {
    const name = bare(call.operator);
    const from = readsOf(call).flatMap((read) =>
      (origins.get(read) ?? []).map((origin) => ({
        ...origin,
        shared: origin.shared || readers.get(read) !== 1,
      })),
    );
    const shape = firstShape(call).slice(1);
    if (call.whole !== undefined) {
      const { drawnAs, run } = call.whole;
      const index = wholes.get(run) ?? units.length;
      wholes.set(run, index);
      units[index] = { kind: 'operation', label: drawnAs, details: [], shape };
      addEdges(from, index);
      origins.set(place, [{ unit: index, note: '', shared: false }]);
      continue;
    }
    if (RESHAPES.has(name) || name === 'cat') {
      origins.set(place, from);
      continue;
    }
    if (name === 'constant_pad_nd') {
      origins.set(
        place,
        from.map((origin) => ({ ...origin, note: `padded to ${shape.slice(1).join(' x ')}` })),
      );
      continue;
    }
    const follower = FOLLOWERS.get(name);
    const [only] = from;
    const producer = only === undefined ? undefined : units[only.unit];
    if (
      follower !== undefined &&
      from.length === 1 &&
      only?.shared === false &&
      producer !== undefined &&
      producer.kind !== 'input'
    ) {
      producer.details.push(follower);
      producer.shape = shape;
      origins.set(place, from);
      continue;
    }
    const index = units.length;
    units.push({ ...describe(name, call), shape });
    addEdges(from, index);
    origins.set(place, [{ unit: index, note: '', shared: false }]);
  }
  return {
    title,
    nodes: units.map(({ kind, label, details, shape }, index): GraphNode => {
      const lines = [...(details.length > 0 ? [details.join(', ')] : []), shape.join(' x ')];
      return { id: `n${index}`, kind, label, details: lines };
    }),
    edges: [...edges.values()],
  };
}

/** The index that stands for the network's input among the calls. */
const INPUT = -1;

/** The indices of the calls whose results a call reads. */
const readsOf = (call: OperatorCall): readonly number[] =>
  tensorsOf(call).flatMap((tensor) =>
    tensor.from === 'call' ? [tensor.call] : tensor.from === 'input' ? [INPUT] : [],
  );

const firstShape = ({ shapes }: OperatorCall) => shapes[0] as readonly number[];

const isState = (tensor: TracedTensor) => tensor.from === 'state';

const counted = (count: number | undefined, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function describe(name: string, call: OperatorCall): Omit<Unit, 'shape'> {
  const shape = firstShape(call);
  const pair = (place: number) => call.args[place] as readonly number[] | number | undefined;
  const text = (value: readonly number[] | number | undefined) =>
    typeof value === 'number' ? `${value}x${value}` : value?.join('x');
  const convolution = (kind: string): Omit<Unit, 'shape'> => {
    const [, , height, width] = tensorsOf(call).find(isState)?.shape ?? [];
    const stride = text(pair(3));
    return {
      kind: 'convolution',
      label: `${height}x${width} ${kind}, ${counted(shape[1], 'filter')}`,
      details: stride === undefined || stride === '1x1' ? [] : [`stride ${stride}`],
    };
  };
  switch (name) {
    case 'conv2d':
      return convolution('convolution');
    case 'conv_transpose2d':
      return convolution('transposed convolution');
    case 'max_pool2d':
      return { kind: 'pool', label: `${text(pair(1))} max pooling`, details: [] };
    case 'avg_pool2d':
      return { kind: 'pool', label: `${text(pair(1))} average pooling`, details: [] };
    case 'adaptive_avg_pool2d':
      return { kind: 'pool', label: 'global average pooling', details: [] };
    case 'linear':
      return { kind: 'linear', label: `linear, ${counted(shape[1], 'output')}`, details: [] };
    case 'add':
    case 'mul':
      return { kind: 'merge', label: name === 'add' ? 'sum' : 'product', details: [] };
    default:
      return { kind: 'operation', label: name.replaceAll('_', ' ').trim(), details: [] };
  }
}
