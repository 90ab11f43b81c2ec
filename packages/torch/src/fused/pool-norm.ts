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
export function poolNorm(input: Tensor, { kind, stride, norms }: PoolNorm): Normalised {
  const { momentum, epsilon } = norms[0] as BatchNormLayer;
  const [values, scale, shift] = invoke(
    operator,
    input.handle,
    kind === 'max',
    runningStatistics(norms),
    stride,
    momentum,
    epsilon,
  ) as [number, number, number];
  const pooled = new Tensor(values);
  const kept = scaleAndShift(norms);
  if (kept === undefined) return new Normalised(pooled, new Tensor(scale), new Tensor(shift));
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
