import {
  foreachAdd,
  foreachAdd_,
  foreachMul_,
  foreachNorm,
  foreachSub,
  grad,
  noGrad,
  type optim,
  scope,
  stack,
  type Tensor,
} from '@espalier/torch';

/** The two levels of the optimisation: what the weights minimise, and what the architecture does. */
export interface BilevelProblem {
  readonly weights: readonly Tensor[];
  readonly alphas: readonly Tensor[];
  /** L_train(w, alpha), on the batch of the step. */
  trainingLoss(): Tensor;
  /** L_val(w, alpha), on the batch of the step. */
  validationLoss(): Tensor;
}

/** The gradient of the architecture, a tensor for each alpha, and the validation loss that it was taken of. */
export interface ArchitectureGradient {
  readonly gradients: readonly Tensor[];
  readonly loss: number;
}

/**
 * First order: the gradient of L_val(w, alpha), as if the weights did not depend on the architecture (DARTS, section
 * 2.3, xi = 0).
 */
export function firstOrderGradient({ alphas, validationLoss }: BilevelProblem): ArchitectureGradient {
  return differentiate(validationLoss, alphas);
}

/** How the weights are about to move: what the look-ahead of second order repeats. */
export interface WeightStep {
  /** xi, the learning rate. */
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Its memory holds the velocity. */
  readonly optimizer: optim.SGD;
}

/**
 * Second order: the gradient of L_val(w', alpha) where w' = w - xi dL_train(w, alpha)/dw is the step that the weights
 * would make, with momentum and weight decay as in the authors' code (DARTS, equations 6 and 7):
 *
 *   dL_val(w', alpha)/dalpha - xi (d/dalpha dL_train(w, alpha)/dw) dL_val(w', alpha)/dw'
 *
 * The product of the mixed derivative with that direction is a difference of two gradients to both sides of w, with
 * epsilon = 0.01 / ||dL_val/dw'|| (equation 8). The weights are as before afterwards, to the bit.
 */
export function secondOrderGradient(
  problem: BilevelProblem,
  { learningRate, momentum, weightDecay, optimizer }: WeightStep,
): ArchitectureGradient {
  const { weights, alphas, trainingLoss, validationLoss } = problem;
  return scope(() => {
    const before = noGrad(() => weights.map((weight) => weight.clone()));
    const training = differentiate(trainingLoss, weights).gradients;
    const change = noGrad(() => foreachAdd(training, before, { alpha: weightDecay }));
    const velocities = velocitiesOf(optimizer, weights);
    if (velocities !== undefined && momentum !== 0)
      noGrad(() => foreachAdd_(change, velocities, { alpha: momentum }));
    setTo(weights, () => foreachAdd(before, change, { alpha: -learningRate }));
    const { gradients: all, loss } = differentiate(validationLoss, [...alphas, ...weights]);
    const gradients = all.slice(0, alphas.length);
    const direction = all.slice(alphas.length);
    const norm = noGrad(() => stack(foreachNorm(direction)).norm(2, [0]).item());
    // At a minimum of L_val there is no direction to look along, and nothing to take off.
    if (norm === 0) {
      setTo(weights, () => before);
      return { gradients, loss };
    }
    const epsilon = 0.01 / norm;
    const aside = (distance: number) => {
      setTo(weights, () => foreachAdd(before, direction, { alpha: distance }));
      return differentiate(trainingLoss, alphas).gradients;
    };
    const [above, below] = [aside(epsilon), aside(-epsilon)];
    const difference = noGrad(() => foreachSub(above, below));
    setTo(weights, () => before);
    return noGrad(() => {
      foreachMul_(difference, learningRate / (2 * epsilon));
      return { gradients: foreachSub(gradients, difference), loss };
    });
  });
}

/** A scope of its own frees the activations of one pass before the next begins. */
function differentiate(lossOf: () => Tensor, inputs: readonly Tensor[]): ArchitectureGradient {
  return scope(() => {
    const loss = lossOf();
    const gradients = grad(loss, inputs, { allowUnused: true });
    // What a loss does not depend on does not change it.
    return {
      gradients: gradients.map((gradient, place) => gradient ?? (inputs[place] as Tensor).zerosLike()),
      loss: loss.item(),
    };
  });
}

/** The velocity of each weight; zeros where it has not moved yet, undefined before the first step. */
function velocitiesOf(optimizer: optim.SGD, weights: readonly Tensor[]): Tensor[] | undefined {
  const memory = optimizer.stateDict();
  const velocities = weights.map((_, place) => memory.get(`velocity.${place}`));
  if (velocities.every((velocity) => velocity === undefined)) return undefined;
  return velocities.map((velocity, place) => velocity ?? (weights[place] as Tensor).zerosLike());
}

function setTo(weights: readonly Tensor[], values: () => readonly Tensor[]): void {
  scope(() =>
    noGrad(() => {
      for (const [place, value] of values().entries()) (weights[place] as Tensor).copy_(value);
    }),
  );
}
