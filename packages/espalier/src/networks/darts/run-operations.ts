import { cat, fused, type nn, type Tensor } from '@espalier/torch';
import { type Chain, chainOf, runChains } from '../fused-units.js';
import { poolOf, runPools } from '../pool-norm.js';
import { FactorizedReduce, SeparableConvolution } from './operations.js';

/** The same operation on several edges. */
export type OnEdges = readonly nn.Layer[];

/**
 * Operations that leave one state, each on several edges: [N, edges channels, H', W'], or [N, channels, H', W'] where all
 * its edges have the same. With the kernels, what edges and operations have in common is done once, and what batch norm
 * makes is left to whoever sums the edges up.
 */
export function runOperations(all: readonly OnEdges[], state: Tensor): fused.MixtureTerm[] {
  const chains = all.map((operations) => separableChain(operations, state));
  const convolved = runChains(
    chains.filter((chain) => chain !== undefined),
    state,
  ).values();
  const pools = all.map((operations) => poolOf(operations, state));
  const pooled = runPools(
    pools.filter((pool) => pool !== undefined),
    state,
  ).values();
  return all.map((operations, index) => {
    if (chains[index] !== undefined) return convolved.next().value as fused.Normalised;
    if (pools[index] !== undefined) return pooled.next().value as fused.Normalised;
    return runOperation(operations, state);
  });
}

function separableChain(operations: OnEdges, state: Tensor): Chain | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof SeparableConvolution && fused.servesLayer(first, state))) return undefined;
  return chainOf((operations as readonly SeparableConvolution[]).map(({ op }) => op));
}

function runOperation(operations: OnEdges, state: Tensor): fused.MixtureTerm {
  const [first] = operations as readonly [nn.Layer];
  return (
    (fused.servesLayer(first, state) ? runTogether(operations, state) : undefined) ??
    runEach(operations, state)
  );
}

function runTogether(operations: OnEdges, state: Tensor): fused.Normalised | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (first instanceof FactorizedReduce) {
    const units = (operations as readonly FactorizedReduce[]).map(({ unit }) => unit);
    return fused.reluConvNorm(fused.halves(state), units);
  }
  return undefined;
}

function runEach(operations: OnEdges, state: Tensor): Tensor {
  const [first] = operations as readonly [nn.Layer];
  // What learns nothing is the same on all edges.
  if (operations.length === 1 || first.stateDict().size === 0) return first.forward(state);
  return cat(
    operations.map((operation) => operation.forward(state)),
    1,
  );
}
