import { fused, type nn, type Tensor } from '@espalier/torch';
import { ReluConvBn } from './darts/operations.js';
import { type Chain, chainOf } from './fused-units.js';
import { type OnEdges, runEach, runTogether } from './run-together.js';

/**
 * Runs several operations of NAS-Bench-201 that read the same state, each on several edges. The result of an operation is
 * [N, edges x channels, H, W], or [N, channels, H, W] if all its edges give the same values. A convolution on several
 * edges is one call with the filters of all of them, and batch norm is left to the sum over the edges.
 */
export function runNasBench201Operations(all: readonly OnEdges[], state: Tensor): fused.MixtureTerm[] {
  return runTogether(
    all,
    state,
    (operations) => pointwiseChain(operations, state),
    (operations) => runConvolution(operations, state) ?? runEach(operations, state),
  );
}

function pointwiseChain(operations: OnEdges, state: Tensor): Chain | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof ReluConvBn && fused.servesLayer(first, state))) return undefined;
  return chainOf((operations as readonly ReluConvBn[]).map(({ op }) => op));
}

/** The 3x3 convolutions of all edges in one call. */
function runConvolution(operations: OnEdges, state: Tensor): fused.Normalised | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof ReluConvBn && fused.servesLayer(first, state))) return undefined;
  const layers = (operations as readonly ReluConvBn[]).map(({ op }) => op.layers);
  const filters = layers.map(([, convolution]) => (convolution as nn.Conv2d).weight);
  return fused.normalise(
    fused.conv3x3(state, filters, { rectifies: true }),
    layers.map(([, , norm]) => norm as nn.BatchNorm2d),
  );
}
