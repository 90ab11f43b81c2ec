import {
  type Dtype,
  type nn,
  noGrad,
  observeOperators,
  scope,
  Tensor,
  type TypedArray,
  zeros,
} from '@espalier/torch';
import type { InputShape } from '../space/space.js';
import type { LanguageModel } from './language-model.js';
import type { Network } from './network.js';

/** A tensor among the arguments of an operator, by where it comes from. */
export type TracedTensor =
  /** What the network was given, by its name. */
  | { readonly from: 'input'; readonly name: string }
  /** The result at a place of those of an earlier call. */
  | { readonly from: 'call'; readonly call: number; readonly result: number }
  /** A parameter or buffer. */
  | { readonly from: 'state'; readonly name: string; readonly shape: readonly number[] }
  /** Made without an operator, from numbers of the program. */
  | {
      readonly from: 'constant';
      readonly dtype: Dtype;
      readonly values: TypedArray;
      readonly shape: readonly number[];
    };

/** One operator that a network called on its way from its inputs to its outputs. */
export interface OperatorCall {
  /** `aten::conv2d` */
  readonly operator: string;
  /** The module in whose `forward` it was called, as `stateDict` would name it; '' is the network itself. */
  readonly module: string;
  /** All arguments in the order of the operator's schema, as it was given them; tensors as what they are. */
  readonly args: readonly unknown[];
  /** The shapes of all its results. */
  readonly shapes: readonly (readonly number[])[];
}

/** What a network does. */
export interface OperatorTrace {
  readonly calls: readonly OperatorCall[];
  /** What it returned, by its name. */
  readonly outputs: Readonly<Record<string, TracedTensor>>;
}

const isTraced = (argument: unknown): argument is TracedTensor =>
  typeof argument === 'object' && argument !== null && 'from' in argument;

/** The tensors among a call's arguments, in their order. */
export function tensorsOf({ args }: OperatorCall): readonly TracedTensor[] {
  return args.flat().filter(isTraced);
}

/**
 * Runs a network once, as it evaluates, and writes down every operator it calls. Whatever a network is made of, this
 * is what it does: multiply-adds, drawings and exports are read off it.
 *
 * @param begin the inputs, by their names
 * @param run what the network makes of them, by name
 */
export function traceOperators<Name extends string>(
  network: nn.Module,
  begin: () => Readonly<Record<Name, Tensor>>,
  run: (inputs: Readonly<Record<Name, Tensor>>) => Readonly<Record<string, Tensor>>,
): OperatorTrace {
  const calls: OperatorCall[] = [];
  const state = new Map(
    [...network.stateDict()].map(([name, { handle, shape }]) => [handle, { name, shape }]),
  );
  const record = (): OperatorTrace => {
    const inputs = begin();
    /** Where the tensor of a handle comes from. A scope never gives a handle twice. */
    const makers = new Map<number, TracedTensor>(
      Object.entries<Tensor>(inputs).map(([name, { handle }]) => [handle, { from: 'input', name }]),
    );
    const traced = (argument: unknown): unknown => {
      if (Array.isArray(argument)) return argument.map(traced);
      // Handles are numbers above 2^32, larger than any size or setting that an operator is given.
      if (typeof argument !== 'number' || !(argument > 2 ** 32)) return argument;
      const maker = makers.get(argument);
      if (maker !== undefined) return maker;
      const known = state.get(argument);
      if (known !== undefined) return { from: 'state', ...known };
      const tensor = new Tensor(argument);
      if (!tensor.isLive) return argument;
      const { dtype, shape } = tensor;
      return { from: 'constant', dtype, values: tensor.toTypedArray(), shape };
    };
    const modules: string[] = [''];
    const unwatch = watchModules(network, modules);
    try {
      const outputs = observeOperators(
        ({ name }, args, result) => {
          const given = args.map(traced);
          // An operator in place has no result of its own: its first argument is another tensor from then on.
          const results = (Array.isArray(result) ? result : [result ?? args[0]]) as number[];
          for (const [result, handle] of results.entries())
            makers.set(handle, { from: 'call', call: calls.length, result });
          calls.push({
            operator: name,
            module: modules.at(-1) as string,
            args: given,
            shapes: results.map((handle) => new Tensor(handle).shape),
          });
        },
        () => run(inputs),
      );
      const named = Object.entries(outputs).map(([name, { handle }]) => [name, traced(handle)]);
      return { calls, outputs: Object.fromEntries(named) };
    } finally {
      unwatch();
    }
  };
  const { training } = network;
  try {
    network.eval();
    return scope(() => noGrad(record));
  } finally {
    network.train(training);
  }
}

/** Puts the name of the module whose `forward` runs on top of `stack`, until the returned function is called. */
function watchModules(network: nn.Module, stack: string[]): () => void {
  const watched: nn.Module[] = [];
  const watch = (module: nn.Module, name: string): void => {
    for (const [child, part] of module.children()) watch(part, name === '' ? child : `${name}.${child}`);
    const forward: unknown = Reflect.get(module, 'forward');
    if (typeof forward !== 'function' || Object.hasOwn(module, 'forward')) return;
    Reflect.set(module, 'forward', (...args: unknown[]) => {
      stack.push(name);
      try {
        return forward.apply(module, args);
      } finally {
        stack.pop();
      }
    });
    watched.push(module);
  };
  watch(network, '');
  return () => {
    for (const module of watched) Reflect.deleteProperty(module, 'forward');
  };
}

/** Of a classifier: from `image`, a batch of zeros, to `logits`. */
export function traceClassifier(network: Network, input: InputShape, batch = 1): OperatorTrace {
  const device = network.parameters()[0]?.device;
  const { channels, height, width } = input;
  return traceOperators(
    network,
    () => ({ image: zeros([batch, channels, height, width], { dtype: 'float32', device }) }),
    ({ image }) => ({ logits: network.forward(image) }),
  );
}

/**
 * Of a language model: one token of each text, from `tokens` [1, batch] and the state before it, `state.0`, ..., to
 * `logProbabilities` [1, batch, V] and the state after it, `next.0`, ....
 */
export function traceLanguageModel(model: LanguageModel, batch = 1): OperatorTrace {
  const device = model.parameters()[0]?.device;
  const numbered = (name: string, tensors: readonly Tensor[]) =>
    Object.fromEntries(tensors.map((tensor, index) => [`${name}.${index}`, tensor]));
  return traceOperators<string>(
    model,
    () => ({
      tokens: zeros([1, batch], { dtype: 'int64', device }),
      ...numbered('state', model.initialState(batch)),
    }),
    ({ tokens, ...before }) => {
      const { logProbabilities, state } = model.forward(tokens as Tensor, Object.values(before));
      return { logProbabilities, ...numbered('next', state) };
    },
  );
}
