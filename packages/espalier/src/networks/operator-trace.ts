import {
  type Dtype,
  fused,
  nn,
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
  /** The module in whose method (`forward` mostly) it was called, as `stateDict` would name it; '' is the network itself. */
  readonly module: string;
  /** The run of a module with a `drawnAs`, a name under which a picture shows it as a whole, that the call belongs to. */
  readonly whole?: WholeRun;
  /** All arguments in the order of the operator's schema, as it was given them; tensors as what they are. */
  readonly args: readonly unknown[];
  /** The shapes of all its results. */
  readonly shapes: readonly (readonly number[])[];
  /** The memory that each result lies in. */
  readonly memory: readonly Memory[];
}

/** A piece of memory: one object for all that lies in it, as a tensor and its views do. */
export interface Memory {
  readonly bytes: number;
  /** The place of the call that took it; undefined where it was there before, of an input or the state. */
  readonly takenBy?: number;
}

interface WholeRun {
  readonly drawnAs: string;
  /** Counted over the trace. */
  readonly run: number;
}

/** What a network does. */
export interface OperatorTrace {
  /** What it was given, by its name. */
  readonly inputs: Readonly<Record<string, { readonly dtype: Dtype; readonly shape: readonly number[] }>>;
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
 * is what it does: multiply-adds, drawings and exports are read off it. Large results read as zeros, so that it takes
 * hardly more memory than the weights.
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
    /** By its identity, which may be given again once a scope of the network's own has freed it. */
    const memories = new Map<number, { memory: Memory; tensors: Tensor[] }>();
    const memoryOf = (tensor: Tensor, takenBy?: number): Memory => {
      const { identity, bytes } = tensor.storage;
      const known = memories.get(identity);
      if (known?.tensors.some(({ isLive }) => isLive)) {
        known.tensors.push(tensor);
        return known.memory;
      }
      const memory = takenBy === undefined ? { bytes } : { bytes, takenBy };
      memories.set(identity, { memory, tensors: [tensor] });
      return memory;
    };
    for (const tensor of [...Object.values<Tensor>(inputs), ...network.stateDict().values()])
      memoryOf(tensor);
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
      memoryOf(tensor);
      const { dtype, shape } = tensor;
      return { from: 'constant', dtype, values: tensor.toTypedArray(), shape };
    };
    const modules: RunningModule[] = [{ name: '' }];
    const unwatch = watchModules(network, modules);
    try {
      const outputs = observeOperators(
        ({ name }, args, result) => {
          const given = args.map(traced);
          // An operator in place has no result of its own: its first argument is another tensor from then on.
          const results = (Array.isArray(result) ? result : [result ?? args[0]]) as number[];
          for (const [result, handle] of results.entries())
            makers.set(handle, { from: 'call', call: calls.length, result });
          const tensors = results.map((handle) => new Tensor(handle));
          const memory = tensors.map((tensor) => memoryOf(tensor, calls.length));
          calls.push({
            operator: name,
            ...where(modules.at(-1) as RunningModule),
            args: given,
            shapes: tensors.map(({ shape }) => shape),
            memory,
          });
          for (const [place, tensor] of tensors.entries())
            if (isDispensable(tensor, memory[place] as Memory)) tensor.hollow();
        },
        () => run(inputs),
      );
      const given = Object.entries<Tensor>(inputs).map(([name, { dtype, shape }]) => [
        name,
        { dtype, shape },
      ]);
      const named = Object.entries(outputs).map(([name, { handle }]) => [name, traced(handle)]);
      return { inputs: Object.fromEntries(given), calls, outputs: Object.fromEntries(named) };
    } finally {
      unwatch();
    }
  };
  const { training } = network;
  try {
    network.eval();
    // What other programs know are libtorch's own operators.
    return scope(() => noGrad(() => fused.withoutKernels(record)));
  } finally {
    network.train(training);
  }
}

/** Results of at least so many bytes are given back: a supernet at full size would take 24 GiB. */
const LARGE = 1 << 16;

/**
 * Whether nobody needs the numbers in a result, only its shape. Small ones may decide what a network does, as the weights
 * of a mixture may; integers may be indices.
 */
function isDispensable({ device, dtype }: Tensor, { bytes, takenBy }: Memory): boolean {
  return takenBy !== undefined && bytes >= LARGE && device === 'cpu' && /float/.test(dtype);
}

interface RunningModule {
  readonly name: string;
  readonly whole?: WholeRun;
}

const where = ({ name, whole }: RunningModule): Pick<OperatorCall, 'module' | 'whole'> =>
  whole === undefined ? { module: name } : { module: name, whole };

/** Puts the module of which a method runs on top of `stack`, until the returned function is called. */
function watchModules(network: nn.Module, stack: RunningModule[]): () => void {
  const watched: { module: nn.Module; method: string }[] = [];
  let runs = 0;
  const watch = (module: nn.Module, name: string): void => {
    for (const [child, part] of module.children()) watch(part, name === '' ? child : `${name}.${child}`);
    for (const method of methodsOf(module)) {
      const body = Reflect.get(module, method) as (...args: unknown[]) => unknown;
      Reflect.set(module, method, (...args: unknown[]) => {
        const drawnAs: unknown = Reflect.get(module, 'drawnAs');
        const around = stack.at(-1)?.whole;
        const whole = around ?? (typeof drawnAs === 'string' ? { drawnAs, run: runs++ } : undefined);
        stack.push(whole === undefined ? { name } : { name, whole });
        try {
          return body.apply(module, args);
        } catch (error) {
          throw atLayer(error, name);
        } finally {
          stack.pop();
        }
      });
      watched.push({ module, method });
    }
  };
  watch(network, '');
  return () => {
    for (const { module, method } of watched) Reflect.deleteProperty(module, method);
  };
}

/** The layers in which errors were thrown, the innermost of each. */
const layersOfErrors = new WeakMap<object, string>();

function atLayer(error: unknown, layer: string): unknown {
  if (error instanceof Error && !layersOfErrors.has(error)) layersOfErrors.set(error, layer);
  return error;
}

/** The layer of a traced network in which an error was thrown, by its name; undefined where none was. */
export function layerOfError(error: unknown): string | undefined {
  return error instanceof Error ? layersOfErrors.get(error) : undefined;
}

/** The methods of a module's own classes: `forward`, and those of modules that have other ways to be run. */
function methodsOf(module: nn.Module): readonly string[] {
  const names = new Set<string>();
  for (
    let prototype: object | null = Object.getPrototypeOf(module);
    prototype !== null && prototype !== nn.Module.prototype;
    prototype = Object.getPrototypeOf(prototype)
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
      if (name !== 'constructor' && typeof value === 'function') names.add(name);
  return [...names].filter((name) => !Object.hasOwn(module, name));
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
      const { logits, state } = model.forward(tokens as Tensor, Object.values(before));
      return { logProbabilities: logits.logSoftmax(-1), ...numbered('next', state) };
    },
  );
}
