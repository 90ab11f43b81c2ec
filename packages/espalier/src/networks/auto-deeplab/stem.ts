import { fused, nn, type Tensor } from '@espalier/torch';
import { EPSILON } from './operations.js';

/** Number of channels of the stem's map at stride 2; that at stride 4 has twice as many (section 5.2: 64 and 128). */
export const STEM_CHANNELS = 64;

/**
 * Three 3x3 convolutions before the first cell, down to stride 4 (section 5.2). The cells read both maps, before ReLU.
 */
export class Stem extends nn.Module {
  readonly conv0: nn.Conv2d;
  readonly bn0: nn.BatchNorm2d;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  /** @param half channels of the map of stride 2. Those of the map of stride 4 are twice as many */
  constructor(channels: number, half: number = STEM_CHANNELS) {
    super();
    const quarter = 2 * half;
    this.conv0 = new nn.Conv2d(channels, half, 3, { stride: 2, padding: 1, bias: false });
    this.bn0 = new nn.BatchNorm2d(half, { epsilon: EPSILON });
    this.conv1 = new nn.Conv2d(half, half, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(half, { epsilon: EPSILON });
    this.conv2 = new nn.Conv2d(half, quarter, 3, { stride: 2, padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(quarter, { epsilon: EPSILON });
  }

  /** Maps [N, channels, H, W] to [N, half, H/2, W/2] and [N, 2 half, H/4, W/4], with sizes rounded up. */
  forward(image: Tensor): { half: Tensor; quarter: Tensor } {
    const first = fused.batchNormRelu(this.conv0.forward(image), this.bn0);
    const half = this.bn1.forward(this.conv1.forward(first));
    return { half, quarter: this.bn2.forward(this.conv2.forward(half.relu())) };
  }
}
