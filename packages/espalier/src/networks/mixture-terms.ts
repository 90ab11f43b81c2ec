import { cat, fused, ones, type Tensor } from '@espalier/torch';
import { dropPathMask } from './drop-path.js';

/** The contribution of an edge to a node. With drop path, `mask` holds the factor of each image, [N, 1, 1, 1]. */
export interface Path {
  readonly term: fused.MixtureTerm;
  readonly mask?: Tensor;
}

/** A path that is dropped with the given probability (less than 1). */
export function pathOf(term: fused.MixtureTerm, dropProbability: number): Path {
  return dropProbability === 0 ? { term } : { term, mask: dropPathMask(valuesOf(term), dropProbability) };
}

/** The sum of the contributions of several edges. With the kernels, masks and batch norm are applied during the sum. */
export function sumOf(paths: readonly Path[]): Tensor {
  const terms = paths.map(({ term }) => term);
  const first = valuesOf(terms[0] as fused.MixtureTerm);
  const isMasked = paths.some(({ mask }) => mask !== undefined);
  const isNormalised = terms.some((term) => term instanceof fused.Normalised);
  if (!isNormalised && !(isMasked && fused.runsKernels(first)))
    return paths.map(materialise).reduce((sum, term) => sum.add(term));
  const { dtype, shape } = first;
  const [images, channels] = shape as [number, number];
  const columns = () => paths.map(({ mask }) => mask?.reshape([images, 1]) ?? ones([images, 1], { dtype }));
  const shares = isMasked ? cat(columns(), 1) : undefined;
  return fused.mixture(terms, ones([1, terms.length], { dtype }), channels, shares)[0] as Tensor;
}

/** Computes the values of a path as a tensor. */
export function materialise({ term, mask }: Path): Tensor {
  const value = term instanceof fused.Normalised ? term.toTensor() : term;
  return mask === undefined ? value : value.mul(mask);
}

function valuesOf(term: fused.MixtureTerm): Tensor {
  return term instanceof fused.Normalised ? term.values : term;
}
