import { nn } from '@espalier/torch';

/** Where weights start, uniformly in ± so much (the authors' code of DARTS). */
const BOUND = 0.04;

export function startingWeights(...shape: number[]): nn.Parameter {
  return new nn.Parameter(nn.uniform(shape, BOUND));
}
