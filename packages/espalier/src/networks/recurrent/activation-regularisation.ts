import type { Tensor } from '@espalier/torch';
import type { Activations } from '../language-model.js';

/**
 * The loss terms of activation regularisation and temporal activation regularisation (Merity, McCann & Socher 2017):
 * alpha times the mean square of the decoder's input, plus beta times the mean square of the change of the outputs from
 * one time step to the next. DARTS trains with alpha = 0 and beta = 0.001.
 *
 * @returns a scalar, or undefined if both terms vanish
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
