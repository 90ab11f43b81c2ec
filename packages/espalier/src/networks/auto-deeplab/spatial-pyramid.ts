import { cat, nn, type Tensor } from '@espalier/torch';
import { ConvNormRelu } from './conv-norm-relu.js';
import { resize, sizeOf } from './resize.js';

/** Number of channels of each branch, of the projection and of the decoder. The pyramids in a search use other numbers. */
export const PYRAMID_CHANNELS = 256;

/** The atrous rate of the first 3x3 branch times the stride of its input (section 5.1): rate 12 at stride 8. */
const RATE_TIMES_STRIDE = 96;

/**
 * What follows image pooling: a 1x1 convolution with batch norm, which sees one value of each image; the same without batch
 * norm; or there is no image pooling.
 */
export type ImagePooling = 'norm' | 'plain' | 'none';

/** A 1x1 convolution with a bias, and ReLU. */
class ConvRelu extends nn.Layer {
  readonly conv: nn.Conv2d;

  constructor(inputs: number, outputs: number) {
    super();
    this.conv = new nn.Conv2d(inputs, outputs, 1);
  }

  forward(input: Tensor): Tensor {
    return this.conv.forward(input).relu();
  }
}

/**
 * Atrous spatial pyramid pooling (Chen et al. 2017, "Rethinking atrous convolution", section 3.3): image pooling, a 1x1
 * convolution and three atrous 3x3 convolutions in parallel. Their concatenation is projected to the number of channels of
 * one branch. The rates are 12, 24 and 36 at stride 8, and inversely proportional to the stride otherwise.
 */
export class SpatialPyramid extends nn.Layer {
  /** Missing: there is no image pooling. */
  readonly pooled?: ConvNormRelu | ConvRelu;
  readonly branches: readonly ConvNormRelu[];
  readonly projection: ConvNormRelu;
  readonly dropout = new nn.Dropout(0.1);

  /** @param options atrous: number of atrous 3x3 convolutions */
  constructor(
    inputs: number,
    stride: number,
    options: {
      readonly channels?: number;
      readonly atrous?: number;
      readonly imagePooling?: ImagePooling;
    } = {},
  ) {
    super();
    const { channels = PYRAMID_CHANNELS, atrous = 3, imagePooling = 'norm' } = options;
    const rate = RATE_TIMES_STRIDE / stride;
    if (imagePooling === 'norm') this.pooled = new ConvNormRelu(inputs, channels, 1);
    if (imagePooling === 'plain') this.pooled = new ConvRelu(inputs, channels);
    this.branches = [
      new ConvNormRelu(inputs, channels, 1),
      ...Array.from({ length: atrous }, (_, k) => new ConvNormRelu(inputs, channels, 3, (k + 1) * rate)),
    ];
    const branches = this.branches.length + (this.pooled === undefined ? 0 : 1);
    this.projection = new ConvNormRelu(branches * channels, channels, 1);
  }

  /** Maps [N, inputs, H, W] to [N, channels, H, W]. */
  forward(input: Tensor): Tensor {
    const pooled =
      this.pooled === undefined
        ? []
        : [resize(this.pooled.forward(input.adaptiveAvgPool2d(1)), sizeOf(input))];
    const joined = cat([...pooled, ...this.branches.map((branch) => branch.forward(input))], 1);
    return this.dropout.forward(this.projection.forward(joined));
  }
}
