import { nn } from '@espalier/torch';

/** Weights are initialised uniformly in ± this (from the authors' code for DARTS). */
const BOUND = 0.04;

export function startingWeights(...shape: number[]): nn.Parameter {
  return new nn.Parameter(nn.uniform(shape, BOUND));
}
