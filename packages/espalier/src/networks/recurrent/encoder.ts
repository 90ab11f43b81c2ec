import { nn, type Tensor } from '@espalier/torch';
import { embeddedDropout } from './variational-dropout.js';
import { startingWeights } from './weights.js';

/** An embedding of V words. */
export class Encoder extends nn.Module {
  /** [V, hidden] */
  readonly weight: nn.Parameter;

  constructor(vocabulary: number, hidden: number) {
    super();
    this.weight = startingWeights(vocabulary, hidden);
  }

  /** Embeds tokens [T, N] as [T, N, hidden]. In training, words are dropped with probability `dropout`. */
  forward(tokens: Tensor, dropout: number): Tensor {
    return embeddedDropout(this.weight, tokens, this.training ? dropout : 0);
  }
}
