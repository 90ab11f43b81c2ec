import { sgdStep, stepsByKernel } from '../fused/optimiser-steps.js';
import { foreachAdd, foreachAdd_, foreachMul_ } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Moved, Optimizer } from './optimizer.js';

export interface SGDOptions {
  learningRate: number;
  /** mu; 0 by default, which is plain gradient descent. */
  momentum?: number;
  /** Whether to use Nesterov momentum in PyTorch's form, g + mu v; needs a momentum. */
  nesterov?: boolean;
  /** The coefficient of L2 regularisation, which adds weightDecay times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
}

/** Stochastic gradient descent: v = mu v + g, w = w - lr v (Nesterov: w - lr (g + mu v)), as PyTorch's `SGD`. */
export class SGD extends Optimizer {
  protected override readonly remembers = ['velocity'];
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #weightDecay: number;

  /** @throws RangeError for no parameters, and for Nesterov momentum without a momentum */
  constructor(parameters: readonly Tensor[], options: SGDOptions) {
    super(parameters, options.learningRate);
    this.#momentum = options.momentum ?? 0;
    this.#nesterov = options.nesterov ?? false;
    this.#weightDecay = options.weightDecay ?? 0;
    if (this.#nesterov && this.#momentum === 0)
      throw new RangeError('Nesterov momentum needs a momentum above 0');
  }

  protected override update(moved: Moved): void {
    const { parameters, gradients } = moved;
    const step = stepsByKernel(parameters) ? sgdStep : stepOfEach;
    step(parameters, gradients, this.#momentum === 0 ? [] : this.remembered('velocity', moved), {
      learningRate: this.learningRate,
      momentum: this.#momentum,
      nesterov: this.#nesterov,
      weightDecay: this.#weightDecay,
    });
  }
}

/** `sgdStep` with libtorch's operators. */
const stepOfEach: typeof sgdStep = (parameters, gradients, velocities, rule) => {
  const { learningRate, momentum, nesterov, weightDecay } = rule;
  let direction = weightDecay === 0 ? gradients : foreachAdd(gradients, parameters, { alpha: weightDecay });
  if (momentum !== 0) {
    foreachMul_(velocities, momentum);
    foreachAdd_(velocities, direction);
    direction = nesterov ? foreachAdd(direction, velocities, { alpha: momentum }) : velocities;
  }
  foreachAdd_(parameters, direction, { alpha: -learningRate });
};
