import { isDeepStrictEqual } from 'node:util';
import type { Dtype } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { OperatorCall, OperatorTrace, TracedTensor } from '../networks/operator-trace.js';

/**
 * Sizes of the dimensions; null is one that is free: it grows with the batch, the number of images or of texts, or with the
 * size of the images where that is free too.
 */
export type Shape = readonly (number | null)[];

/** A tensor whose height and width, halved and rounded up so many times, are those of another. */
export interface SizedLike<T> {
  readonly tensor: T;
  readonly halvings: number;
}

/** A call, and what of it depends on the batch. */
export interface BatchedCall {
  readonly call: OperatorCall;
  /** Of all its results. */
  readonly shapes: readonly Shape[];
  /** The places whose arguments are others for another batch, or another size where that is free. */
  readonly batchDependent: ReadonlySet<number>;
  /** What free dimensions depend on, for messages. */
  readonly free: string;
  /** An earlier tensor that tells height and width of the first result, whatever the images are. */
  readonly sizedLike?: SizedLike<TracedTensor>;
  /** Where it stands, for messages. */
  readonly where: string;
}

/** What a network does with a batch of any size. */
export interface BatchedTrace {
  readonly inputs: ReadonlyMap<string, { readonly dtype: Dtype; readonly shape: Shape }>;
  readonly calls: readonly BatchedCall[];
  readonly outputs: ReadonlyMap<string, TracedTensor>;
  /** The name of a dimension of an input or output, `batch`, `height`, where it is free. */
  dimensionName(tensor: TracedTensor, dimension: number): string;
}

/** Runs a network on a batch of zeros, and tells the operators that it calls. */
export type TraceOfBatch = (batch: number) => OperatorTrace;

/** Runs of a network on single images of other sizes, so that the size is free in what is exported. */
export interface FreeSize {
  /** What the free dimensions of the input are called: `height`, `width`. */
  readonly names: readonly string[];
  readonly runs: readonly (() => OperatorTrace)[];
}

/**
 * Runs a network on two batches, and on images of other sizes where the size is free, and compares.
 *
 * @param format for messages: `ONNX`
 * @throws InputError where the batch or the size decides which operators are called, or how many dimensions a result has
 */
export function traceForExport(run: TraceOfBatch, format: string, size?: FreeSize): BatchedTrace {
  const base = run(1);
  const { inputs, calls, outputs } = base;
  const otherBatch = anotherBatch(run);
  const otherSizes = size?.runs.map((one) => one()) ?? [];
  const others = [otherBatch, ...otherSizes];
  for (const [index, other] of others.entries())
    if (
      calls.length !== other.calls.length ||
      calls.some(({ operator }, place) => operator !== other.calls[place]?.operator)
    )
      throw new InputError(
        `export to ${format}: the network calls other operators for another ${index === 0 ? 'batch' : 'size'}; allowed: the same ones`,
      );
  const free = size === undefined ? 'the size of the batch' : 'the size of the batch or of the images';
  const sizes = new SizeTable([base, ...otherSizes]);
  return {
    inputs: new Map(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [
        name,
        {
          dtype,
          shape: compared(
            shape,
            others.map((other) => other.inputs[name]?.shape),
          ) as Shape,
        },
      ]),
    ),
    calls: calls.map((call, place): BatchedCall => {
      const same = others.map((other) => other.calls[place] as OperatorCall);
      const where = `export to ${format}: ${call.operator}, call ${place + 1} of the network, with the result [${call.shapes[0]}]`;
      return {
        call,
        shapes: call.shapes.map((shape, result) => {
          const found = compared(
            shape,
            same.map(({ shapes }) => shapes[result]),
          );
          if (found === undefined)
            throw new InputError(`${where}: another batch changes the number of its dimensions`);
          return found;
        }),
        batchDependent: new Set(
          [...call.args.keys()].filter((argument) =>
            same.some(({ args }) => !isDeepStrictEqual(call.args[argument], args[argument])),
          ),
        ),
        free,
        ...sizes.before(place),
        where,
      };
    }),
    outputs: new Map(Object.entries(outputs)),
    dimensionName: namesOfDimensions(base, otherBatch, otherSizes, size?.names ?? []),
  };
}

/** The shape of a tensor in a trace; undefined of the state and of constants, which are the same in all. */
function shapeIn({ inputs, calls }: OperatorTrace, tensor: TracedTensor): readonly number[] | undefined {
  if (tensor.from === 'input') return inputs[tensor.name]?.shape;
  return tensor.from === 'call' ? calls[tensor.call]?.shapes[tensor.result] : undefined;
}

