import { invoke, Operator } from '../dispatcher.js';
import { ones } from '../operators.generated.js';
import { Tensor } from '../tensor.js';

const operator = new Operator('espalier::mixture', '');

/**
 * What batch norm makes of `values` [N, C, H, W]: values scale + shift, channel by channel, not written down. Whoever
 * reads it next applies scale and shift [C] on the way; gradients go through them to the batch's mean and variance.
 */
export class Normalised {
  constructor(
    readonly values: Tensor,
    readonly scale: Tensor,
    readonly shift: Tensor,
  ) {}

  /** Written down. */
  toTensor(): Tensor {
    const one = ones([1, 1], { dtype: this.values.dtype });
    return mixture([this], one, this.values.shape[1] as number)[0] as Tensor;
  }
}

/** A candidate of each edge (its channels the edges' in turn), or one that all edges have in common. */
export type MixtureTerm = Tensor | Normalised;

/**
 * The weighted sums of candidates on several edges at once (DARTS, section 2.2, equation 2).
 *
 * @param terms [N, C, H, W] or [N, edges C, H, W] each
 * @param weights [edges, terms]
 * @param channels C
 * @param shares what the terms of each image are multiplied by besides, [N, terms]; it gets no gradient
 * @param starts of each edge, [N, C, H, W] that its sum is added to; none where there is nothing
 * @returns a sum [N, C, H, W] for each edge
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
    terms.map((term) => (term instanceof Normalised ? term.scale.handle : undefined)),
    terms.map((term) => (term instanceof Normalised ? term.shift.handle : undefined)),
    weights.handle,
    channels,
    shares?.handle,
    starts.map((start) => start?.handle),
  ) as number[];
  return results.map((handle) => new Tensor(handle));
}
