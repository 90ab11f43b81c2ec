import { foreachAdd, foreachAdd_, foreachMul_ } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Moved, Optimizer } from './optimizer.js';

export interface SGDOptions {
  learningRate: number;
  /** mu; 0 is plain gradient descent. */
  momentum?: number;
  /** Looks ahead along the momentum (Nesterov), as PyTorch writes it: g + mu v. */
  nesterov?: boolean;
  /** Added to the gradient, times the parameter (L2). */
  weightDecay?: number;
}

/** Stochastic gradient descent: v = mu v + g, w = w - lr v (Nesterov: w - lr (g + mu v)), as PyTorch's `SGD`. */
export class SGD extends Optimizer {
  protected override readonly remembers = ['velocity'];
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #weightDecay: number;

  constructor(parameters: readonly Tensor[], options: SGDOptions) {
    super(parameters, options.learningRate);
    this.#momentum = options.momentum ?? 0;
    this.#nesterov = options.nesterov ?? false;
    this.#weightDecay = options.weightDecay ?? 0;
    if (this.#nesterov && this.#momentum === 0)
      throw new RangeError('Nesterov momentum needs a momentum above 0');
  }

  protected override update(moved: Moved): void {
    let direction = moved.gradients;
    if (this.#weightDecay !== 0)
      direction = foreachAdd(direction, moved.parameters, { alpha: this.#weightDecay });
    if (this.#momentum !== 0) {
      const velocity = this.remembered('velocity', moved);
      foreachMul_(velocity, this.#momentum);
      foreachAdd_(velocity, direction);
      direction = this.#nesterov ? foreachAdd(direction, velocity, { alpha: this.#momentum }) : velocity;
    }
    foreachAdd_(moved.parameters, direction, { alpha: -this.learningRate });
  }
}
