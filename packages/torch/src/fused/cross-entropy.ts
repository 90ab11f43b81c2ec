import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';

const operator = new Operator('espalier::cross_entropy', '');

/**
 * The mean cross entropy of logits [..., V] with targets [...] (int64, below V): `crossEntropyLoss`, by a kernel where there
 * is one for such tensors. A scalar.
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const rows = logits.flatten(0, -2);
  if (!runsKernels(logits)) return rows.crossEntropyLoss(targets.flatten());
  return new Tensor(invoke(operator, rows.handle, targets.flatten().handle) as number);
}
