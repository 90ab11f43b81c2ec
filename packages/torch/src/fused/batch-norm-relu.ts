import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';
import type { BatchNormLayer } from './layers.js';
import { normArguments } from './norms.js';

const operator = new Operator('espalier::batch_norm_relu', '');

/**
 * Batch norm and the rectified linear units behind it: one kernel in training, otherwise the layer's `forward` and `relu`.
 *
 * @param values [N, C, H, W]
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function batchNormRelu(
  values: Tensor,
  norm: BatchNormLayer & { forward(values: Tensor): Tensor },
): Tensor {
  const { dtype, shape } = values;
  const isServed = norm.training && runsKernels(values) && (norm.weight?.dtype ?? dtype) === dtype;
  // The layer's error for other shapes, and for one value a channel, is the better one.
  const fits = shape.length === 4 && shape.some((length, dimension) => dimension !== 1 && length > 1);
  if (!isServed || !fits) return norm.forward(values).relu();
  const { running, momentum, epsilon } = normArguments('batch_norm_relu', [norm]);
  const handles = [values, norm.weight, norm.bias].map((tensor) => tensor?.handle);
  return new Tensor(invoke(operator, ...handles, running, momentum, epsilon) as number);
}
