import type { Tensor } from '@espalier/torch';
import type { Activations } from '../language-model.js';

/**
 * What activation regularisation adds to the loss (Merity, McCann & Socher 2017): alpha times the mean square of what
 * the decoder reads, and beta times that of the change of the outputs from one time to the next. DARTS trains with
 * alpha = 0, beta = 0.001.
 *
 * @returns a scalar; undefined where it would add nothing
 */
export function activationRegularisation(
  { raw, dropped }: Activations,
  { alpha, beta }: { readonly alpha: number; readonly beta: number },
): Tensor | undefined {
  const times = raw.shape[0] as number;
  const activation = alpha === 0 ? undefined : dropped.square().mean().mul(alpha);
  const slowness =
    beta === 0 || times < 2
      ? undefined
      : raw
          .narrow(0, 1, times - 1)
          .sub(raw.narrow(0, 0, times - 1))
          .square()
          .mean()
          .mul(beta);
  return activation !== undefined && slowness !== undefined
    ? activation.add(slowness)
    : (activation ?? slowness);
}
