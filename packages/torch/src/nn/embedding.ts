import { embedding, randn } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { Layer, Parameter } from './module.js';

/** A row of `dimensions` numbers for each of `count` symbols, drawn from N(0, 1): int64 [...] to [..., dimensions]. */
export class Embedding extends Layer {
  readonly weight: Parameter;

  constructor(count: number, dimensions: number) {
    super();
    this.weight = new Parameter(randn([count, dimensions], { dtype: 'float32' }));
  }

  forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices);
  }
}
