import { recordsOperators } from '../autograd.js';
import { conv3x3, suitsConv3x3 } from '../fused/conv3x3.js';
import { conv2d } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Pair, requireGroups, requireInteger, requirePair } from './constructor-arguments.js';
import { fanInUniform } from './init.js';
import { Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

/** A register of AVX2 holds this many values. */
const FEW_CHANNELS = 8;

/** The pixels of an image that a pointwise filter with a stride reads. */
const subsampled = (image: Tensor, [down, right]: readonly [number, number]): Tensor =>
  image.slice(-2, 0, undefined, down).slice(-1, 0, undefined, right);

/**
 * Cross-correlation with `outputs` filters, grouped and dilated like PyTorch's `Conv2d`:
 * [N, inputs, H, W] to [N, outputs, H', W'], H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
 */
export class Conv2d extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  /** @throws RangeError for sizes that are not integers in range, and if `groups` does not divide both channel counts */
  constructor(
    inputs: number,
    outputs: number,
    kernel: Pair,
    options: { stride?: Pair; padding?: Pair; dilation?: Pair; groups?: number; bias?: boolean } = {},
  ) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    requireInteger('inputs', inputs);
    requireInteger('outputs', outputs);
    const [height, width] = requirePair('kernel', kernel);
    this.stride = requirePair('stride', stride);
    this.padding = requirePair('padding', padding, 0);
    this.dilation = requirePair('dilation', dilation);
    this.groups = requireGroups(groups, { inputs, outputs });
    const fanIn = (inputs / groups) * height * width;
    this.weight = new Parameter(fanInUniform([outputs, inputs / groups, height, width], fanIn));
    if (bias) this.bias = new Parameter(fanInUniform([outputs], fanIn));
  }

  /** @throws TypeError for an input of another element type than the weights */
  forward(input: Tensor): Tensor {
    const { weight, bias, padding, dilation, groups } = this;
    requireDtype('Conv2d', input, weight);
    if (suitsConv3x3(input, this)) return conv3x3(input, [weight]);
    const subsamples = this.#corruptsMemory() && recordsOperators();
    const image = subsamples ? subsampled(input, this.stride) : input;
    return conv2d(image, weight, bias, subsamples ? 1 : this.stride, padding, dilation, groups);
  }

  /**
   * Whether oneDNN 2.6, which libtorch 1.13 uses, may write beyond its memory in the backward pass. With AVX2 it does so
   * for pointwise filters with a stride, on images in channels_last with fewer channels than a register has values.
   */
  #corruptsMemory(): boolean {
    const [, channels, height, width] = this.weight.shape as readonly [number, number, number, number];
    const isPointwise = height === 1 && width === 1 && this.padding.every((size) => size === 0);
    return isPointwise && channels < FEW_CHANNELS && this.stride.some((step) => step > 1);
  }
}
