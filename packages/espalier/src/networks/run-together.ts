import { fused, type nn, type Tensor } from '@espalier/torch';
import { type Chain, runChains } from './fused-units.js';
import { PoolNorm } from './pool-norm.js';

/** The same operation on several edges. */
export type OnEdges = readonly nn.Layer[];

/**
 * Operations that leave one state, each on several edges. With the kernels, all separable convolutions are one call, and all
 * poolings with batch norm another.
 *
 * @param chainOf an operation as units of the kernels; undefined for any other
 * @param run any other
 */
export function runTogether(
  all: readonly OnEdges[],
  state: Tensor,
  chainOf: (operations: OnEdges) => Chain | undefined,
  run: (operations: OnEdges) => fused.MixtureTerm,
): fused.MixtureTerm[] {
  const chains = all.map(chainOf);
  const pools = all.map((operations) => poolOf(operations, state));
  const convolved = runChains(chains.filter(isThere), state).values();
  const asked = pools.filter(isThere);
  const pooled = (asked.length === 0 ? [] : fused.poolNorms(state, asked)).values();
  return all.map((operations, index) => {
    if (chains[index] !== undefined) return convolved.next().value as fused.Normalised;
    if (pools[index] !== undefined) return pooled.next().value as fused.Normalised;
    return run(operations);
  });
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

/** An operation of several edges as one pooling whose batch norms are the edges', where the kernels have it. */
function poolOf(operations: OnEdges, state: Tensor): fused.PoolNorm | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof PoolNorm && fused.servesLayer(first, state))) return undefined;
  const norms = (operations as readonly PoolNorm[]).map(({ norm }) => norm);
  return { kind: first.kind, stride: first.stride, norms };
}
