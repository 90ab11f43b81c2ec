import { embedding } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireInteger } from './constructor-arguments.js';
import { normal } from './init.js';
import { Layer, Parameter } from './module.js';

/** Looks up a row of `dimensions` numbers for each of `count` symbols: int64 [...] to [..., dimensions]. */
export class Embedding extends Layer {
  /** [count, dimensions], initially drawn from N(0, 1). */
  readonly weight: Parameter;

  /** @throws RangeError for sizes that are not integers of at least 1 */
  constructor(count: number, dimensions: number) {
    super();
    requireInteger('count', count);
    requireInteger('dimensions', dimensions);
    this.weight = new Parameter(normal([count, dimensions]));
  }

  /** @throws Error for an index that is not below `count` */
  forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices);
  }
}
