import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { plainNormArguments } from './norms.js';

const operator = new Operator('espalier::mixed_recurrence', '');

/** What all steps share. */
export interface MixedRecurrence {
  /** [H, 2H] of the first state, then of each node; the gate's columns first. */
  readonly matrices: readonly Tensor[];
  /** [edges, 4]: of tanh, relu, sigmoid and identity; the edges of each node in turn. */
  readonly weights: Tensor;
  /** [N, H]: a factor of the states that products read. It gets no gradient. */
  readonly mask: Tensor | undefined;
  /** Normalises every state: without learned scale and shift, in training, with running statistics. */
  readonly norm: BatchNormLayer;
}

/**
 * The continuous relaxation of all recurrent cells over one BPTT length (DARTS, sections 2.2 and A.1.2), in training. In each step
 * a highway to tanh makes the first state from the cell's last output; node i makes the next state from all states before it (see
 * `mixedHighway`); batch norm follows each state; the output of the cell is the mean of its nodes.
 *
 * @param read [T, N, 2H]: what the input adds to the product of the first state
 * @param initial [N, H]
 * @returns [T, N, H]
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function mixedRecurrence(
  read: Tensor,
  initial: Tensor,
  { matrices, weights, mask, norm }: MixedRecurrence,
): Tensor {
  const { running, momentum, epsilon } = plainNormArguments('mixed_recurrence', [norm]);
  const handle = invoke(
    operator,
    read.handle,
    initial.handle,
    mask?.handle,
    weights.handle,
    matrices.map((matrix) => matrix.handle),
    running,
    momentum,
    epsilon,
  );
  return new Tensor(handle as number);
}
