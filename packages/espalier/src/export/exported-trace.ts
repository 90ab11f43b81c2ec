import { isDeepStrictEqual } from 'node:util';
import type { Dtype } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { OperatorCall, OperatorTrace, TracedTensor } from '../networks/operator-trace.js';

/** Sizes of the dimensions; null is one that grows with the batch: with the number of images, or of texts. */
export type Shape = readonly (number | null)[];

/** A call, and what of it depends on the batch. */
export interface BatchedCall {
  readonly call: OperatorCall;
  /** Of all its results. */
  readonly shapes: readonly Shape[];
  /** The places whose arguments are others for another batch. */
  readonly batchDependent: ReadonlySet<number>;
  /** Where it stands, for messages. */
  readonly where: string;
}

/** What a network does with a batch of any size. */
export interface BatchedTrace {
  readonly inputs: ReadonlyMap<string, { readonly dtype: Dtype; readonly shape: Shape }>;
  readonly calls: readonly BatchedCall[];
  readonly outputs: ReadonlyMap<string, TracedTensor>;
}

/** Runs a network on a batch of zeros, and tells the operators that it calls. */
export type TraceOfBatch = (batch: number) => OperatorTrace;

/**
 * Runs a network on two batches and compares.
 *
 * @param format for messages: `ONNX`
 * @throws InputError where the batch decides which operators are called, or how many dimensions a result has
 */
export function traceForExport(run: TraceOfBatch, format: string): BatchedTrace {
  const { inputs, calls, outputs } = run(1);
  const other = anotherBatch(run);
  if (
    calls.length !== other.calls.length ||
    calls.some(({ operator }, place) => operator !== other.calls[place]?.operator)
  )
    throw new InputError(
      `export to ${format}: the network calls other operators for another batch; allowed: the same ones`,
    );
  return {
    inputs: new Map(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [
        name,
        { dtype, shape: compared(shape, other.inputs[name]?.shape) as Shape },
      ]),
    ),
    calls: calls.map((call, place): BatchedCall => {
      const { args, shapes } = other.calls[place] as OperatorCall;
      const where = `export to ${format}: ${call.operator}, call ${place + 1} of the network, with the result [${call.shapes[0]}]`;
      return {
        call,
        shapes: call.shapes.map((shape, result) => {
          const found = compared(shape, shapes[result]);
          if (found === undefined)
            throw new InputError(`${where}: another batch changes the number of its dimensions`);
          return found;
        }),
        batchDependent: new Set(
          [...call.args.keys()].filter((argument) => !isDeepStrictEqual(call.args[argument], args[argument])),
        ),
        where,
      };
    }),
    outputs: new Map(Object.entries(outputs)),
  };
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

function compared(shape: readonly number[], other: readonly number[] | undefined): Shape | undefined {
  if (other?.length !== shape.length) return undefined;
  return shape.map((size, dimension) => (size === other[dimension] ? size : null));
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
