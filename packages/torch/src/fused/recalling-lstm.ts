import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { LstmLayer } from './layers.js';

const operator = new Operator('espalier::recalling_lstm', '');

/**
 * An LSTM of several layers over T steps, from states of zeros, that reads some of its earlier outputs again. The input of step t is
 * given[t] + sum over s < t of recalled[t, :, s] h_s, where h_s is the last layer's output at step s (anchor points: Zoph & Le 2016,
 * section 3.3). All cells have as many inputs as units.
 *
 * @param given [T, B, H]
 * @param recalled [T, B, T], read below the diagonal only; it gets no gradient
 * @returns [T, B, H], the outputs of the last layer
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function recallingLstm(given: Tensor, recalled: Tensor, cells: readonly LstmLayer[]): Tensor {
  const weights = cells.flatMap(({ weight_ih, weight_hh, bias_ih, bias_hh }) =>
    [weight_ih, weight_hh, bias_ih, bias_hh].map((weight) => weight.handle),
  );
  return new Tensor(invoke(operator, given.handle, recalled.handle, weights) as number);
}
