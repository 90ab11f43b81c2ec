import type { Tensor } from '../tensor.js';
import type { Pair } from './convolution.js';
import { Layer } from './module.js';

/** The greatest value of each window; the stride is the window where it is not given. */
export class MaxPool2d extends Layer {
  readonly #options: { stride: Pair; padding: Pair; dilation: Pair };

  constructor(
    readonly kernel: Pair,
    options: { stride?: Pair; padding?: Pair; dilation?: Pair } = {},
  ) {
    super();
    this.#options = { stride: kernel, padding: 0, dilation: 1, ...options };
  }

  forward(input: Tensor): Tensor {
    const { stride, padding, dilation } = this.#options;
    return input.maxPool2d(this.kernel, stride, padding, dilation);
  }
}

/** The mean of each window; whether padding counts as zeros in it is `countIncludePad` (PyTorch: it does). */
export class AvgPool2d extends Layer {
  readonly #options: { stride: Pair; padding: Pair; countIncludePad: boolean };

  constructor(
    readonly kernel: Pair,
    options: { stride?: Pair; padding?: Pair; countIncludePad?: boolean } = {},
  ) {
    super();
    this.#options = { stride: kernel, padding: 0, countIncludePad: true, ...options };
  }

  forward(input: Tensor): Tensor {
    const { stride, padding, countIncludePad } = this.#options;
    return input.avgPool2d(this.kernel, stride, padding, false, countIncludePad);
  }
}

/** Means over windows chosen so that the output has a given height and width: [1, 1] is global average pooling. */
export class AdaptiveAvgPool2d extends Layer {
  constructor(readonly output: Pair) {
    super();
  }

  forward(input: Tensor): Tensor {
    return input.adaptiveAvgPool2d(this.output);
  }
}
