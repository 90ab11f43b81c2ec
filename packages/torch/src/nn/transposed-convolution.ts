import { convTranspose2d } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Pair, requireGroups, requireInteger, requirePair } from './constructor-arguments.js';
import { fanInUniform } from './init.js';
import { Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

/**
 * Transposed convolution, grouped and dilated like PyTorch's `ConvTranspose2d`. It enlarges images by its stride:
 * [N, inputs, H, W] to [N, outputs, H', W'],
 * H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
 */
export class ConvTranspose2d extends Layer {
  /** [inputs, outputs / groups, height, width]: inputs first, unlike the weight of `Conv2d`. */
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  /** Rows and columns added at the bottom and on the right. */
  readonly outputPadding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  /**
   * @throws RangeError for sizes that are not integers in range, if `groups` does not divide both channel counts, and if
   *   `outputPadding` is smaller than neither the stride nor the dilation
   */
  constructor(
    inputs: number,
    outputs: number,
    kernel: Pair,
    options: {
      stride?: Pair;
      padding?: Pair;
      outputPadding?: Pair;
      dilation?: Pair;
      groups?: number;
      bias?: boolean;
    } = {},
  ) {
    super();
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options;
    requireInteger('inputs', inputs);
    requireInteger('outputs', outputs);
    const [height, width] = requirePair('kernel', kernel);
    this.stride = requirePair('stride', stride);
    this.padding = requirePair('padding', padding, 0);
    this.outputPadding = requirePair('outputPadding', outputPadding, 0);
    this.dilation = requirePair('dilation', dilation);
    this.groups = requireGroups(groups, { inputs, outputs });
    for (const [side, added] of this.outputPadding.entries())
      if (added >= Math.max(this.stride[side] as number, this.dilation[side] as number))
        throw new RangeError(
          `outputPadding [${this.outputPadding.join(', ')}] must be smaller than the stride [${this.stride.join(', ')}] or the dilation [${this.dilation.join(', ')}]`,
        );
    // PyTorch's fan-in of a transposed convolution: the second size of the weight times the kernel.
    const fanIn = (outputs / groups) * height * width;
    this.weight = new Parameter(fanInUniform([inputs, outputs / groups, height, width], fanIn));
    if (bias) this.bias = new Parameter(fanInUniform([outputs], fanIn));
  }

  /** @throws TypeError for an input of another element type than the weights */
  forward(input: Tensor): Tensor {
    const { weight, bias, stride, padding, outputPadding, groups, dilation } = this;
    requireDtype('ConvTranspose2d', input, weight);
    return convTranspose2d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
  }
}
