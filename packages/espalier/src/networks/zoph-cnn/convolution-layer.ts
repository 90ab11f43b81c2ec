import { fused, nn, type Tensor } from '@espalier/torch';
import type { Convolution } from './architecture.js';

/**
 * A convolution without bias, batch normalisation and ReLU (section 4.1). The padding is such that stride 1 preserves
 * height and width for odd filter sizes, and increases them by one for even ones.
 */
export class ConvolutionLayer extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(inputs: number, layer: Convolution, epsilon?: number) {
    super();
    const { filterHeight, filterWidth, filters, strideHeight, strideWidth } = layer;
    this.conv = new nn.Conv2d(inputs, filters, [filterHeight, filterWidth], {
      stride: [strideHeight, strideWidth],
      padding: [Math.floor(filterHeight / 2), Math.floor(filterWidth / 2)],
      bias: false,
    });
    this.bn = new nn.BatchNorm2d(filters, epsilon === undefined ? {} : { epsilon });
  }

  forward(input: Tensor): Tensor {
    return fused.batchNormRelu(this.conv.forward(input), this.bn);
  }
}
