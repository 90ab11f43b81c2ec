import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';

const operator = new Operator('espalier::cross_entropy', '');

/**
 * The mean cross entropy of logits [..., V] against targets [...] (int64, from 0 to V - 1): `crossEntropyLoss`, by a kernel for
 * float32 and float64 on the CPU. Returns a scalar.
 *
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const rows = logits.shape.length === 1 ? logits.unsqueeze(0) : logits.flatten(0, -2);
  if (!runsKernels(logits)) return rows.crossEntropyLoss(targets.flatten());
  return new Tensor(invoke(operator, rows.handle, targets.flatten().handle) as number);
}
