import { cat, fused, ones, type Tensor } from '@espalier/torch';
import { dropPathMask } from './drop-path.js';

/** What an edge brings to a node, and what its images are multiplied by, [N, 1, 1, 1], where the path may be dropped. */
export interface Path {
  readonly term: fused.MixtureTerm;
  readonly mask?: Tensor;
}

/** A path that is dropped with this probability (below 1). */
export function pathOf(term: fused.MixtureTerm, dropProbability: number): Path {
  return dropProbability === 0 ? { term } : { term, mask: dropPathMask(valuesOf(term), dropProbability) };
}

/** The sum of what several edges bring to a node: with the kernels, masks and batch norm are applied while it is made. */
export function sumOf(paths: readonly Path[]): Tensor {
  const terms = paths.map(({ term }) => term);
  const first = valuesOf(terms[0] as fused.MixtureTerm);
  const isMasked = paths.some(({ mask }) => mask !== undefined);
  const isNormalised = terms.some((term) => term instanceof fused.Normalised);
  if (!isNormalised && !(isMasked && fused.runsKernels(first)))
    return paths.map(written).reduce((sum, term) => sum.add(term));
  const { dtype, shape } = first;
  const [images, channels] = shape as [number, number];
  const columns = () => paths.map(({ mask }) => mask?.reshape([images, 1]) ?? ones([images, 1], { dtype }));
  const shares = isMasked ? cat(columns(), 1) : undefined;
  return fused.mixture(terms, ones([1, terms.length], { dtype }), channels, shares)[0] as Tensor;
}

/** As a tensor of its own. */
export function written({ term, mask }: Path): Tensor {
  const value = term instanceof fused.Normalised ? term.toTensor() : term;
  return mask === undefined ? value : value.mul(mask);
}

function valuesOf(term: fused.MixtureTerm): Tensor {
  return term instanceof fused.Normalised ? term.values : term;
}
