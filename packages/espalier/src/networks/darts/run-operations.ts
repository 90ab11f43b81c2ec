import { fused, type nn, type Tensor } from '@espalier/torch';
import { type Chain, chainOf } from '../fused-units.js';
import { type OnEdges, runEach, runTogether } from '../run-together.js';
import { FactorizedReduce, SeparableConvolution } from './operations.js';

/**
 * Runs several operations that read the same state, each on several edges. The result of an operation is
 * [N, edges x channels, H', W'], or [N, channels, H', W'] if all its edges give the same values. The kernels compute work
 * that edges and operations share only once, and defer batch norm to the sum over the edges.
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
