import {
  foreachAdd,
  foreachMul,
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
import { rememberGenerators } from '../training/generators.js';
import { restoring, withSameMasks } from './undisturbed.js';

/** The two levels of the optimisation: the weights w minimise one loss, the architecture parameters alpha the other. */
export interface BilevelProblem {
  readonly weights: readonly Tensor[];
  readonly alphas: readonly Tensor[];
  /** The running statistics of batch norm. */
  readonly buffers: readonly Tensor[];
  /** L_train(w, alpha), on the training batch of the step. */
  trainingLoss(): Tensor;
  /** L_val(w, alpha), on the validation batch of the step. */
  validationLoss(): Tensor;
  /** Completes gradients in place, where several processes have parts of the batches. */
  sum?(gradients: readonly Tensor[]): void;
}

/** The gradient of the architecture: one tensor for each alpha, and the validation loss it belongs to. */
export interface ArchitectureGradient {
  readonly gradients: readonly Tensor[];
  readonly loss: number;
}

/**
 * First order: the gradient of L_val(w, alpha), as if the weights did not depend on the architecture (DARTS, section
 * 2.3, xi = 0).
 */
export function firstOrderGradient({ alphas, validationLoss, sum }: BilevelProblem): ArchitectureGradient {
  return differentiate(validationLoss, alphas, sum);
}

/** The step that the weights are about to make, which second order looks ahead to. */
export interface WeightStep {
  /** xi, the learning rate. */
  readonly learningRate: number;
  /** mu. */
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Its state holds the velocities. */
  readonly optimizer: optim.SGD;
  /** The largest norm of the training gradient in the look-ahead, and of the direction; undefined: no limit. */
  readonly clip?: number;
}

/**
 * Second order: the gradient of L_val(w', alpha), where w' = w - xi (c dL_train(w, alpha)/dw + ...) is the step that the
 * weights would make, with weight decay and momentum as in the authors' code (DARTS, equations 6 and 7):
 *
 *   dL_val(w', alpha)/dalpha - xi c (d/dalpha dL_train(w, alpha)/dw) v   with   v = dL_val(w', alpha)/dw'
 *
 * The product of the mixed derivative with v is a central difference of two gradients, at w + epsilon v and at
 * w - epsilon v, with epsilon = 0.01 / ||v|| (equation 8). Both passes have the dropout masks of the look-ahead's own
 * training pass, so that they differ in nothing but w. The weights are restored to the bit, and the running statistics
 * are those of w, not of w'.
 *
 * With `clip`, the training gradient of the look-ahead is scaled by c = min(1, clip / norm), and v is clipped to the
 * same norm (the authors' rnn/architect.py; cnn/architect.py does not clip, c = 1). The learning rate of their language
 * models is 20, and without the clipping the look-ahead ends in NaN. Two quirks of that program are not copied: it
 * never looks ahead with the embedding, because the tied decoder's old value overwrites it when the state is loaded; and
 * it multiplies the implicit term by clip / norm even where that is above 1 and the gradient was not scaled.
 */
export function secondOrderGradient(problem: BilevelProblem, step: WeightStep): ArchitectureGradient {
  const { weights, alphas, buffers, validationLoss, sum } = problem;
  const { learningRate, clip } = step;
  const device = weights[0]?.device ?? 'cpu';
  const trainingLoss = withSameMasks(problem.trainingLoss, device);
  return scope(() => {
    const before = noGrad(() => weights.map((weight) => weight.clone()));
    const training = clipped(differentiate(trainingLoss, weights, sum).gradients, clip);
    const change = noGrad(() =>
      directionOf(foreachAdd(training.tensors, before, { alpha: step.weightDecay }), step),
    );
    setTo(weights, () => foreachAdd(before, change, { alpha: -learningRate }));
    const { gradients: all, loss } = restoring(buffers, () =>
      differentiate(validationLoss, [...alphas, ...weights], sum),
    );
    const gradients = all.slice(0, alphas.length);
    const { tensors: direction, norm } = clipped(all.slice(alphas.length), clip);
    // At a minimum of L_val there is no direction to differentiate along, and the implicit term is zero.
    if (norm === 0) {
      setTo(weights, () => before);
      return { gradients, loss };
    }
    const putBack = rememberGenerators(device);
    const epsilon = 0.01 / norm;
    const gradientAt = (distance: number) => {
      setTo(weights, () => foreachAdd(before, direction, { alpha: distance }));
      return differentiate(trainingLoss, alphas, sum).gradients;
    };
    const [above, below] = [gradientAt(epsilon), gradientAt(-epsilon)];
    putBack();
    const implicit = noGrad(() => foreachSub(above, below));
    setTo(weights, () => before);
    return noGrad(() => {
      foreachMul_(implicit, (learningRate * training.factor) / (2 * epsilon));
      return { gradients: foreachSub(gradients, implicit), loss };
    });
  });
}

/** What SGD moves the weights along for gradients that include the weight decay: v = mu v + g; Nesterov: g + mu v. */
function directionOf(
  gradients: readonly Tensor[],
  { momentum, nesterov, optimizer }: WeightStep,
): readonly Tensor[] {
  if (momentum === 0) return gradients;
  const before = velocitiesOf(optimizer);
  const velocities = before === undefined ? gradients : foreachAdd(gradients, before, { alpha: momentum });
  return nesterov ? foreachAdd(gradients, velocities, { alpha: momentum }) : velocities;
}

/** Tensors, scaled so that their common 2-norm is at most a limit. */
interface Clipped {
  readonly tensors: readonly Tensor[];
  /** What they were multiplied by, at most 1. */
  readonly factor: number;
  /** Their norm now. */
  readonly norm: number;
}

function clipped(tensors: readonly Tensor[], most = Number.POSITIVE_INFINITY): Clipped {
  return noGrad(() => {
    const norm = scope(() => stack(foreachNorm(tensors)).norm(2, [0]).item());
    // As PyTorch's clip_grad_norm_ has it.
    const factor = Math.min(1, most / (norm + 1e-6));
    return { tensors: factor < 1 ? foreachMul(tensors, factor) : tensors, factor, norm: norm * factor };
  });
}

/** A scope of its own frees the activations of one pass before the next begins. */
function differentiate(
  lossOf: () => Tensor,
  inputs: readonly Tensor[],
  sum: BilevelProblem['sum'],
): ArchitectureGradient {
  return scope(() => {
    const loss = lossOf();
    // The gradient is zero with respect to what the loss does not depend on.
    const gradients = grad(loss, inputs, { allowUnused: true }).map(
      (gradient, place) => gradient ?? (inputs[place] as Tensor).zerosLike(),
    );
    sum?.(gradients);
    return { gradients, loss: loss.item() };
  });
}

/** The velocity of each weight, zeros where it has not moved yet; undefined before the first step. */
function velocitiesOf(optimizer: optim.SGD): Tensor[] | undefined {
  const state = optimizer.stateDict();
  const velocities = optimizer.parameters.map((_, place) => state.get(`velocity.${place}`));
  if (velocities.every((velocity) => velocity === undefined)) return undefined;
  return velocities.map((velocity, place) => velocity ?? (optimizer.parameters[place] as Tensor).zerosLike());
}

function setTo(weights: readonly Tensor[], values: () => readonly Tensor[]): void {
  scope(() =>
    noGrad(() => {
      for (const [place, value] of values().entries()) (weights[place] as Tensor).copy_(value);
    }),
  );
}
