import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { runningStatistics } from './running-statistics.js';

const operator = new Operator('espalier::mixed_recurrence', '');

/** What a stretch of text does not change. */
export interface MixedRecurrence {
  /** Of the first state, then of each node: [H, 2H], the gate's columns first. */
  readonly matrices: readonly Tensor[];
  /** [edges, 4]: of tanh, relu, sigmoid and identity, the edges of each node in turn. */
  readonly weights: Tensor;
  /** What the products read of a state is multiplied by it: [N, H]. */
  readonly mask: Tensor | undefined;
  /** Of every state, without scale and shift. */
  readonly norm: BatchNormLayer;
}

/**
 * The continuous relaxation of all recurrent cells over a stretch of text (DARTS, sections 2.2 and A.1.2), in training. At
 * each time a highway to tanh makes the first state of what the cell gave out before; node i, from all states before it,
 * the next one (see `mixedHighway`); batch norm follows each state; the cell gives out the mean of its nodes.
 *
 * @param read [T, N, 2H]: what the input adds to the product of the first state
 * @param initial [N, H]
 * @returns [T, N, H]
 */
export function mixedRecurrence(
  read: Tensor,
  initial: Tensor,
  { matrices, weights, mask, norm }: MixedRecurrence,
): Tensor {
  const handle = invoke(
    operator,
    read.handle,
    initial.handle,
    mask?.handle,
    weights.handle,
    matrices.map((matrix) => matrix.handle),
    runningStatistics([norm]),
    norm.momentum,
    norm.epsilon,
  );
  return new Tensor(handle as number);
}
