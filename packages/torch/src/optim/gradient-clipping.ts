import { gradientsOf, noGrad } from '../autograd.js';
import { clipGradients, stepsByKernel } from '../fused/optimiser-steps.js';
import { foreachMul_, foreachNorm, stack } from '../operators.generated.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

/**
 * Scales all gradients by one factor so that their joint 2-norm is at most `most`, like PyTorch's `clip_grad_norm_`.
 *
 * @returns the norm before clipping
 */
export function clipGradientNorm(parameters: readonly Tensor[], most: number): number {
  return scope(() =>
    noGrad(() => {
      const gradients = gradientsOf(parameters).filter((gradient) => gradient !== undefined);
      if (gradients.length === 0) return 0;
      if (stepsByKernel(gradients)) return clipGradients(gradients, most);
      const norm = stack(foreachNorm(gradients)).norm(2, [0]).item();
      const factor = most / (norm + 1e-6);
      if (factor < 1) foreachMul_(gradients, factor);
      return norm;
    }),
  );
}
