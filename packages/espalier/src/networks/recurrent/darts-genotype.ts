import type { Tensor } from '@espalier/torch';

/** The activations, in the order of the authors' `PRIMITIVES`, without `none`. */
export const DARTS_ACTIVATIONS = ['tanh', 'relu', 'sigmoid', 'identity'] as const;

export type DartsActivation = (typeof DARTS_ACTIVATIONS)[number];

/** The genotype of a recurrent cell, in the authors' format. State 0 is computed from the input and the last output. */
export interface DartsRecurrentGenotype {
  /** For each node, starting with state 1: its activation, and the index of the state that it reads. */
  readonly recurrent: readonly (readonly [activation: DartsActivation, state: number])[];
  /** The states whose mean is the output of the cell. The key is taken from the convolutional cells, which concatenate. */
  readonly concat: readonly number[];
}

export function activate(activation: DartsActivation, value: Tensor): Tensor {
  return activation === 'identity' ? value : value[activation]();
}
