import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { LstmLayer } from './layers.js';

const operator = new Operator('espalier::recalling_lstm', '');

/**
 * An LSTM of several layers over T times, from states of zeros, that reads at each time what it is given and some of what
 * it gave out before: given[t] + sum over s < t of recalled[t, :, s] h_s, with h_s what its last layer gave out at time s
 * (anchor points: Zoph & Le 2016, section 3.3). All cells have as many inputs as units.
 *
 * @param given [T, B, H]
 * @param recalled [T, B, T]: read below the diagonal only; no gradient flows to it
 * @returns [T, B, H], of the last layer
 */
export function recallingLstm(given: Tensor, recalled: Tensor, cells: readonly LstmLayer[]): Tensor {
  const weights = cells.flatMap(({ weight_ih, weight_hh, bias_ih, bias_hh }) =>
    [weight_ih, weight_hh, bias_ih, bias_hh].map((weight) => weight.handle),
  );
  return new Tensor(invoke(operator, given.handle, recalled.handle, weights) as number);
}
