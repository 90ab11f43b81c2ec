import { adamStep, stepsByKernel } from '../fused/optimiser-steps.js';
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
  /** beta_1 and beta_2, the decay rates of the mean and of the mean square of the gradients; 0.9 and 0.999 by default. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square; 1e-8 by default. */
  epsilon?: number;
  /** 0 by default. */
  weightDecay?: number;
}

/** Adam (Kingma & Ba 2015). As in PyTorch's `Adam`, weight decay adds to the gradient. */
export class Adam extends Optimizer {
  protected override readonly remembers = ['mean', 'square'];
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  protected readonly weightDecay: number;

  /** @throws RangeError for no parameters, and for a beta outside [0, 1) */
  constructor(parameters: readonly Tensor[], options: AdamOptions) {
    super(parameters, options.learningRate);
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#epsilon = options.epsilon ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0;
    for (const beta of this.#betas)
      if (!(beta >= 0 && beta < 1)) throw new RangeError(`Adam's betas are in [0, 1), not ${beta}`);
  }

  protected override update(moved: Moved): void {
    const [beta1, beta2] = this.#betas;
    const mean = this.remembered('mean', moved);
    const square = this.remembered('square', moved);
    // The bias correction depends on how many steps a parameter has made, which differs within a supernet.
    const bySteps = new Map<number, number[]>();
    for (const [place, index] of moved.indices.entries()) {
      const steps = this.steps[index] as number;
      const places = bySteps.get(steps);
      if (places === undefined) bySteps.set(steps, [place]);
      else places.push(place);
    }
    const step = stepsByKernel(moved.parameters) ? adamStep : stepOfEach;
    for (const [steps, places] of bySteps) {
      const at = (tensors: readonly Tensor[]) => places.map((place) => tensors[place] as Tensor);
      step(at(moved.parameters), at(moved.gradients), at(mean), at(square), {
        rate: this.learningRate / (1 - beta1 ** steps),
        root: Math.sqrt(1 - beta2 ** steps),
        betas: this.#betas,
        epsilon: this.#epsilon,
        ...this.decay(),
      });
    }
  }

  /** How weight decay acts: its coefficient in the gradient, and the factor that shrinks the parameters. */
  protected decay(): { weightDecay: number; shrinks: number } {
    return { weightDecay: this.weightDecay, shrinks: 1 };
  }
}

/** `adamStep` with libtorch's operators. */
const stepOfEach: typeof adamStep = (parameters, gradients, means, squares, rule) => {
  const { rate, root, betas, epsilon, weightDecay, shrinks } = rule;
  const [beta1, beta2] = betas;
  if (shrinks !== 1) foreachMul_(parameters, shrinks);
  const slopes = weightDecay === 0 ? gradients : foreachAdd(gradients, parameters, { alpha: weightDecay });
  foreachMul_(means, beta1);
  foreachAdd_(means, slopes, { alpha: 1 - beta1 });
  foreachMul_(squares, beta2);
  foreachAddcmul_(squares, slopes, slopes, 1 - beta2);
  const denominator = foreachSqrt(squares);
  foreachDiv_(denominator, root);
  foreachAdd_(denominator, epsilon);
  foreachAddcdiv_(parameters, means, denominator, -rate);
};

/** AdamW (Loshchilov & Hutter 2019): weight decay shrinks the parameters directly, apart from the gradient. */
export class AdamW extends Adam {
  protected override decay(): { weightDecay: number; shrinks: number } {
    return { weightDecay: 0, shrinks: 1 - this.learningRate * this.weightDecay };
  }
}
