import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::mixed_highway', '');

/**
 * The mixed operation of a node of a recurrent cell (DARTS, sections 2.2 and A.1.2): from each earlier state s a highway
 * s p + c (sum of p_k f_k(h) - s p), p the sum of all p_k, summed over the states. Gate c and h come of one product.
 *
 * @param states [edges, N, H]
 * @param products [edges, N, 2H], the gates (before their sigmoid) first
 * @param weights [edges, 4]: p_k of tanh, relu, sigmoid and identity
 * @returns [N, H]
 */
export function mixedHighway(states: Tensor, products: Tensor, weights: Tensor): Tensor {
  return new Tensor(invoke(operator, states.handle, products.handle, weights.handle) as number);
}
