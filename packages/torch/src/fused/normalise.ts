import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { normArguments, scaleAndShift } from './norms.js';

const operator = new Operator('espalier::normalise', '');

/**
 * Batch norm whose result is not written: whoever reads the values applies scale and shift.
 *
 * @param values [N, C, H, W]; the norms have equal shares of the channels, in order
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function normalise(values: Tensor, norms: readonly BatchNormLayer[]): Normalised {
  const { gamma, beta, running, momentum, epsilon } = normArguments('normalise', norms);
  const kept = scaleAndShift('normalise', values, norms);
  if (kept !== undefined) return new Normalised(values, ...kept);
  const [scale, shift] = invoke(
    operator,
    values.handle,
    norms.length,
    gamma,
    beta,
    running,
    momentum,
    epsilon,
  ) as [number, number];
  return new Normalised(values, new Tensor(scale), new Tensor(shift));
}
