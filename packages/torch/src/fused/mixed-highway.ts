import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::mixed_highway', '');

/**
 * The mixed operation of a node of a recurrent cell (DARTS, sections 2.2 and A.1.2): the sum over the earlier states s of
 * s p + c (sum of p_k f_k(h) - s p), where p is the sum of all p_k. The gate c and h are the halves of one product.
 *
 * @param states [edges, N, H]
 * @param products [edges, N, 2H], gates (before their sigmoid) first
 * @param weights [edges, 4]: p_k of tanh, relu, sigmoid and identity
 * @returns [N, H]
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function mixedHighway(states: Tensor, products: Tensor, weights: Tensor): Tensor {
  return new Tensor(invoke(operator, states.handle, products.handle, weights.handle) as number);
}
