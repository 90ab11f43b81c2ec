import { cat, type fused, nn, type Tensor } from '@espalier/torch';
import { type HasKernelForm, type KernelForm, reductionForm } from '../../cells/kernel-form.js';
import { runByKernels } from '../../cells/run-together.js';
import type { Normalization } from './convolution.js';

/**
 * Halves height and width (rounded up) while using both the even and the odd positions. One 1x1 convolution reads the
 * even positions, another the odd ones. Each gives half of the output channels; the second gives one more if their
 * number is odd.
 */
export class FactorizedReduction extends nn.Layer {
  readonly even: nn.Conv2d;
  readonly odd: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;

  constructor(inputs: number, outputs: number, normalization: Normalization) {
    super();
    const half = Math.floor(outputs / 2);
    this.even = new nn.Conv2d(inputs, half, 1, { stride: 2, bias: false });
    this.odd = new nn.Conv2d(inputs, outputs - half, 1, { stride: 2, bias: false });
    this.norm = new nn.BatchNorm2d(outputs, normalization);
  }

  forward(input: Tensor): Tensor {
    // Shift by one pixel up and left. Zeros enter at the other side; they matter for odd sizes.
    const moved = input.constantPadNd([-1, 1, -1, 1]);
    return this.norm.forward(cat([this.even.forward(input), this.odd.forward(moved)], 1));
  }
}

/** ReLU followed by a factorized reduction. */
export class RectifiedReduction extends nn.Sequential implements HasKernelForm {
  readonly #reduction: FactorizedReduction;

  constructor(reduction: FactorizedReduction) {
    super(new nn.ReLU(), reduction);
    this.#reduction = reduction;
  }

  override forward(input: Tensor): Tensor {
    return runByKernels(this, input) ?? super.forward(input);
  }

  get kernelForm(): KernelForm {
    return reductionForm(this.#reduction.norm, () => this.#unit());
  }

  /** Both halves as one pointwise convolution on the result of `fused.halves`. */
  #unit(): fused.ReluConvNorm {
    const { even, odd, norm } = this.#reduction;
    const inputs = even.weight.shape[1] as number;
    const none = [0, 0, 0, 0];
    const pointwise = cat([
      even.weight.constantPadNd([...none, 0, inputs]),
      odd.weight.constantPadNd([...none, inputs, 0]),
    ]);
    return { pointwise, norm };
  }
}
