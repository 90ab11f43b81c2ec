import type { Tensor } from '@espalier/torch';

/** In the order of the authors' `PRIMITIVES`, without `none`. */
export const DARTS_ACTIVATIONS = ['tanh', 'relu', 'sigmoid', 'identity'] as const;

export type DartsActivation = (typeof DARTS_ACTIVATIONS)[number];

/** A recurrent cell as the authors of DARTS write it. State 0 is made of the input and the last output. */
export interface DartsRecurrentGenotype {
  /** Node by node, from state 1 on: its activation, and the state that it reads. */
  readonly recurrent: readonly (readonly [activation: DartsActivation, state: number])[];
  /** The states whose mean the cell gives out (the key is that of the convolutional cells, which concatenate). */
  readonly concat: readonly number[];
}

export function activate(activation: DartsActivation, value: Tensor): Tensor {
  return activation === 'identity' ? value : value[activation]();
}
