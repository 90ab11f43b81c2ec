import { noGrad, observeOperators, scope, Tensor } from '../../packages/torch/dist/index.js';

const shape = (/** @type {unknown} */ handle) => new Tensor(/** @type {number} */ (handle)).shape;
const product = (/** @type {readonly number[]} */ lengths) =>
  lengths.reduce((total, length) => total * length, 1);

/**
 * Multiply-adds of the convolutions and linear layers that `forward` calls, for its whole batch. Changes nothing in
 * weights, but batch norm sees the batch.
 * @param {() => unknown} forward
 */
export function multiplyAdds(forward) {
  let count = 0;
  observeOperators(
    ({ name }, args, result) => {
      // Each element of the output is a sum over a filter: all of the weight but its outputs.
      if (name === 'aten::conv2d' || name === 'aten::linear')
        count += product(shape(result)) * product(shape(args[1]).slice(1));
    },
    () => scope(() => noGrad(() => void forward())),
  );
  return count;
}
