import { noGrad, observeOperators, scope, Tensor, zeros } from '@espalier/torch';
import type { InputShape } from '../space/space.js';
import type { Network } from './network.js';

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
  /** The shape of its (first) result for one image. */
  readonly shape: readonly number[];
}

const IMAGE = -1;

/**
 * Runs a network once on one image of zeros and writes down every operator it calls. Whatever a network is made of,
 * this is what it does: multiply-adds, drawings and exports are read off it.
 */
export function traceOperators(network: Network, input: InputShape): readonly OperatorCall[] {
  const calls: OperatorCall[] = [];
  const state = new Map(
    [...network.stateDict()].map(([name, { handle, shape }]) => [handle, { name, shape }]),
  );
  const { training } = network;
  const run = () =>
    noGrad(() => {
      const device = network.parameters()[0]?.device;
      const image = zeros([1, input.channels, input.height, input.width], { dtype: 'float32', device });
      /** Which call made the tensor of a handle. A scope never gives a handle twice. */
      const makers = new Map([[image.handle, IMAGE]]);
      observeOperators(
        ({ name }, args, result) => {
          const reads: number[] = [];
          const read: { name: string; shape: readonly number[] }[] = [];
          const attributes = new Map<number, unknown>();
          for (const [place, argument] of args.entries()) {
            // Handles are numbers above 2^32, larger than any size or setting that an operator is given.
            for (const handle of Array.isArray(argument) ? argument : [argument]) {
              const maker = makers.get(handle as number);
              const known = state.get(handle as number);
              if (maker !== undefined) reads.push(maker);
              else if (known !== undefined) read.push(known);
              else if (argument !== undefined && argument !== null) attributes.set(place, argument);
            }
          }
          // An operator in place has no result of its own: its first argument is another tensor from then on.
          const results = (Array.isArray(result) ? result : [result ?? args[0]]) as number[];
          for (const handle of results) makers.set(handle, calls.length);
          calls.push({
            operator: name,
            reads,
            state: read,
            attributes,
            shape: new Tensor(results[0] as number).shape,
          });
        },
        () => network.forward(image),
      );
    });
  try {
    network.eval();
    scope(run);
  } finally {
    network.train(training);
  }
  return calls;
}
