import { invoke, Operator } from '../dispatcher.js';
import { cat } from '../operators.generated.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { runningStatistics, scaleAndShift } from './running-statistics.js';

const operator = new Operator('espalier::pool_norm', '');

/** 3x3 pooling, those beyond the edges left out, and batch norm without scale and shift. */
export interface PoolNorm {
  readonly kind: 'max' | 'avg';
  readonly stride: number;
  /** Those whose running statistics follow: equal ones may share one pooling. */
  readonly norms: readonly BatchNormLayer[];
}

/**
 * [N, C, H, W] to [N, C, H', W'], whose batch norm is not written down. In evaluation each norm has statistics of its own:
 * then it is [N, norms C, H', W'], the channels of each in turn.
 */
export function poolNorm(input: Tensor, pool: PoolNorm): Normalised {
  return poolNorms(input, [pool])[0] as Normalised;
}

/** Several of them, with one stride, from the same input. */
export function poolNorms(input: Tensor, pools: readonly PoolNorm[]): Normalised[] {
  const { norms, stride } = pools[0] as PoolNorm;
  const { momentum, epsilon } = norms[0] as BatchNormLayer;
  const outputs = invoke(
    operator,
    input.handle,
    pools.map(({ kind }) => (kind === 'max' ? 1 : 0)),
    runningStatistics(pools.flatMap((pool) => pool.norms)),
    pools.map((pool) => pool.norms.length),
    stride,
    momentum,
    epsilon,
  ) as number[];
  const tensors = outputs.map((handle) => new Tensor(handle));
  return pools.map((pool, place) => {
    const [values, scale, shift] = tensors.slice(3 * place, 3 * place + 3) as [Tensor, Tensor, Tensor];
    return normalisedBy(pool.norms, values, scale, shift);
  });
}

function normalisedBy(
  norms: readonly BatchNormLayer[],
  pooled: Tensor,
  scale: Tensor,
  shift: Tensor,
): Normalised {
  const kept = scaleAndShift(norms);
  if (kept === undefined) return new Normalised(pooled, scale, shift);
  return new Normalised(
    norms.length === 1
      ? pooled
      : cat(
          norms.map(() => pooled),
          1,
        ),
    ...kept,
  );
}
