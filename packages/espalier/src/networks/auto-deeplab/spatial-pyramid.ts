import { cat, nn, type Tensor } from '@espalier/torch';
import { ConvNormRelu } from './conv-norm-relu.js';
import { resize, sizeOf } from './resize.js';

/** Channels of each branch, of their projection and of the decoder. */
export const PYRAMID_CHANNELS = 256;

/** The atrous rate of the first 3x3 branch times the stride of the map it reads (section 5.1): rate 12 at stride 8. */
const RATE_TIMES_STRIDE = 96;

/**
 * Atrous spatial pyramid pooling (Chen et al. 2017, "Rethinking atrous convolution", section 3.3): image pooling, a 1x1 and
 * three atrous 3x3 convolutions side by side, projected to 256 channels. The rates are 12, 24, 36 at stride 8 and twice or
 * half of that where the stride is half or twice.
 */
export class SpatialPyramid extends nn.Layer {
  readonly pooled: ConvNormRelu;
  readonly branches: readonly ConvNormRelu[];
  readonly projection: ConvNormRelu;
  readonly dropout = new nn.Dropout(0.1);

  constructor(inputs: number, stride: number) {
    super();
    const rate = RATE_TIMES_STRIDE / stride;
    this.pooled = new ConvNormRelu(inputs, PYRAMID_CHANNELS, 1);
    this.branches = [
      new ConvNormRelu(inputs, PYRAMID_CHANNELS, 1),
      ...[1, 2, 3].map((times) => new ConvNormRelu(inputs, PYRAMID_CHANNELS, 3, times * rate)),
    ];
    this.projection = new ConvNormRelu(5 * PYRAMID_CHANNELS, PYRAMID_CHANNELS, 1);
  }

  /** [N, inputs, H, W] to [N, 256, H, W]. */
  forward(input: Tensor): Tensor {
    const pooled = resize(this.pooled.forward(input.adaptiveAvgPool2d(1)), sizeOf(input));
    const joined = cat([pooled, ...this.branches.map((branch) => branch.forward(input))], 1);
    return this.dropout.forward(this.projection.forward(joined));
  }
}
