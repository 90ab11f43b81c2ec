import { invoke, invokeInPlace, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';

const sgd = new Operator('espalier::sgd_step', '');
const adam = new Operator('espalier::adam_step', '');
const clip = new Operator('espalier::clip_gradients', '');

const handles = (tensors: readonly Tensor[]) => tensors.map(({ handle }) => handle);

/** Whether the kernels take a step of these parameters: all float32 or all float64, on the CPU. */
export function stepsByKernel(parameters: readonly Tensor[]): boolean {
  const [first] = parameters;
  return (
    first !== undefined &&
    runsKernels(first) &&
    parameters.every(({ dtype, device }) => dtype === first.dtype && device === 'cpu')
  );
}

/** A step of stochastic gradient descent (`optim.SGD`) in one pass. `velocities` is empty without momentum. */
export function sgdStep(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  velocities: readonly Tensor[],
  rule: { learningRate: number; momentum: number; nesterov: boolean; weightDecay: number },
): void {
  const { learningRate, momentum, nesterov, weightDecay } = rule;
  const lists = [handles(parameters), handles(gradients), handles(velocities)];
  invokeInPlace(sgd, ...lists, learningRate, momentum, nesterov, weightDecay);
}

/**
 * A step of Adam (`optim.Adam`) in one pass.
 *
 * @param rule `rate` and `root` include the bias correction; parameters are multiplied by `shrinks` first
 */
export function adamStep(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  means: readonly Tensor[],
  squares: readonly Tensor[],
  rule: {
    rate: number;
    root: number;
    betas: readonly [number, number];
    epsilon: number;
    weightDecay: number;
    shrinks: number;
  },
): void {
  const { rate, root, betas, epsilon, weightDecay, shrinks } = rule;
  const lists = [handles(parameters), handles(gradients), handles(means), handles(squares)];
  invokeInPlace(adam, ...lists, rate, root, ...betas, epsilon, weightDecay, shrinks);
}

/** `optim.clipGradientNorm` in two passes. */
export function clipGradients(gradients: readonly Tensor[], most: number): number {
  return new Tensor(invoke(clip, handles(gradients), most) as number).item();
}
