import { noGrad, rand, type Tensor } from '@espalier/torch';
import type { Relaxation } from '../supernets/alphas.js';

/** Keeps the logarithms of uniform random numbers finite. */
const SMALLEST = 1e-10;

/**
 * One operation for each edge, drawn from the softmax of its architecture parameters, with the gradient of the softmax at
 * temperature tau (Dong & Yang 2019, equations 4 to 6; the straight-through Gumbel-softmax of Jang et al. 2017). The
 * noise comes from the generator of the CPU, whose state is saved with a search, whatever device the parameters are on.
 *
 * @returns weights that are 1 for the operation drawn and 0 for the others
 */
export function gumbelChoice(alphas: Tensor, tau: number): Tensor {
  const noise = noGrad(() =>
    rand([...alphas.shape], { dtype: alphas.dtype })
      .clampMin(SMALLEST)
      .log()
      .neg()
      .clampMin(SMALLEST)
      .log()
      .neg()
      .to({ device: alphas.device }),
  );
  const soft = alphas.logSoftmax(-1).add(noise).div(tau).softmax(-1);
  return straightThrough(soft);
}

/** The most probable operation of each edge, without chance. */
export const mostProbable: Relaxation = (alphas) => straightThrough(alphas.softmax(-1));

/** One-hot rows with a 1 at the largest value, and with the gradient of the rows themselves. */
function straightThrough(soft: Tensor): Tensor {
  const hard = noGrad(() => soft.eq(soft.amax([-1], true)).to({ dtype: soft.dtype }));
  // In this order the value is the one-hot row to the bit: the difference is exactly zero.
  return hard.add(soft.sub(soft.detach()));
}
