import { dropout } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireProbability } from './constructor-arguments.js';
import { Layer } from './module.js';

/** In training, sets each element to zero with probability `p` and scales the others by 1 / (1 - p). */
export class Dropout extends Layer {
  /** @throws RangeError for a probability outside [0, 1] */
  constructor(readonly p: number) {
    super();
    requireProbability('p', p);
  }

  forward(input: Tensor): Tensor {
    return this.p === 0 ? input : dropout(input, this.p, this.training);
  }
}
