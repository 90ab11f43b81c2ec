import { cat, fused, type nn, type Tensor } from '@espalier/torch';
import { type Chain, runChains } from './fused-units.js';
import { PoolNorm } from './pool-norm.js';

/** One operation on several edges, with one layer per edge. */
export type OnEdges = readonly nn.Layer[];

/**
 * Runs several operations that read the same state, each on several edges. The kernels compute all separable convolutions
 * in one call, and all pooling operations with batch norm in another.
 *
 * @param chainOf returns an operation as a chain of kernel units, or undefined if the kernels do not support it
 * @param run runs any other operation
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

/** One pooling with the batch norms of all edges, or undefined if the kernels do not support the operation. */
function poolOf(operations: OnEdges, state: Tensor): fused.PoolNorm | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof PoolNorm && fused.servesLayer(first, state))) return undefined;
  const norms = (operations as readonly PoolNorm[]).map(({ norm }) => norm);
  return { kind: first.kind, stride: first.stride, norms };
}

/** One operation on several edges without the kernels: [N, edges x C, H', W'], or [N, C, H', W'] if all give the same. */
export function runEach(operations: OnEdges, state: Tensor): Tensor {
  const [first] = operations as readonly [nn.Layer];
  // An operation without parameters or buffers gives the same result on all edges.
  if (operations.length === 1 || first.stateDict().size === 0) return first.forward(state);
  return cat(
    operations.map((operation) => operation.forward(state)),
    1,
  );
}
