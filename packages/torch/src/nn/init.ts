import { noGrad } from '../autograd.js';
import { empty } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';

/** A float32 tensor drawn uniformly from [-bound, bound] with libtorch's generator. */
export function uniform(shape: readonly number[], bound: number): Tensor {
  return noGrad(() => empty(shape, { dtype: 'float32' }).uniform_(-bound, bound));
}

/**
 * PyTorch's default initialisation of convolutions and linear layers: uniform in +-1 / sqrt(fanIn), which is Kaiming
 * initialisation (He et al. 2015) with a = sqrt(5). Equal seeds give PyTorch's values.
 */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  return uniform(shape, 1 / Math.sqrt(fanIn));
}
