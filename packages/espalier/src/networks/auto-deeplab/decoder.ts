import { cat, nn, type Tensor } from '@espalier/torch';
import { ConvNormRelu } from './conv-norm-relu.js';
import { resize, sizeOf } from './resize.js';
import { PYRAMID_CHANNELS } from './spatial-pyramid.js';

/** A small number, so that the low-level features do not outweigh the others. */
const LOW_LEVEL_CHANNELS = 48;

/**
 * The decoder of DeepLabv3+ (Chen et al. 2018, "Encoder-decoder with atrous separable convolution", section 3.1), with full
 * convolutions. It concatenates the features of the pyramid with low-level features of stride 4, and applies two 3x3
 * convolutions and the classifier.
 */
export class Decoder extends nn.Module {
  readonly lowLevel: ConvNormRelu;
  readonly conv0: ConvNormRelu;
  readonly conv1: ConvNormRelu;
  readonly classifier: nn.Conv2d;

  /** @param channels of the features, and of the convolutions */
  constructor(lowLevel: number, classes: number, channels = PYRAMID_CHANNELS) {
    super();
    const own = Math.min(LOW_LEVEL_CHANNELS, channels);
    this.lowLevel = new ConvNormRelu(lowLevel, own, 1);
    this.conv0 = new ConvNormRelu(channels + own, channels, 3);
    this.conv1 = new ConvNormRelu(channels, channels, 3);
    this.classifier = new nn.Conv2d(channels, classes, 1);
  }

  /** Maps features [N, channels, h, w] and low-level features [N, lowLevel, H, W] to logits [N, classes, H, W]. */
  forward(features: Tensor, lowLevel: Tensor): Tensor {
    const joined = cat([resize(features, sizeOf(lowLevel)), this.lowLevel.forward(lowLevel)], 1);
    return this.classifier.forward(this.conv1.forward(this.conv0.forward(joined)));
  }
}
