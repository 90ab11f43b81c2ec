import { type Dtype, noGrad, observeOperators, scope, Tensor, type TypedArray, zeros } from '@espalier/torch';
import type { InputShape } from '../space/space.js';
import type { Network } from './network.js';

/** A tensor among the arguments of an operator, by where it comes from. */
export type TracedTensor =
  | { readonly from: 'image' }
  /** The result at a place of those of an earlier call. */
  | { readonly from: 'call'; readonly call: number; readonly result: number }
  /** A parameter or buffer. */
  | { readonly from: 'state'; readonly name: string }
  /** Made without an operator, from numbers of the program. */
  | {
      readonly from: 'constant';
      readonly dtype: Dtype;
      readonly values: TypedArray;
      readonly shape: readonly number[];
    };

/** What a network does from images to logits. */
interface NetworkTrace {
  readonly calls: readonly OperatorCall[];
  /** The logits. */
  readonly output: TracedTensor;
}

/** One operator that a network called on its way from an image to the logits. */
export interface OperatorCall {
  /** `aten::conv2d` */
  readonly operator: string;
  /** The calls (by their place in the trace) whose results it reads; -1 is the image. */
  readonly reads: readonly number[];
  /** Names and shapes of the parameters and buffers that it reads. */
  readonly state: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** The arguments that are no tensors, by their place in the operator's schema. */
  readonly attributes: ReadonlyMap<number, unknown>;
  /** All arguments in the order of the operator's schema, as it was given them; tensors as what they are. */
  readonly args: readonly unknown[];
  /** The shape of its (first) result. */
  readonly shape: readonly number[];
  /** The shapes of all its results. */
  readonly shapes: readonly (readonly number[])[];
}

const IMAGE = -1;

/**
 * Runs a network once on one image of zeros and writes down every operator it calls. Whatever a network is made of,
 * this is what it does: multiply-adds, drawings and exports are read off it.
 */
export function traceOperators(network: Network, input: InputShape): readonly OperatorCall[] {
  return traceNetwork(network, input, 1).calls;
}

/** The same of a batch of any size, with what the network returns. */
export function traceNetwork(network: Network, input: InputShape, batch: number): NetworkTrace {
  const calls: OperatorCall[] = [];
  const state = new Map(
    [...network.stateDict()].map(([name, { handle, shape }]) => [handle, { name, shape }]),
  );
  const { training } = network;
  const run = (): NetworkTrace =>
    noGrad(() => {
      const device = network.parameters()[0]?.device;
      const image = zeros([batch, input.channels, input.height, input.width], { dtype: 'float32', device });
      /** Which call made the tensor of a handle, as which of its results. A scope never gives a handle twice. */
      const makers = new Map([[image.handle, { call: IMAGE, result: 0 }]]);
      const traced = (argument: unknown): unknown => {
        if (Array.isArray(argument)) return argument.map(traced);
        // Handles are numbers above 2^32, larger than any size or setting that an operator is given.
        if (typeof argument !== 'number' || !(argument > 2 ** 32)) return argument;
        const maker = makers.get(argument);
        if (maker !== undefined) return maker.call === IMAGE ? { from: 'image' } : { from: 'call', ...maker };
        const known = state.get(argument);
        if (known !== undefined) return { from: 'state', name: known.name };
        const tensor = new Tensor(argument);
        if (!tensor.isLive) return argument;
        const { dtype, shape } = tensor;
        return { from: 'constant', dtype, values: tensor.toTypedArray(), shape };
      };
      const logits = observeOperators(
        ({ name }, args, result) => {
          const given = args.map(traced);
          const reads: number[] = [];
          const read: { name: string; shape: readonly number[] }[] = [];
          const attributes = new Map<number, unknown>();
          for (const [place, argument] of args.entries()) {
            for (const handle of Array.isArray(argument) ? argument : [argument]) {
              const maker = makers.get(handle as number);
              const known = state.get(handle as number);
              if (maker !== undefined) reads.push(maker.call);
              else if (known !== undefined) read.push(known);
              else if (argument !== undefined && argument !== null) attributes.set(place, argument);
            }
          }
          // An operator in place has no result of its own: its first argument is another tensor from then on.
          const results = (Array.isArray(result) ? result : [result ?? args[0]]) as number[];
          for (const [result, handle] of results.entries())
            makers.set(handle, { call: calls.length, result });
          const shapes = results.map((handle) => new Tensor(handle).shape);
          calls.push({
            operator: name,
            reads,
            state: read,
            attributes,
            args: given,
            shape: shapes[0] as readonly number[],
            shapes,
          });
        },
        () => network.forward(image),
      );
      return { calls, output: traced(logits.handle) as TracedTensor };
    });
  try {
    network.eval();
    return scope(run);
  } finally {
    network.train(training);
  }
}
