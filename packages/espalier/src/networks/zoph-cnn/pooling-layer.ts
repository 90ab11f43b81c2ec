import { nn, type Tensor } from '@espalier/torch';
import type { Pooling } from './architecture.js';

/**
 * Max or average pooling. The part of a window beyond the border of the map is ignored. The paper does not specify the
 * padding. Here stride 1 preserves height and width for odd windows and reduces them by one for even windows, so that
 * 2x2 windows with stride 2 halve them. A map of one pixel stays one pixel.
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
