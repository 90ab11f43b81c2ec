import { dropout } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { Layer } from './module.js';

/** In training, sets each element to zero with probability `p` and scales the rest by 1/(1-p). */
export class Dropout extends Layer {
  constructor(readonly p: number) {
    super();
    if (!(p >= 0 && p <= 1)) throw new RangeError(`the probability of dropout is between 0 and 1, not ${p}`);
  }

  forward(input: Tensor): Tensor {
    return this.p === 0 ? input : dropout(input, this.p, this.training);
  }
}
