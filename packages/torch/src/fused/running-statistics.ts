import { cat } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';

/**
 * Scale and shift [channels] of batch norms in evaluation, one after the other: of the running statistics, not of the batch.
 * Undefined in training, and where no statistics are kept.
 */
export function scaleAndShift(
  norms: readonly BatchNormLayer[],
): readonly [scale: Tensor, shift: Tensor] | undefined {
  const [first] = norms;
  if (first === undefined || first.training || first.running_mean === undefined) return undefined;
  const joined = (of: (norm: BatchNormLayer) => Tensor | undefined) =>
    norms.length === 1 ? (of(first) as Tensor) : cat(norms.map((norm) => of(norm) as Tensor));
  const inverse = joined(({ running_var }) => running_var)
    .add(first.epsilon)
    .rsqrt();
  const scale = first.weight === undefined ? inverse : inverse.mul(joined(({ weight }) => weight));
  const centre = joined(({ running_mean }) => running_mean).mul(scale);
  return [scale, first.bias === undefined ? centre.neg() : joined(({ bias }) => bias).sub(centre)];
}

/** Handles of mean, variance and number of batches of each, which the kernels bring up to date; in evaluation none. */
export function runningStatistics(norms: readonly BatchNormLayer[]): number[] {
  return norms.flatMap(({ training, running_mean, running_var, num_batches_tracked }) =>
    !training || running_mean === undefined || running_var === undefined || num_batches_tracked === undefined
      ? []
      : [running_mean.handle, running_var.handle, num_batches_tracked.handle],
  );
}
