import { fused, nn, type Tensor } from '@espalier/torch';

/** A convolution that preserves height and width, batch normalisation and ReLU. */
export class ConvNormRelu extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(inputs: number, outputs: number, size: 1 | 3, rate = 1) {
    super();
    const padding = (rate * (size - 1)) / 2;
    this.conv = new nn.Conv2d(inputs, outputs, size, { padding, dilation: rate, bias: false });
    this.bn = new nn.BatchNorm2d(outputs);
  }

  forward(input: Tensor): Tensor {
    return fused.batchNormRelu(this.conv.forward(input), this.bn);
  }
}
