import type { Dtype } from '../dtype.js';
import type { Tensor } from '../tensor.js';

/** Inputs that libtorch computes with float32 weights too, within `autocast` or everywhere. */
const REDUCED: ReadonlySet<Dtype> = new Set(['float16', 'bfloat16']);

/**
 * Libtorch's own messages name neither the layer nor what to do.
 *
 * @param layer its name, for the message
 * @param weight a weight of the layer; without one any element type is taken
 * @throws TypeError for an input whose element type the layer cannot take
 */
export function requireDtype(layer: string, { dtype }: Tensor, weight: Tensor | undefined): void {
  if (weight === undefined || REDUCED.has(dtype) || dtype === weight.dtype) return;
  throw new TypeError(
    `${layer} holds ${weight.dtype} weights and takes no ${dtype} tensor; to({ dtype }) converts either of them`,
  );
}
