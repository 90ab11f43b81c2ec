import { autocastDevice } from '../autocast.js';
import { invoke, Operator } from '../dispatcher.js';
import { linear as plainLinear } from '../operators.generated.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';

const operator = new Operator('espalier::matmul', '');

/** Under autocast, libtorch computes the product in the type that autocast chooses. */
const serves = (left: Tensor, right: Tensor): boolean =>
  runsKernels(left) && left.dtype === right.dtype && autocastDevice() === undefined;

/**
 * [..., K] times [K, N]: `left.matmul(right)`, by a kernel for float32 and float64 on the CPU.
 *
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function matmul(left: Tensor, right: Tensor): Tensor {
  if (!serves(left, right)) return left.matmul(right);
  return new Tensor(invoke(operator, left.handle, right.handle, null, false) as number);
}

/**
 * [..., K] times the transpose of [N, K], plus [N]: `linear`, by a kernel for float32 and float64 on the CPU.
 *
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (!serves(input, weight)) return plainLinear(input, weight, bias);
  return new Tensor(invoke(operator, input.handle, weight.handle, bias?.handle ?? null, true) as number);
}
