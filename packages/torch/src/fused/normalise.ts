import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { runningStatistics, scaleAndShift } from './running-statistics.js';

const operator = new Operator('espalier::normalise', '');

/**
 * Batch norm, not written down.
 *
 * @param values [N, C, H, W], the channels of each of the norms in turn
 */
export function normalise(values: Tensor, norms: readonly BatchNormLayer[]): Normalised {
  const kept = scaleAndShift(norms);
  if (kept !== undefined) return new Normalised(values, ...kept);
  const { momentum, epsilon, weight } = norms[0] as BatchNormLayer;
  const affine = weight !== undefined;
  const [scale, shift] = invoke(
    operator,
    values.handle,
    affine ? norms.map((norm) => (norm.weight as Tensor).handle) : [],
    affine ? norms.map((norm) => (norm.bias as Tensor).handle) : [],
    runningStatistics(norms),
    momentum,
    epsilon,
  ) as [number, number];
  return new Normalised(values, new Tensor(scale), new Tensor(shift));
}
