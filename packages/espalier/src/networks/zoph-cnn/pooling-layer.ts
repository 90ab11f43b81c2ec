import { nn, type Tensor } from '@espalier/torch';
import type { Pooling } from './architecture.js';

/**
 * The greatest value or the mean of each window. What the window reaches beyond the map does not count. The paper does
 * not say how pooling pads: here stride 1 keeps height and width where the window is odd and takes one away where it is
 * even, so that windows of 2 with stride 2 halve them. A map of one pixel stays one.
 */
export class PoolingLayer extends nn.Layer {
  constructor(private readonly pooling: Pooling) {
    super();
  }

  forward(input: Tensor): Tensor {
    const { type, window, stride } = this.pooling;
    const padding = Math.floor((window - 1) / 2);
    const kernel = input.shape.slice(2).map((size) => Math.min(window, size + 2 * padding));
    if (type === 'max_pool') return input.maxPool2d(kernel, stride, padding);
    return input.avgPool2d(kernel, stride, padding, false, false);
  }
}
