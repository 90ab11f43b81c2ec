import {
  foreachAdd,
  foreachAdd_,
  foreachAddcdiv_,
  foreachAddcmul_,
  foreachDiv_,
  foreachMul_,
  foreachSqrt,
} from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Moved, Optimizer } from './optimizer.js';

export interface AdamOptions {
  learningRate: number;
  /** beta_1, beta_2: decay of the mean and of the mean square of the gradients. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square. */
  epsilon?: number;
  weightDecay?: number;
}

/** Adam (Kingma & Ba 2015), as PyTorch's: weight decay is added to the gradient. */
export class Adam extends Optimizer {
  protected override readonly remembers = ['mean', 'square'];
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  protected readonly weightDecay: number;

  constructor(parameters: readonly Tensor[], options: AdamOptions) {
    super(parameters, options.learningRate);
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#epsilon = options.epsilon ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0;
    for (const beta of this.#betas)
      if (!(beta >= 0 && beta < 1)) throw new RangeError(`Adam's betas are in [0, 1), not ${beta}`);
  }

  protected override update(moved: Moved): void {
    const { parameters, gradients } = moved;
    this.adapt(
      this.weightDecay === 0
        ? moved
        : { ...moved, gradients: foreachAdd(gradients, parameters, { alpha: this.weightDecay }) },
    );
  }

  protected adapt(moved: Moved): void {
    const [beta1, beta2] = this.#betas;
    const mean = this.remembered('mean', moved);
    const square = this.remembered('square', moved);
    foreachMul_(mean, beta1);
    foreachAdd_(mean, moved.gradients, { alpha: 1 - beta1 });
    foreachMul_(square, beta2);
    foreachAddcmul_(square, moved.gradients, moved.gradients, 1 - beta2);
    // The bias to correct depends on how many steps a parameter has made; in a supernet these differ.
    const bySteps = new Map<number, number[]>();
    for (const [place, index] of moved.indices.entries()) {
      const steps = this.steps[index] as number;
      const places = bySteps.get(steps);
      if (places === undefined) bySteps.set(steps, [place]);
      else places.push(place);
    }
    for (const [steps, places] of bySteps) {
      const at = (tensors: readonly Tensor[]) => places.map((place) => tensors[place] as Tensor);
      const denominator = foreachSqrt(at(square));
      foreachDiv_(denominator, Math.sqrt(1 - beta2 ** steps));
      foreachAdd_(denominator, this.#epsilon);
      foreachAddcdiv_(at(moved.parameters), at(mean), denominator, -this.learningRate / (1 - beta1 ** steps));
    }
  }
}

/** AdamW (Loshchilov & Hutter 2019): weight decay shrinks the parameters apart from the gradient. */
export class AdamW extends Adam {
  protected override update(moved: Moved): void {
    if (this.weightDecay !== 0) foreachMul_(moved.parameters, 1 - this.learningRate * this.weightDecay);
    this.adapt(moved);
  }
}
