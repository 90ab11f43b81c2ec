import { fused, nn, type Tensor } from '@espalier/torch';

/** 3x3 pooling as a search has it: with batch norm, without scale and shift, behind it. */
export class PoolNorm extends nn.Sequential {
  constructor(
    readonly kind: 'max' | 'avg',
    readonly stride: number,
    readonly norm: nn.BatchNorm2d,
  ) {
    const window = { stride, padding: 1 };
    const pool =
      kind === 'max'
        ? new nn.MaxPool2d(3, window)
        : new nn.AvgPool2d(3, { ...window, countIncludePad: false });
    super(pool, norm);
  }
}

/** An operation of several edges as one pooling whose batch norms are the edges', where the kernels have it. */
export function poolOf(operations: readonly nn.Layer[], state: Tensor): fused.PoolNorm | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof PoolNorm && fused.servesLayer(first, state))) return undefined;
  const norms = (operations as readonly PoolNorm[]).map(({ norm }) => norm);
  return { kind: first.kind, stride: first.stride, norms };
}

/** Poolings of one state, with one stride. */
export function runPools(pools: readonly fused.PoolNorm[], state: Tensor): fused.Normalised[] {
  return pools.length === 0 ? [] : fused.poolNorms(state, pools);
}
