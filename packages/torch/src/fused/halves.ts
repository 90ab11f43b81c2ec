import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::halves', '');

/**
 * What the two convolutions of a factorized reduction read of [N, C, H, W]: the pixels of even rows and columns, and
 * behind them, in channels of their own, those one row and one column on; zeros beyond the edges.
 *
 * @returns [N, 2C, H / 2, W / 2], sizes rounded up
 */
export function halves(image: Tensor): Tensor {
  return new Tensor(invoke(operator, image.handle) as number);
}
