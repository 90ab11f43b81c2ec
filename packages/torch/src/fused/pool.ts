import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::pool', '');

/**
 * 3x3 pooling of [N, C, H, W] to [N, C, H / stride, W / stride], rounded up. Pixels beyond the edges do not count.
 *
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function pool(input: Tensor, kind: 'max' | 'avg', stride: number): Tensor {
  return new Tensor(invoke(operator, input.handle, kind === 'max', stride) as number);
}
