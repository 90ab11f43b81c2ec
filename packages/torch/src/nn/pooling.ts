import { runsKernels } from '../fused/kernels.js';
import { pool } from '../fused/pool.js';
import type { Tensor } from '../tensor.js';
import type { Pair } from './convolution.js';
import { Layer } from './module.js';

const same = (pair: Pair, size: number) => [pair].flat().every((one) => one === size);

/** The stride of a pooling that a kernel does: over 3x3 values, padded by one, as far down as to the right. */
function kernelStride(input: Tensor, kernel: Pair, stride: Pair, padding: Pair): number | undefined {
  const [down, right = down] = [stride].flat();
  const isServed = input.shape.length === 4 && runsKernels(input);
  return isServed && same(kernel, 3) && same(padding, 1) && down === right ? down : undefined;
}

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
    const step = kernelStride(input, this.kernel, stride, padding);
    if (this.training && step !== undefined && same(dilation, 1)) return pool(input, 'max', step);
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
    const step = kernelStride(input, this.kernel, stride, padding);
    if (this.training && step !== undefined && !countIncludePad) return pool(input, 'avg', step);
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
