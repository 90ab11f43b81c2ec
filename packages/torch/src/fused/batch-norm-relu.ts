import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { runningStatistics } from './running-statistics.js';

const operator = new Operator('espalier::batch_norm_relu', '');

/**
 * Batch norm by the batch's own statistics, and the rectified linear units behind it, at once.
 *
 * @param values [N, C, H, W]
 */
export function batchNormRelu(values: Tensor, norm: BatchNormLayer): Tensor {
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
