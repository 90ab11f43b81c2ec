import { nn, type Tensor } from '@espalier/torch';
import { embeddedDropout } from './variational-dropout.js';
import { startingWeights } from './weights.js';

/** The embedding of V words. */
export class Encoder extends nn.Module {
  /** [V, hidden] */
  readonly weight: nn.Parameter;

  constructor(vocabulary: number, hidden: number) {
    super();
    this.weight = startingWeights(vocabulary, hidden);
  }

  /** [T, N] to [T, N, hidden]; in training, words are dropped with the probability given. */
  forward(tokens: Tensor, dropout: number): Tensor {
    return embeddedDropout(this.weight, tokens, this.training ? dropout : 0);
  }
}
