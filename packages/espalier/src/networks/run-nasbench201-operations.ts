import { cat, conv2d, fused, type nn, type Tensor } from '@espalier/torch';
import { ReluConvBn } from './darts/operations.js';
import { type Chain, chainOf } from './fused-units.js';
import { type OnEdges, runEach, runTogether } from './run-together.js';

/**
 * Runs several operations of NAS-Bench-201 that read the same state, each on several edges. The result of an operation is
 * [N, edges x channels, H, W], or [N, channels, H, W] if all its edges give the same values. A convolution on several
 * edges is one convolution with the filters of all of them, and batch norm is left to the sum over the edges.
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

/** Convolutions that see neighbouring pixels, which the kernels leave to libtorch. */
function runConvolution(operations: OnEdges, state: Tensor): fused.Normalised | undefined {
  const [first] = operations as readonly [nn.Layer];
  if (!(first instanceof ReluConvBn && fused.servesLayer(first, state))) return undefined;
  const layers = (operations as readonly ReluConvBn[]).map(({ op }) => op.layers);
  const filters = layers.map(([, convolution]) => (convolution as nn.Conv2d).weight);
  const { stride, padding } = (layers[0] as readonly nn.Layer[])[1] as nn.Conv2d;
  const all = filters.length === 1 ? (filters[0] as Tensor) : cat(filters);
  return fused.normalise(
    conv2d(state.relu(), all, undefined, stride, padding),
    layers.map(([, , norm]) => norm as nn.BatchNorm2d),
  );
}
