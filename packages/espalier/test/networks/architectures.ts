import fc from 'fast-check';
import {
  type Convolution,
  isConvolution,
  LAYER_TYPES,
  type ZophCnn,
  type ZophLayer,
} from '../../src/networks/zoph-cnn/architecture.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

type ConvolutionLayer = Convolution & Pick<ZophLayer, 'inputs'>;

/** A layer that reads the image with one 1x1 filter, apart from the given properties. */
export function layer(given: Partial<ConvolutionLayer> = {}): ConvolutionLayer {
  return {
    filterHeight: 1,
    filterWidth: 1,
    filters: 1,
    strideHeight: 1,
    strideWidth: 1,
    inputs: [],
    ...given,
  };
}

const small = {
  filterHeights: [1, 3],
  filterWidths: [1, 3, 5],
  filters: [1, 2, 3],
  strides: [1, 2, 3],
  windows: [1, 3, 5],
  poolStrides: [1, 2],
};

const seeds = fc.record({
  layers: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
});

function sampled(options: { layers: number; layerTypes?: readonly string[] }, seed: number): ZophCnn {
  const space = Space.configure(zophCnn, { ...small, ...options });
  return space.decode(space.sample(Random.of(seed, 'architecture')));
}

/** Random architectures of one to five convolutions, with strides and skip connections. */
export const architectures = seeds.map(({ layers, seed }) => {
  const { layers: convolutions } = sampled({ layers }, seed);
  return { layers: convolutions as readonly ConvolutionLayer[] };
});

/** Random architectures with layers of every type. */
export const mixedArchitectures = seeds.map(({ layers, seed }) =>
  sampled({ layers, layerTypes: LAYER_TYPES }, seed),
);

const stridesOf = (layer: ZophLayer): readonly [height: number, width: number] => {
  if (isConvolution(layer)) return [layer.strideHeight, layer.strideWidth];
  return 'stride' in layer ? [layer.stride, layer.stride] : [1, 1];
};

/**
 * The channels and sizes of each layer, computed from the architecture alone. Filters and windows are odd, so a stride of
 * s divides sizes by s.
 */
export function sizesOf(architecture: ZophCnn, image: { channels: number; height: number; width: number }) {
  const layers: { inputs: readonly number[]; channels: number; height: number; width: number }[] = [];
  const together = (inputs: readonly number[]) => {
    if (inputs.length === 0) return image;
    const read = inputs.map((index) => layers[index]!);
    return {
      channels: read.reduce((sum, { channels }) => sum + channels, 0),
      height: Math.max(...read.map(({ height }) => height)),
      width: Math.max(...read.map(({ width }) => width)),
    };
  };
  const reads: { channels: number; height: number; width: number }[] = [];
  for (const layer of architecture.layers) {
    const input = together(layer.inputs);
    const [strideHeight, strideWidth] = stridesOf(layer);
    reads.push(input);
    layers.push({
      inputs: layer.inputs,
      channels: isConvolution(layer) ? layer.filters : input.channels,
      height: Math.ceil(input.height / strideHeight),
      width: Math.ceil(input.width / strideWidth),
    });
  }
  const ends = [...layers.keys()].filter((index) => !layers.some(({ inputs }) => inputs.includes(index)));
  return { layers, reads, ends, features: together(ends) };
}
