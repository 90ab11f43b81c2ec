import {
  foreachAdd,
  foreachAdd_,
  foreachAddcdiv_,
  foreachAddcmul_,
  foreachMul_,
  foreachSqrt,
} from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Moved, Optimizer } from './optimizer.js';

export interface RMSPropOptions {
  learningRate: number;
  /** alpha, the decay rate of the mean square of the gradients; 0.99 by default. */
  squareDecay?: number;
  /** 1e-8 by default. */
  epsilon?: number;
  /** mu; 0 by default. */
  momentum?: number;
  /** Adds weightDecay times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /**
   * Where epsilon stands: `pytorch` divides by sqrt(square) + epsilon; `tensorflow` by sqrt(square + epsilon), begins with a
   * mean square of 1, and multiplies by the learning rate before the momentum. With an epsilon of 1, as published for
   * Inception and NASNet, the two differ. `pytorch` by default.
   */
  form?: 'pytorch' | 'tensorflow';
}

/**
 * RMSProp (Tieleman & Hinton 2012, lecture 6.5), without centring, as PyTorch's `RMSprop` or TensorFlow's
 * `RMSPropOptimizer`.
 */
export class RMSProp extends Optimizer {
  protected override readonly remembers = ['square', 'velocity'];
  readonly #squareDecay: number;
  readonly #epsilon: number;
  readonly #momentum: number;
  readonly #weightDecay: number;
  readonly #form: 'pytorch' | 'tensorflow';

  /** @throws RangeError for no parameters, and for a decay of the mean square outside [0, 1) */
  constructor(parameters: readonly Tensor[], options: RMSPropOptions) {
    super(parameters, options.learningRate);
    this.#squareDecay = options.squareDecay ?? 0.99;
    this.#epsilon = options.epsilon ?? 1e-8;
    this.#momentum = options.momentum ?? 0;
    this.#weightDecay = options.weightDecay ?? 0;
    this.#form = options.form ?? 'pytorch';
    if (!(this.#squareDecay >= 0 && this.#squareDecay < 1))
      throw new RangeError(`RMSProp's decay of the mean square is in [0, 1), not ${this.#squareDecay}`);
  }

  protected override update(moved: Moved): void {
    const { parameters, gradients } = moved;
    const decay = this.#weightDecay;
    const slopes = decay === 0 ? gradients : foreachAdd(gradients, parameters, { alpha: decay });
    const square = this.remembered('square', moved, this.#form === 'tensorflow' ? 1 : 0);
    foreachMul_(square, this.#squareDecay);
    foreachAddcmul_(square, slopes, slopes, 1 - this.#squareDecay);
    const root = this.#form === 'tensorflow' ? this.#rootOfSum(square) : this.#sumOfRoot(square);
    if (this.#momentum === 0) {
      foreachAddcdiv_(parameters, slopes, root, -this.learningRate);
      return;
    }
    const velocity = this.remembered('velocity', moved);
    foreachMul_(velocity, this.#momentum);
    const early = this.#form === 'tensorflow';
    foreachAddcdiv_(velocity, slopes, root, early ? this.learningRate : 1);
    foreachAdd_(parameters, velocity, { alpha: early ? -1 : -this.learningRate });
  }

  #sumOfRoot(square: readonly Tensor[]): Tensor[] {
    const root = foreachSqrt(square);
    foreachAdd_(root, this.#epsilon);
    return root;
  }

  #rootOfSum(square: readonly Tensor[]): Tensor[] {
    return foreachSqrt(square.map((each) => each.add(this.#epsilon)));
  }
}
