import { empty, noGrad, type Tensor } from '@espalier/torch';

/**
 * Drops a path (Larsson et al. 2016): each image of [N, C, H, W] becomes zero with the given probability (below 1),
 * the others are scaled so that the expectation stays.
 */
export function dropPath(path: Tensor, probability: number): Tensor {
  return path.mul(dropPathMask(path, probability));
}

/** What the images of such a path are multiplied by: [N, 1, 1, 1]. */
export function dropPathMask(path: Tensor, probability: number): Tensor {
  const kept = 1 - probability;
  return noGrad(() =>
    empty([path.shape[0] as number, 1, 1, 1], { dtype: path.dtype, device: path.device })
      .bernoulli_(kept)
      .div_(kept),
  );
}
