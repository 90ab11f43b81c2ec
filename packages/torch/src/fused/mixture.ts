import { invoke, Operator } from '../dispatcher.js';
import { ones } from '../operators.generated.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::mixture', '');

/**
 * `values` [N, C, H, W] with the scale and shift [C] of their batch norm: values * scale + shift. Whoever reads them next applies
 * both. Gradients flow through scale and shift to the batch's mean and variance.
 */
export class Normalised {
  constructor(
    readonly values: Tensor,
    readonly scale: Tensor,
    readonly shift: Tensor,
  ) {}

  /** The normalised values as a tensor. */
  toTensor(): Tensor {
    const one = ones([1, 1], { dtype: this.values.dtype });
    return mixture([this], one, this.values.shape[1] as number)[0] as Tensor;
  }
}

/** A candidate of each edge, the channels of the edges in turn, or one that all edges share. */
export type MixtureTerm = Tensor | Normalised;

/**
 * The weighted sums of candidates on several edges at once (DARTS, section 2.2, equation 2).
 *
 * @param terms [N, C, H, W] or [N, edges C, H, W] each
 * @param weights [edges, terms]
 * @param channels C
 * @param shares each image's own factors of the terms, [N, terms]; they get no gradient
 * @param starts for each edge the [N, C, H, W] that its sum starts from, if any
 * @returns the sum of each edge, [N, C, H, W]
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function mixture(
  terms: readonly MixtureTerm[],
  weights: Tensor,
  channels: number,
  shares?: Tensor,
  starts: readonly (Tensor | undefined)[] = [],
): Tensor[] {
  const results = invoke(
    operator,
    terms.map((term) => (term instanceof Normalised ? term.values.handle : term.handle)),
    terms.map((term) => (term instanceof Normalised ? term.scale?.handle : undefined)),
    terms.map((term) => (term instanceof Normalised ? term.shift?.handle : undefined)),
    weights.handle,
    channels,
    shares?.handle,
    starts.map((start) => start?.handle),
  ) as number[];
  return results.map((handle) => new Tensor(handle));
}
