import fc from 'fast-check';
import type { ZophCnn } from '../../src/networks/zoph-cnn.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

type Layer = ZophCnn['layers'][number];

/** A layer with one 1x1 filter that reads the image, but for what is given. */
export function layer(given: Partial<Layer> = {}): Layer {
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

const small = { filterHeights: [1, 3], filterWidths: [1, 3, 5], filters: [1, 2, 3], strides: [1, 2, 3] };

/** Random architectures of one to five layers, with strides and skip connections. */
export const architectures = fc
  .record({ layers: fc.integer({ min: 1, max: 5 }), seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }) })
  .map(({ layers, seed }) => {
    const space = Space.configure(zophCnn, { ...small, layers });
    return space.decode(space.sample(Random.of(seed, 'architecture')));
  });

/** What is known of a network without building it, layer by layer; filters are odd, so stride s divides sizes by s. */
export function sizesOf(architecture: ZophCnn, image: { channels: number; height: number; width: number }) {
  const layers: { inputs: readonly number[]; channels: number; height: number; width: number }[] = [];
  const together = (inputs: readonly number[]) => {
    if (inputs.length === 0) return image;
    const read = inputs.map((index) => layers[index]!);
    return {
      channels: inputs.reduce((sum, index) => sum + architecture.layers[index]!.filters, 0),
      height: Math.max(...read.map(({ height }) => height)),
      width: Math.max(...read.map(({ width }) => width)),
    };
  };
  const reads: { channels: number; height: number; width: number }[] = [];
  for (const { inputs, filters, strideHeight, strideWidth } of architecture.layers) {
    const input = together(inputs);
    reads.push(input);
    layers.push({
      inputs,
      channels: filters,
      height: Math.ceil(input.height / strideHeight),
      width: Math.ceil(input.width / strideWidth),
    });
  }
  const ends = [...layers.keys()].filter((index) => !layers.some(({ inputs }) => inputs.includes(index)));
  return { layers, reads, ends, features: together(ends) };
}
