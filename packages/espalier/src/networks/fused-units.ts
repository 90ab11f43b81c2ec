import { fused, nn, type Tensor } from '@espalier/torch';

type Units = readonly fused.ReluConvNorm[];

const known = new WeakMap<nn.Sequential, Units | undefined>();

/** What a sequence of layers consists of where all of it is rectified, separable, normalised convolutions. */
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

/** With a square filter of its own for each channel, of a size that the kernels have. */
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
 * Several sequences of the same layers, with weights of their own: by the kernels, where these have all that
 * the layers do, else undefined.
 *
 * @param input [N, C, H, W], which all of them read
 * @returns [N, sequences C', H', W'], the channels of each in turn
 */
export function runFused(sequences: readonly nn.Sequential[], input: Tensor): fused.Normalised | undefined {
  const [first] = sequences as readonly [nn.Sequential];
  if (!fused.servesLayer(first, input)) return undefined;
  const all = sequences.map(unitsOf);
  return all.every((units): units is Units => units !== undefined) ? runUnits(all, input) : undefined;
}

/** The units of several edges, one behind the other on each, from an input that all of them read. */
export function runUnits(edges: readonly Units[], input: Tensor): fused.Normalised {
  const times = (edges[0] as Units).map((_, place) =>
    edges.map((units) => units[place] as fused.ReluConvNorm),
  );
  return times.reduce<Tensor | fused.Normalised>(
    (value, units) => fused.reluConvNorm(value, units),
    input,
  ) as fused.Normalised;
}
