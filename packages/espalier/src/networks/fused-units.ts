import { fused, nn, type Tensor } from '@espalier/torch';

type Units = readonly fused.ReluConvNorm[];

/** One operation on several edges, as a sequence of kernel units per edge. All edges have the same number of units. */
export type Chain = readonly Units[];

const known = new WeakMap<nn.Sequential, Units | undefined>();

/** The kernel units of a sequence of layers. Undefined unless all of it is ReLU, separable convolution and batch norm. */
function unitsOf(sequence: nn.Sequential): Units | undefined {
  if (!known.has(sequence)) known.set(sequence, findUnits(sequence.layers));
  return known.get(sequence);
}

function findUnits(layers: readonly nn.Layer[]): Units | undefined {
  const units: fused.ReluConvNorm[] = [];
  for (let place = 0; place < layers.length; ) {
    if (!(layers[place] instanceof nn.ReLU)) return undefined;
    const depthwise = layers[place + 1];
    const isSeparable = depthwise instanceof nn.Conv2d && isDepthwise(depthwise);
    const [pointwise, norm] = layers.slice(place + (isSeparable ? 2 : 1));
    if (!(pointwise instanceof nn.Conv2d && isPointwise(pointwise) && norm instanceof nn.BatchNorm2d))
      return undefined;
    units.push({ ...(isSeparable ? { depthwise } : {}), pointwise: pointwise.weight, norm });
    place += isSeparable ? 4 : 3;
  }
  return units.length === 0 ? undefined : units;
}

/** Whether a convolution is depthwise with square filters of a size that the kernels support. */
function isDepthwise({ groups, weight, stride, padding, dilation, bias }: nn.Conv2d): boolean {
  const [filters, inputs, height, width] = weight.shape as [number, number, number, number];
  const isSquare = height === width && [stride, padding, dilation].every(([down, right]) => down === right);
  return (
    groups === filters && inputs === 1 && isSquare && [1, 3, 5, 7].includes(height) && bias === undefined
  );
}

function isPointwise({ groups, weight, stride, padding, bias }: nn.Conv2d): boolean {
  const sizes = [...weight.shape.slice(2), ...stride, groups];
  return sizes.every((size) => size === 1) && padding.every((size) => size === 0) && bias === undefined;
}

/**
 * Runs several sequences with the same layers but different weights, using the kernels.
 *
 * @param input the input of all sequences, [N, C, H, W]
 * @returns [N, sequences x C', H', W'], with the channels of each sequence in turn; undefined if the kernels do not support
 *   all layers
 */
export function runFused(sequences: readonly nn.Sequential[], input: Tensor): fused.Normalised | undefined {
  const [first] = sequences as readonly [nn.Sequential];
  if (!fused.servesLayer(first, input)) return undefined;
  const chain = chainOf(sequences);
  return chain && runChains([chain], input)[0];
}

/** Converts sequences of the same layers to a chain. Undefined if the kernels do not support all layers. */
export function chainOf(sequences: readonly nn.Sequential[]): Chain | undefined {
  const all = sequences.map(unitsOf);
  return all.every((units): units is Units => units !== undefined) ? all : undefined;
}

/** Runs several operations on the same input. Units at the same position of their chains share one call if sizes match. */
export function runChains(chains: readonly Chain[], input: Tensor): fused.Normalised[] {
  const values: fused.Normalised[] = [];
  const lengths = chains.map(([units]) => (units as Units).length);
  for (let place = 0; place < Math.max(0, ...lengths); place++) {
    const groups = new Map<string, { readonly chain: number; readonly units: Units }[]>();
    for (const [chain, edges] of chains.entries()) {
      if (place >= (lengths[chain] as number)) continue;
      const units = edges.map((each) => each[place] as fused.ReluConvNorm);
      const sizes = sizesOf(units[0] as fused.ReluConvNorm);
      groups.set(sizes, [...(groups.get(sizes) ?? []), { chain, units }]);
    }
    for (const group of groups.values()) {
      const read = place === 0 ? [input] : group.map(({ chain }) => values[chain] as fused.Normalised);
      const made = fused.reluConvNorms(
        read,
        group.map(({ units }) => units),
      );
      for (const [index, { chain }] of group.entries()) values[chain] = made[index] as fused.Normalised;
    }
  }
  return values;
}

/** The properties that units must share to be computed in one call: stride, change of size, channels and batch norm. */
function sizesOf({ depthwise, pointwise, norm }: fused.ReluConvNorm): string {
  const [stride] = depthwise?.stride ?? [0];
  const window = depthwise === undefined ? 0 : (depthwise.weight.shape[2] as number) - 1;
  const growth = depthwise === undefined ? 0 : 2 * depthwise.padding[0] - depthwise.dilation[0] * window;
  const { weight, momentum, epsilon } = norm;
  return [stride, growth, ...pointwise.shape, weight !== undefined, momentum, epsilon].join();
}
