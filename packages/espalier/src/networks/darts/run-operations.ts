import { cat, fused, type nn, type Tensor } from '@espalier/torch';
import { type Chain, chainOf } from '../fused-units.js';
import { type OnEdges, runTogether } from '../run-together.js';
import { FactorizedReduce, SeparableConvolution } from './operations.js';

/**
 * Operations that leave one state, each on several edges: [N, edges channels, H', W'], or [N, channels, H', W'] where all
 * its edges have the same. With the kernels, what edges and operations have in common is done once, and what batch norm
 * makes is left to whoever sums the edges up.
 */
export function runOperations(all: readonly OnEdges[], state: Tensor): fused.MixtureTerm[] {
  return runTogether(
    all,
    state,
    (operations) => separableChain(operations, state),
    (operations) => runReduction(operations, state) ?? runEach(operations, state),
  );
}

function separableChain(operations: OnEdges, state: Tensor): Chain | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof SeparableConvolution && fused.servesLayer(first, state))) return undefined;
  return chainOf((operations as readonly SeparableConvolution[]).map(({ op }) => op));
}

function runReduction(operations: OnEdges, state: Tensor): fused.Normalised | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof FactorizedReduce && fused.servesLayer(first, state))) return undefined;
  const units = (operations as readonly FactorizedReduce[]).map(({ unit }) => unit);
  return fused.reluConvNorm(fused.halves(state), units);
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
