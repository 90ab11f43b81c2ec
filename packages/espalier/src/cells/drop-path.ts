import { empty, noGrad, type Tensor } from '@espalier/torch';

/**
 * Drop path (Larsson et al. 2016): sets each image of [N, C, H, W] to zero with the given probability (less than 1), and
 * scales the others so that the expectation is preserved.
 */
export function dropPath(path: Tensor, probability: number): Tensor {
  return path.mul(dropPathMask(path, probability));
}

/** A random mask that drops images with the given probability and scales the others: [N, 1, 1, 1]. */
export function dropPathMask(path: Tensor, probability: number): Tensor {
  const kept = 1 - probability;
  return noGrad(() =>
    empty([path.shape[0] as number, 1, 1, 1], { dtype: path.dtype, device: path.device })
      .bernoulli_(kept)
      .div_(kept),
  );
}
