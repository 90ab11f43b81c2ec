import { runsKernels } from '../fused/kernels.js';
import { pool } from '../fused/pool.js';
import type { Tensor } from '../tensor.js';
import { type Pair, requirePair } from './constructor-arguments.js';
import { Layer } from './module.js';

type Sizes = readonly [number, number];

const same = (sizes: Sizes, size: number) => sizes.every((one) => one === size);

/** The stride of a pooling that a kernel serves: 3x3 windows, padding 1, the same stride for rows and columns. */
function kernelStride(input: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes): number | undefined {
  const [down, right] = stride;
  const isServed = input.shape.length === 4 && runsKernels(input);
  return isServed && same(kernel, 3) && same(padding, 1) && down === right ? down : undefined;
}

/** The maximum of each window: [N, C, H, W] to [N, C, H', W']. */
export class MaxPool2d extends Layer {
  readonly kernel: Sizes;
  readonly #stride: Sizes;
  readonly #padding: Sizes;
  readonly #dilation: Sizes;

  /**
   * @param options stride, by default the size of the kernel; padding, 0 by default; dilation, 1 by default
   * @throws RangeError for sizes that are not integers in range
   */
  constructor(kernel: Pair, options: { stride?: Pair; padding?: Pair; dilation?: Pair } = {}) {
    super();
    const { stride = kernel, padding = 0, dilation = 1 } = options;
    this.kernel = requirePair('kernel', kernel);
    this.#stride = requirePair('stride', stride);
    this.#padding = requirePair('padding', padding, 0);
    this.#dilation = requirePair('dilation', dilation);
  }

  forward(input: Tensor): Tensor {
    const step = kernelStride(input, this.kernel, this.#stride, this.#padding);
    if (this.training && step !== undefined && same(this.#dilation, 1)) return pool(input, 'max', step);
    return input.maxPool2d(this.kernel, this.#stride, this.#padding, this.#dilation);
  }
}

/** The mean of each window: [N, C, H, W] to [N, C, H', W']. */
export class AvgPool2d extends Layer {
  readonly kernel: Sizes;
  readonly #stride: Sizes;
  readonly #padding: Sizes;
  readonly #countIncludePad: boolean;
  readonly #ceilMode: boolean;

  /**
   * @param options stride, by default the size of the kernel; padding, 0 by default; countIncludePad, whether a mean
   *   counts the zeros of the padding, on by default; ceilMode, whether a last window may reach beyond the input, whose
   *   mean is that of what is there, off by default
   * @throws RangeError for sizes that are not integers in range
   */
  constructor(
    kernel: Pair,
    options: { stride?: Pair; padding?: Pair; countIncludePad?: boolean; ceilMode?: boolean } = {},
  ) {
    super();
    const { stride = kernel, padding = 0, countIncludePad = true, ceilMode = false } = options;
    this.kernel = requirePair('kernel', kernel);
    this.#stride = requirePair('stride', stride);
    this.#padding = requirePair('padding', padding, 0);
    this.#countIncludePad = countIncludePad;
    this.#ceilMode = ceilMode;
  }

  forward(input: Tensor): Tensor {
    const step = kernelStride(input, this.kernel, this.#stride, this.#padding);
    if (this.training && step !== undefined && !this.#countIncludePad && !this.#ceilMode)
      return pool(input, 'avg', step);
    return input.avgPool2d(this.kernel, this.#stride, this.#padding, this.#ceilMode, this.#countIncludePad);
  }
}

/** Average pooling to a fixed height and width, with windows to match; an output of 1 is global average pooling. */
export class AdaptiveAvgPool2d extends Layer {
  readonly #output: Sizes;

  /** @throws RangeError for sizes that are not integers of at least 1 */
  constructor(output: Pair) {
    super();
    this.#output = requirePair('output', output);
  }

  forward(input: Tensor): Tensor {
    return input.adaptiveAvgPool2d(this.#output);
  }
}
