import { cat, fused, type nn, type Tensor } from '@espalier/torch';
import { runFused } from '../fused-units.js';
import { PoolNorm } from '../pool-norm.js';
import { FactorizedReduce, SeparableConvolution } from './operations.js';

/**
 * The same operation on several edges that leave one state: [N, edges channels, H', W'], or [N, channels, H', W'] where all
 * edges have the same. With the kernels, what the edges have in common is done once, and what batch norm makes
 * is left to whoever sums the edges up.
 */
export function runOperations(operations: readonly nn.Layer[], state: Tensor): fused.MixtureTerm {
  const [first] = operations as readonly [nn.Layer];
  return (
    (fused.servesLayer(first, state) ? runTogether(operations, state) : undefined) ??
    runEach(operations, state)
  );
}

function runTogether(operations: readonly nn.Layer[], state: Tensor): fused.Normalised | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (first instanceof SeparableConvolution)
    return runFused(
      (operations as readonly SeparableConvolution[]).map(({ op }) => op),
      state,
    );
  if (first instanceof FactorizedReduce) {
    const units = (operations as readonly FactorizedReduce[]).map(({ unit }) => unit);
    return fused.reluConvNorm(fused.halves(state), units);
  }
  if (first instanceof PoolNorm) {
    const norms = (operations as readonly PoolNorm[]).map(({ norm }) => norm);
    return fused.poolNorm(state, { kind: first.kind, stride: first.stride, norms });
  }
  return undefined;
}

function runEach(operations: readonly nn.Layer[], state: Tensor): Tensor {
  const [first] = operations as readonly [nn.Layer];
  // What learns nothing is the same on all edges.
  if (operations.length === 1 || first.stateDict().size === 0) return first.forward(state);
  return cat(
    operations.map((operation) => operation.forward(state)),
    1,
  );
}
