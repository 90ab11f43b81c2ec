import { noGrad } from '../autograd.js';
import { empty } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';

/** A tensor drawn uniformly from [-bound, bound] with libtorch's generator. */
export function uniform(shape: readonly number[], bound: number): Tensor {
  return noGrad(() => empty(shape, { dtype: 'float32' }).uniform_(-bound, bound));
}

/**
 * PyTorch's default initialisation of convolutions and linear layers: uniform in +-1/sqrt(fan-in)
 * (Kaiming's with a = sqrt(5)). The same seed gives PyTorch's values.
 */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  return uniform(shape, fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0);
}
