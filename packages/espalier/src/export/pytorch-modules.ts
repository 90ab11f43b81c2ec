import type { nn, Tensor } from '@espalier/torch';
import { type TracedTensor, tensorsOf } from '../networks/operator-trace.js';
import type { BatchedTrace } from './exported-trace.js';

/** A module of the Python program: one of the network's, or what only holds others (`cells` of `cells.0`). */
export interface ModuleNode {
  /** As the state names it; '' is the network. */
  readonly path: string;
  readonly children: ReadonlyMap<string, ModuleNode>;
  /** Its own parameters and buffers, by their last names. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** The network's own module; undefined for what only holds others. */
  readonly module: nn.Module | undefined;
  /** The stretches of calls that are its own and its children's. */
  readonly segments: readonly Segment[];
}

/** A stretch of calls that one call of a Python method makes. */
export interface Segment {
  readonly node: ModuleNode;
  /** Calls by their numbers, and the stretches of children. */
  readonly steps: readonly (number | Segment)[];
  /** What it reads that it neither makes nor has, in the order of the first use. */
  readonly inputs: readonly TracedTensor[];
  /** Which of its results are read after it. */
  readonly outputs: readonly TracedTensor[];
}

/** Whether a module can be called: one without `forward` only holds others, as a list does. */
export const isCallable = (module: nn.Module | undefined): boolean =>
  module !== undefined && typeof Reflect.get(module, 'forward') === 'function';

/** A text that is the same for the same tensor. */
export function keyOf(tensor: TracedTensor): string {
  switch (tensor.from) {
    case 'call':
      return `call ${tensor.call} ${tensor.result}`;
    case 'input':
    case 'state':
      return `${tensor.from} ${tensor.name}`;
    case 'constant':
      throw new Error('a constant is its own');
  }
}

/** A network's modules and what each of them calls. */
export class ModuleTree {
  readonly root: ModuleNode;
  /** The names of each tensor of the state; tied ones have several. */
  readonly #names = new Map<string, readonly string[]>();
  readonly #trace: BatchedTrace;
  readonly #modules = new Map<string, nn.Module>();
  readonly #children = new Map<string, Map<string, ModuleNode>>();
  readonly #nodes = new Map<string, ModuleNode & { segments: Segment[]; state: Map<string, Tensor> }>();
  /** The number of the last call that reads a result; Infinity for what the network returns. */
  readonly #lastReader = new Map<string, number>();

  constructor(network: nn.Module, trace: BatchedTrace) {
    this.#trace = trace;
    this.#walk(network, '');
    const state = network.stateDict();
    const names = new Map<number, string[]>();
    for (const [name, { handle }] of state) {
      const own = names.get(handle) ?? [];
      own.push(name);
      names.set(handle, own);
      this.#names.set(name, own);
    }
    this.root = this.#node('');
    for (const { call } of trace.calls) this.#node(call.module);
    for (const [name, tensor] of state) {
      const dot = name.lastIndexOf('.');
      this.#node(name.slice(0, Math.max(0, dot))).state.set(name.slice(dot + 1), tensor);
    }
    for (const [place, { call }] of trace.calls.entries())
      for (const tensor of tensorsOf(call))
        if (tensor.from === 'call') this.#lastReader.set(keyOf(tensor), place);
    for (const tensor of trace.outputs.values())
      if (tensor.from === 'call') this.#lastReader.set(keyOf(tensor), Number.POSITIVE_INFINITY);
    this.#segment(this.root, 0, trace.calls.length);
  }

  /** All modules. */
  nodes(): Iterable<ModuleNode> {
    return this.#nodes.values();
  }

  /** Names that are one tensor: the first, and the others. */
  *tied(): Generator<readonly [first: string, ...others: string[]]> {
    for (const names of new Set(this.#names.values()))
      if (names.length > 1) yield names as [string, ...string[]];
  }

  /** A tensor's name as seen from a module; undefined where it is neither its own nor its children's. */
  nameIn({ path }: ModuleNode, tensor: TracedTensor): string | undefined {
    if (tensor.from !== 'state') return undefined;
    if (path === '') return tensor.name;
    const name = this.#names.get(tensor.name)?.find((one) => one.startsWith(`${path}.`));
    return name?.slice(path.length + 1);
  }

  #walk(module: nn.Module, path: string): void {
    this.#modules.set(path, module);
    for (const [name, child] of module.children()) this.#walk(child, path === '' ? name : `${path}.${name}`);
  }

  #node(path: string) {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const children = new Map<string, ModuleNode>();
    const node = { path, children, state: new Map(), module: this.#modules.get(path), segments: [] };
    this.#nodes.set(path, node);
    this.#children.set(path, children);
    if (path !== '') {
      const dot = path.lastIndexOf('.');
      const parent = this.#node(path.slice(0, Math.max(0, dot)));
      this.#children.get(parent.path)?.set(path.slice(dot + 1), node);
    }
    return node;
  }

  /** The child of `parent` that calls what the module of a path calls, below all that only hold others. */
  #callee(parent: ModuleNode, path: string): ModuleNode {
    const prefix = parent.path === '' ? '' : `${parent.path}.`;
    const rest = path.slice(prefix.length).split('.');
    for (let count = 1; ; count++) {
      const node = this.#node(prefix + rest.slice(0, count).join('.'));
      if (isCallable(node.module) || count === rest.length) return node;
    }
  }

  #segment(node: ModuleNode, from: number, to: number): Segment {
    const { calls, outputs: returned } = this.#trace;
    const steps: (number | Segment)[] = [];
    const moduleOf = (place: number) => (calls[place] as (typeof calls)[number]).call.module;
    for (let place = from; place < to; ) {
      if (moduleOf(place) === node.path) {
        steps.push(place++);
        continue;
      }
      const child = this.#callee(node, moduleOf(place));
      const isChilds = (path: string) => path === child.path || path.startsWith(`${child.path}.`);
      let end = place + 1;
      while (end < to && isChilds(moduleOf(end))) end++;
      steps.push(this.#segment(child, place, end));
      place = end;
    }
    const inputs = new Map<string, TracedTensor>();
    const outputs: TracedTensor[] = [];
    for (let place = from; place < to; place++) {
      const { call } = calls[place] as (typeof calls)[number];
      for (const tensor of tensorsOf(call)) {
        if (tensor.from === 'constant' || (tensor.from === 'call' && tensor.call >= from)) continue;
        if (this.nameIn(node, tensor) === undefined) inputs.set(keyOf(tensor), tensor);
      }
      for (const result of call.shapes.keys()) {
        const tensor: TracedTensor = { from: 'call', call: place, result };
        if ((this.#lastReader.get(keyOf(tensor)) ?? -1) >= to) outputs.push(tensor);
      }
    }
    const segment: Segment = {
      node,
      steps,
      inputs: [...inputs.values()],
      outputs: node === this.root ? [...returned.values()] : outputs,
    };
    this.#nodes.get(node.path)?.segments.push(segment);
    return segment;
  }
}
