import { noGrad } from '../autograd.js';
import type { Dtype } from '../dtype.js';
import { linear } from '../fused/matmul.js';
import { dropout } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireInteger, requireProbability } from './constructor-arguments.js';
import { constant, uniform } from './init.js';
import { Linear } from './linear.js';
import { Layer, Parameter } from './module.js';

export interface AttentionOptions {
  /**
   * Restricts which positions a query sees, in a shape that broadcasts to [N, heads, L, S]: [L, S] for all alike,
   * [N, 1, 1, S] for the padding of each example. In a bool mask, true hides a position; a mask of the
   * query's type is added to the scores before the softmax. A query that sees nothing gives NaN, as in PyTorch.
   */
  mask?: Tensor;
  /** Whether query position i sees only key positions up to i. */
  causal?: boolean;
}

/**
 * Multi-head attention (Vaswani et al. 2017, section 3.2.2) with the batch first: each of `heads` heads computes
 * softmax(Q K^T / sqrt(D)) V on D = dimensions / heads values. The parameters have the names and initial values of
 * PyTorch's `MultiheadAttention`.
 */
export class MultiheadAttention extends Layer {
  /** The projections of query, key and value, stacked: [3 dimensions, dimensions]. */
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias?: Parameter;
  readonly out_proj: Linear;
  readonly dropout: number;

  /**
   * @param options dropout, the probability that training drops an attention weight, 0 by default; bias, whether the
   *   projections have biases, on by default
   * @throws RangeError for sizes that are not integers of at least 1, and if `heads` does not divide `dimensions`
   */
  constructor(
    readonly dimensions: number,
    readonly heads: number,
    options: { dropout?: number; bias?: boolean } = {},
  ) {
    super();
    const { dropout = 0, bias = true } = options;
    requireInteger('dimensions', dimensions);
    requireInteger('heads', heads);
    if (dimensions % heads !== 0)
      throw new RangeError(`${heads} heads do not divide ${dimensions} dimensions`);
    this.dropout = requireProbability('dropout', dropout);
    // PyTorch draws the output projection first, then the others from Glorot & Bengio's uniform distribution.
    this.out_proj = new Linear(dimensions, dimensions, { bias });
    const bound = Math.sqrt(3) * Math.sqrt(2 / (4 * dimensions));
    this.in_proj_weight = new Parameter(uniform([3 * dimensions, dimensions], bound));
    if (bias) {
      this.in_proj_bias = new Parameter(constant([3 * dimensions], 0));
      noGrad(() => this.out_proj.bias?.zero_());
    }
  }

  /**
   * @param query [N, L, dimensions]
   * @param key [N, S, dimensions]; the query by default, which is self-attention
   * @param value [N, S, dimensions]; the key by default
   * @returns [N, L, dimensions]
   * @throws RangeError for tensors or a mask of another shape
   * @throws TypeError for a mask of another type
   */
  forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    { mask, causal = false }: AttentionOptions = {},
  ): Tensor {
    const scores = this.#scoreShape(query, key, value);
    const [batch, , length, sources] = scores;
    if (mask !== undefined) checkMask(mask, query.dtype, scores);
    const size = this.dimensions / this.heads;
    const [queries, keys, values] = this.#project(query, key, value).map((projected, place) =>
      projected.reshape([batch, place === 0 ? length : sources, this.heads, size]).transpose(1, 2),
    ) as [Tensor, Tensor, Tensor];
    let weights = queries.mul(1 / Math.sqrt(size)).matmul(keys.transpose(2, 3));
    if (causal) {
      const future = query.newOnes([length, sources], { dtype: 'bool' }).triu(1);
      weights = weights.maskedFill(future, -Infinity);
    }
    if (mask !== undefined)
      weights = mask.dtype === 'bool' ? weights.maskedFill(mask, -Infinity) : weights.add(mask);
    weights = weights.softmax(-1);
    if (this.dropout > 0) weights = dropout(weights, this.dropout, this.training);
    const heads = weights.matmul(values).transpose(1, 2);
    return this.out_proj.forward(heads.reshape([batch, length, this.dimensions]));
  }

  #project(query: Tensor, key: Tensor, value: Tensor): readonly Tensor[] {
    const { in_proj_weight: weight, in_proj_bias: bias } = this;
    if (query === key && key === value) return linear(query, weight, bias).chunk(3, 2);
    const weights = weight.chunk(3, 0);
    const biases = bias?.chunk(3, 0);
    return [query, key, value].map((input, place) =>
      linear(input, weights[place] as Tensor, biases?.[place]),
    );
  }

  /** [N, heads, L, S] */
  #scoreShape(query: Tensor, key: Tensor, value: Tensor): readonly [number, number, number, number] {
    const [queries, keys, values] = [query.shape, key.shape, value.shape];
    for (const [name, shape] of Object.entries({ query: queries, key: keys, value: values }))
      if (shape.length !== 3 || shape[2] !== this.dimensions)
        throw new RangeError(
          `the ${name} has shape [${shape.join(', ')}]; MultiheadAttention takes [N, length, ${this.dimensions}]`,
        );
    const [batch, length] = queries as readonly [number, number, number];
    if (keys[0] !== batch) throw new RangeError(`the query has ${batch} examples, the key ${keys[0]}`);
    if (String(keys) !== String(values))
      throw new RangeError(
        `the key has shape [${keys.join(', ')}], the value [${values.join(', ')}]; they must be alike`,
      );
    return [batch, this.heads, length, keys[1] as number];
  }
}

function checkMask({ shape, dtype }: Tensor, floating: Dtype, scores: readonly number[]): void {
  if (dtype !== 'bool' && dtype !== floating)
    throw new TypeError(`the mask is ${dtype}; it must be bool or, like the query, ${floating}`);
  const target = scores.slice(scores.length - shape.length);
  if (shape.length > scores.length || shape.some((size, place) => size !== 1 && size !== target[place]))
    throw new RangeError(
      `the mask has shape [${shape.join(', ')}], which does not broadcast to [N, heads, L, S] = [${scores.join(', ')}]`,
    );
}
