import { autocasts } from '../autocast.js';
import { invoke, Operator } from '../dispatcher.js';
import { linear as plainLinear } from '../operators.generated.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';

const operator = new Operator('espalier::matmul', '');

/** What autocast is to compute in another type is libtorch's. */
const serves = (left: Tensor, right: Tensor): boolean =>
  runsKernels(left) && left.dtype === right.dtype && !autocasts();

/** [..., K] times [K, N]: `left.matmul(right)`, by a kernel where there is one for such tensors. */
export function matmul(left: Tensor, right: Tensor): Tensor {
  if (!serves(left, right)) return left.matmul(right);
  return new Tensor(invoke(operator, left.handle, right.handle, null, false) as number);
}

/** [..., K] times the transpose of [N, K], plus [N]: `linear`, by a kernel where there is one for such tensors. */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (!serves(input, weight)) return plainLinear(input, weight, bias);
  return new Tensor(invoke(operator, input.handle, weight.handle, bias?.handle ?? null, true) as number);
}
