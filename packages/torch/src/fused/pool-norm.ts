import { invoke, Operator } from '../dispatcher.js';
import { cat } from '../operators.generated.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { plainNormArguments, scaleAndShift } from './norms.js';

const operator = new Operator('espalier::pool_norm', '');

/** 3x3 pooling, where pixels beyond the edges do not count, and batch norm without learned scale and shift. */
export interface PoolNorm {
  readonly kind: 'max' | 'avg';
  readonly stride: number;
  /** Norms of equal poolings, which share one. In training each updates its own running statistics. */
  readonly norms: readonly BatchNormLayer[];
}

/**
 * Pools [N, C, H, W] to [N, C, H', W'] and leaves the batch norm to whoever reads the result. In evaluation each norm has its own
 * statistics, so the result is [N, norms C, H', W'], the channels of each norm in turn.
 *
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function poolNorm(input: Tensor, pool: PoolNorm): Normalised {
  return poolNorms(input, [pool])[0] as Normalised;
}

/** Several poolings of one input, with one stride. */
export function poolNorms(input: Tensor, pools: readonly PoolNorm[]): Normalised[] {
  const { running, momentum, epsilon } = plainNormArguments(
    'pool_norm',
    pools.flatMap(({ norms }) => norms),
  );
  const strides = new Set(pools.map(({ stride }) => stride));
  if (strides.size > 1)
    throw new RangeError(
      `pool_norm: poolings have the strides ${[...strides].join(', ')}; allowed: one stride`,
    );
  const outputs = invoke(
    operator,
    input.handle,
    pools.map(({ kind }) => (kind === 'max' ? 1 : 0)),
    running,
    pools.map(({ norms }) => norms.length),
    pools[0]?.stride,
    momentum,
    epsilon,
  ) as number[];
  const tensors = outputs.map((handle) => new Tensor(handle));
  return pools.map(({ norms }, place) => {
    const [values, scale, shift] = tensors.slice(3 * place, 3 * place + 3) as [Tensor, Tensor, Tensor];
    const kept = scaleAndShift('pool_norm', values, norms, 1);
    if (kept === undefined) return new Normalised(values, scale, shift);
    const repeated = norms.map(() => values);
    return new Normalised(norms.length === 1 ? values : cat(repeated, 1), ...kept);
  });
}
