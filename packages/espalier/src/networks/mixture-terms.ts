import { fused, ones, type Tensor } from '@espalier/torch';

/** The sum of what several edges bring to a node. */
export function sumOf(terms: readonly fused.MixtureTerm[]): Tensor {
  const [first, ...others] = terms as readonly [fused.MixtureTerm, ...fused.MixtureTerm[]];
  if (terms.every((term): term is Tensor => !(term instanceof fused.Normalised)))
    return (others as Tensor[]).reduce((sum, term) => sum.add(term), first as Tensor);
  const { dtype, shape } = first instanceof fused.Normalised ? first.values : first;
  return fused.mixture(terms, ones([1, terms.length], { dtype }), shape[1] as number)[0] as Tensor;
}

/** As a tensor of its own. */
export function written(term: fused.MixtureTerm): Tensor {
  return term instanceof fused.Normalised ? term.toTensor() : term;
}
