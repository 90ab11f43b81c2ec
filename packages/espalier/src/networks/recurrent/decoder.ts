import { fused, nn, type Tensor, zeros } from '@espalier/torch';

/** Maps hidden states [..., hidden] to logits [..., V]. The weight [V, hidden] may be shared with the embedding. */
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
