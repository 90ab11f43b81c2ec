import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';
import type { BatchNormLayer } from './layers.js';
import { runningStatistics } from './running-statistics.js';

const operator = new Operator('espalier::batch_norm_relu', '');

/**
 * Batch norm and the rectified linear units behind it: by one kernel in training, else by the layer's `forward` and `relu`.
 *
 * @param values [N, C, H, W]
 */
export function batchNormRelu(
  values: Tensor,
  norm: BatchNormLayer & { forward(values: Tensor): Tensor },
): Tensor {
  const { dtype, shape } = values;
  const isServed = norm.training && runsKernels(values) && (norm.weight?.dtype ?? dtype) === dtype;
  // The layer says what is wrong with other shapes, and with one value a channel.
  const fits = shape.length === 4 && shape.some((length, dimension) => dimension !== 1 && length > 1);
  if (!isServed || !fits) return norm.forward(values).relu();
  const handle = invoke(
    operator,
    values.handle,
    norm.weight?.handle,
    norm.bias?.handle,
    runningStatistics([norm]),
    norm.momentum,
    norm.epsilon,
  ) as number;
  return new Tensor(handle);
}