/** The most halvings between two maps of a network: from stride 1 to stride 32. */
const MOST_HALVINGS = 5;

/** Finds tensors that tell the height and width of others, in all of some traces of one network. */
class SizeTable {
  /** By the sizes in all traces, the first tensor that has them. */
  readonly #first = new Map<string, { readonly place: number; readonly tensor: TracedTensor }>();
  readonly #traces: readonly OperatorTrace[];

  constructor(traces: readonly OperatorTrace[]) {
    this.#traces = traces;
    const [base] = traces as [OperatorTrace];
    for (const name of Object.keys(base.inputs)) this.#note(-1, { from: 'input', name });
    for (const call of base.calls.keys()) this.#note(call, { from: 'call', call, result: 0 });
  }

  /** A tensor before a call that has the size of its result, or else one that has it halved. */
  before(call: number): { readonly sizedLike?: SizedLike<TracedTensor> } {
    const sizes = this.#sizesOf({ from: 'call', call, result: 0 });
    if (sizes === undefined) return {};
    for (let halvings = 0; halvings <= MOST_HALVINGS; halvings++)
      for (const [key, { place, tensor }] of this.#first)
        if (place < call && halved(key, halvings) === sizes.join())
          return { sizedLike: { tensor, halvings } };
    return {};
  }

  #note(place: number, tensor: TracedTensor): void {
    const key = this.#sizesOf(tensor)?.join();
    if (key !== undefined && !this.#first.has(key)) this.#first.set(key, { place, tensor });
  }

  /** Heights and widths of a map in all traces; a single trace says nothing of other sizes. */
  #sizesOf(tensor: TracedTensor): readonly number[] | undefined {
    if (this.#traces.length < 2) return undefined;
    const shapes = this.#traces.map((trace) => shapeIn(trace, tensor));
    return shapes.every((shape) => shape?.length === 4)
      ? shapes.flatMap((shape) => shape?.slice(2) ?? [])
      : undefined;
  }
}

function halved(sizes: string, times: number): string {
  return sizes
    .split(',')
    .map((size) => Math.ceil(Number(size) / 2 ** times))
    .join();
}

/** Dimensions that are equal in all traces have one name, which those of the input give. */
function namesOfDimensions(
  base: OperatorTrace,
  otherBatch: OperatorTrace,
  otherSizes: readonly OperatorTrace[],
  names: readonly string[],
): BatchedTrace['dimensionName'] {
  const known = new Map<string, string>();
  const lengths = (tensor: TracedTensor, dimension: number) =>
    [base, ...otherSizes].map((trace) => shapeIn(trace, tensor)?.[dimension]);
  const ofBatch = (tensor: TracedTensor, dimension: number) =>
    shapeIn(base, tensor)?.[dimension] !== shapeIn(otherBatch, tensor)?.[dimension];
  for (const [name, { shape }] of Object.entries(base.inputs)) {
    const tensor: TracedTensor = { from: 'input', name };
    const free = [...shape.keys()].filter((dimension) => new Set(lengths(tensor, dimension)).size > 1);
    for (const [index, dimension] of free.entries())
      known.set(lengths(tensor, dimension).join(), names[index] ?? `${name}.${dimension}`);
  }
  return (tensor, dimension) =>
    ofBatch(tensor, dimension)
      ? 'batch'
      : (known.get(lengths(tensor, dimension).join()) ?? `dimension ${dimension}`);
}

/**
 * A batch of none, which costs nothing and shows what depends on the batch; of two where a network cannot work on none
 * (`view([N, -1])`).
 */
function anotherBatch(run: TraceOfBatch): OperatorTrace {
  try {
    return run(0);
  } catch {
    return run(2);
  }
}

function compared(
  shape: readonly number[],
  others: readonly (readonly number[] | undefined)[],
): Shape | undefined {
  if (others.some((other) => other?.length !== shape.length)) return undefined;
  return shape.map((size, dimension) => (others.every((other) => other?.[dimension] === size) ? size : null));
}

/** `relu_` is `relu`. */
export const bareName = (operator: string): string => operator.replace(/^aten::|(?<=[a-z0-9])_$/g, '');

/** Whether it changes its first argument. */
export const isInPlace = ({ operator }: OperatorCall): boolean => operator.endsWith('_');

/** @throws InputError where a call changes what is not a result of the network's */
export function checkTarget({ call, where }: BatchedCall): void {
  const target = call.args[0] as TracedTensor;
  if (!isInPlace(call) || target.from === 'call' || target.from === 'input') return;
  throw new InputError(
    `${where}: it changes ${target.from === 'state' ? target.name : 'a constant'}; allowed: to change results`,
  );
}
