import { nn, type Tensor } from '../src/index.js';

/** Squeeze-and-excitation (Hu et al. 2018), as `SqueezeExcitation` of make-fixtures.py. */
export class SqueezeExcitation extends nn.Layer {
  readonly gate: nn.Sequential;

  constructor(channels: number, reduction: number) {
    super();
    this.gate = new nn.Sequential(
      new nn.AdaptiveAvgPool2d(1),
      new nn.Conv2d(channels, channels / reduction, 1),
      new nn.ReLU(),
      new nn.Conv2d(channels / reduction, channels, 1),
      new nn.Hardsigmoid(),
    );
  }

  forward(input: Tensor): Tensor {
    return input.mul(this.gate.forward(input));
  }
}

/** A pre-norm block of a transformer on [N, L, 6], as `Transformer` of make-fixtures.py. */
export class TransformerBlock extends nn.Layer {
  readonly norm1 = new nn.LayerNorm(6);
  readonly attention = new nn.MultiheadAttention(6, 2);
  readonly norm2 = new nn.LayerNorm(6);
  readonly mlp = new nn.Sequential(new nn.Linear(6, 8), new nn.GELU(), new nn.Linear(8, 6));

  forward(input: Tensor): Tensor {
    const attended = input.add(this.attention.forward(this.norm1.forward(input)));
    return attended.add(this.mlp.forward(this.norm2.forward(attended)));
  }
}
