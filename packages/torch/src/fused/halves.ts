import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::halves', '');

/**
 * The inputs of the two convolutions of a factorized reduction: the pixels of even rows and columns, and, in further channels, the
 * pixels one row down and one column to the right of them, with zeros beyond the edges.
 *
 * @param image [N, C, H, W]
 * @returns [N, 2C, H / 2, W / 2], sizes rounded up
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function halves(image: Tensor): Tensor {
  return new Tensor(invoke(operator, image.handle) as number);
}
