import { noGrad } from '../autograd.js';
import { empty, ones, randn, zeros } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';

let isWeightless = false;

/**
 * Runs `body`, in which modules are made with weights of the right shapes that take no memory: the numbers in them are one
 * zero. Such a network can be measured, however large it is, and not be trained. Weights that `body` makes itself are as
 * usual.
 */
export function withoutWeights<T>(body: () => T): T {
  const outer = isWeightless;
  isWeightless = true;
  try {
    return body();
  } finally {
    isWeightless = outer;
  }
}

function weightless(shape: readonly number[]): Tensor {
  return noGrad(() => {
    const zero = zeros([1], { dtype: 'float32' });
    const weight = zero.expand(shape);
    zero.free();
    return weight;
  });
}

/** A float32 tensor of ones, or of zeros. */
export function constant(shape: readonly number[], value: 0 | 1): Tensor {
  if (isWeightless) return weightless(shape);
  return (value === 1 ? ones : zeros)(shape, { dtype: 'float32' });
}

/** A float32 tensor of the standard normal distribution, drawn with libtorch's generator. */
export function normal(shape: readonly number[]): Tensor {
  return isWeightless ? weightless(shape) : randn(shape, { dtype: 'float32' });
}

/** A float32 tensor drawn uniformly from [-bound, bound] with libtorch's generator. */
export function uniform(shape: readonly number[], bound: number): Tensor {
  if (isWeightless) return weightless(shape);
  return noGrad(() => empty(shape, { dtype: 'float32' }).uniform_(-bound, bound));
}

/**
 * PyTorch's default initialisation of convolutions and linear layers: uniform in +-1 / sqrt(fanIn), which is Kaiming
 * initialisation (He et al. 2015) with a = sqrt(5). Equal seeds give PyTorch's values.
 */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  return uniform(shape, 1 / Math.sqrt(fanIn));
}
