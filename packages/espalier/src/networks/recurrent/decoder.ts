import { fused, nn, type Tensor, zeros } from '@espalier/torch';

/** From hidden states [..., hidden] to logits [..., V], with a weight [V, hidden] that may be the embedding's. */
export class Decoder extends nn.Layer {
  readonly bias: nn.Parameter;

  constructor(readonly weight: nn.Parameter) {
    super();
    this.bias = new nn.Parameter(zeros([weight.shape[0] as number], { dtype: 'float32' }));
  }

  forward(hidden: Tensor): Tensor {
    return fused.linear(hidden, this.weight, this.bias);
  }
}
