import { nn } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { countSequences } from '../../src/space/count.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { describeSpace } from './conformance.js';

// A layer has 4 * 4 * 4 kinds of filters, and layer i may read any of the i layers before it.
describeSpace(
  zophCnn,
  {},
  {
    size: 64n ** 6n * 2n ** 15n,
    small: { layers: 2, filterHeights: [1, 3], filterWidths: [3], filters: [4, 8], strides: [1, 2] },
    smallSize: 16n ** 2n * 2n,
  },
);
describeSpace(
  zophCnn,
  { strides: [1, 2, 3], layers: 4 },
  {
    size: (64n * 9n) ** 4n * 2n ** 6n,
    small: { layers: 4, filterHeights: [3], filterWidths: [3], filters: [4], strides: [2] },
    smallSize: 2n ** 6n,
  },
);
describeSpace(
  zophCnn,
  { skips: false, layers: 3 },
  {
    size: 64n ** 3n,
    small: { skips: false, layers: 3, filterHeights: [1, 3, 5], filterWidths: [1, 3], filters: [4] },
    smallSize: 6n ** 3n,
  },
);

// A layer is one of 64 convolutions, of 2 * 2 poolings of each kind, or a normalisation of either kind.
const types = ['convolution', 'max_pool', 'avg_pool', 'batch_norm', 'local_contrast_norm'];
describeSpace(
  zophCnn,
  { layerTypes: types },
  {
    size: (64n + 2n * 4n + 2n) ** 6n * 2n ** 15n,
    small: {
      layerTypes: types,
      layers: 2,
      filterHeights: [3],
      filterWidths: [1, 3],
      filters: [4],
      strides: [1, 2],
      windows: [3],
      poolStrides: [1, 2],
    },
    smallSize: (8n + 2n * 2n + 2n) ** 2n * 2n,
  },
);
describeSpace(
  zophCnn,
  { layerTypes: ['batch_norm'], layers: 3 },
  { size: 2n ** 3n, small: { layerTypes: ['max_pool'], layers: 2, skips: false }, smallSize: 4n ** 2n },
);

describe('zoph-cnn', () => {
  it('asks a layer in the order of figure 2, then for its inputs at the anchor point', () => {
    const space = Space.configure(zophCnn, { layers: 2, strides: [1, 2, 3] });
    const sequence = [1, 2, 0, 1, 3, [], 0, 1, 2, 0, 1, [0]];
    expect(space.trace(sequence).map(({ question }) => question.path)).toEqual([
      'layers.0.filterHeight',
      'layers.0.filterWidth',
      'layers.0.strideHeight',
      'layers.0.strideWidth',
      'layers.0.filters',
      'layers.0.inputs',
      'layers.1.filterHeight',
      'layers.1.filterWidth',
      'layers.1.strideHeight',
      'layers.1.strideWidth',
      'layers.1.filters',
      'layers.1.inputs',
    ]);
    expect(space.decode(sequence)).toEqual({
      layers: [
        { filterHeight: 3, filterWidth: 5, filters: 64, strideHeight: 1, strideWidth: 2, inputs: [] },
        { filterHeight: 1, filterWidth: 3, filters: 36, strideHeight: 3, strideWidth: 1, inputs: [0] },
      ],
    });
  });

  it('asks neither for fixed strides nor for inputs without skip connections', () => {
    const space = Space.configure(zophCnn, { layers: 2, strides: [2], skips: false });
    const sequence = [0, 1, 2, 3, 2, 1];
    expect(space.decode(sequence)).toEqual({
      layers: [
        { filterHeight: 1, filterWidth: 3, filters: 48, strideHeight: 2, strideWidth: 2, inputs: [] },
        { filterHeight: 7, filterWidth: 5, filters: 36, strideHeight: 2, strideWidth: 2, inputs: [0] },
      ],
    });
    const { layers } = space.decode(sequence);
    expect(() => space.encode({ layers: layers.map((layer) => ({ ...layer, strideHeight: 1 })) })).toThrow(
      "space zoph-cnn: 'layers.0.strideHeight' is 1; allowed: 2",
    );
  });

  it('asks for the type of a layer first, and then only for the settings of this type', () => {
    const space = Space.configure(zophCnn, { layerTypes: types, layers: 5 });
    const sequence = [...[0, 1, 2, 3, []], ...[1, 0, 1, [0]], ...[2, 1, 0, []], ...[3, [2]], ...[4, [1, 3]]];
    expect(space.trace(sequence).map(({ question }) => question.path)).toEqual([
      ...['type', 'filterHeight', 'filterWidth', 'filters', 'inputs'].map((key) => `layers.0.${key}`),
      ...['type', 'window', 'stride', 'inputs'].map((key) => `layers.1.${key}`),
      ...['type', 'window', 'stride', 'inputs'].map((key) => `layers.2.${key}`),
      ...['type', 'inputs'].map((key) => `layers.3.${key}`),
      ...['type', 'inputs'].map((key) => `layers.4.${key}`),
    ]);
    const { layers } = space.decode(sequence);
    expect(layers).toEqual([
      {
        type: 'convolution',
        filterHeight: 3,
        filterWidth: 5,
        filters: 64,
        strideHeight: 1,
        strideWidth: 1,
        inputs: [],
      },
      { type: 'max_pool', window: 2, stride: 2, inputs: [0] },
      { type: 'avg_pool', window: 3, stride: 1, inputs: [] },
      { type: 'batch_norm', inputs: [2] },
      { type: 'local_contrast_norm', inputs: [1, 3] },
    ]);
    expect(() => space.encode({ layers: layers.with(1, { ...layers[1]!, filters: 24 } as never) })).toThrow(
      "space zoph-cnn: 'layers.1.filters' is 24, but nothing may stand there",
    );
    expect(() => space.validate({ layers: [{ type: 'dropout', inputs: [] }] })).toThrow(
      `'layers.0.type' is "dropout"; allowed: "convolution", "max_pool", "avg_pool", "batch_norm", "local_contrast_norm"`,
    );
  });

  it('has no types if all layers are convolutions, and types if all are something else', () => {
    const pools = Space.configure(zophCnn, { layerTypes: ['avg_pool'], layers: 1, windows: [3] });
    expect(pools.decode([0, 1, []])).toEqual({
      layers: [{ type: 'avg_pool', window: 3, stride: 2, inputs: [] }],
    });
    const [layer] = Space.configure(zophCnn, { layers: 1 }).decode([0, 0, 0, []]).layers;
    expect(layer).not.toHaveProperty('type');
  });

  it("has the paper's lists as defaults", () => {
    expect(Space.configure(zophCnn).options).toEqual({
      layers: 6,
      layerTypes: ['convolution'],
      filterHeights: [1, 3, 5, 7],
      filterWidths: [1, 3, 5, 7],
      filters: [24, 36, 48, 64],
      strides: [1],
      windows: [2, 3],
      poolStrides: [1, 2],
      skips: true,
      batchNormEpsilon: 1e-5,
    });
  });

  it('builds batch norm with the epsilon of its options', () => {
    const layerTypes = ['convolution', 'batch_norm'];
    const own = Space.configure(zophCnn, { layers: 2, layerTypes, batchNormEpsilon: 0.25 });
    const architecture = own.decode([0, 0, 0, 0, [], 1, [0]]);
    const network = zophCnn.network!(
      architecture as never,
      { channels: 1, height: 4, width: 4, classes: 2 },
      own.options as never,
    ) as nn.Layer;
    const epsilons = (module: nn.Module): number[] =>
      [...module.children()].flatMap(([, child]) => [
        ...(child instanceof nn.BatchNorm2d ? [child.epsilon] : []),
        ...epsilons(child),
      ]);
    expect(epsilons(network)).toEqual([0.25, 0.25]);
    network.free();
  });

  it('counts the 15 layers of the deepest published network: 2^90 layers, 2^105 connections', () => {
    expect(Space.configure(zophCnn).withDepth(15).size()).toBe(2n ** 195n);
  });

  it.each([
    [{ layers: 0 }, "option 'layers' is 0: "],
    [{ layers: 1001 }, "option 'layers' is 1001: "],
    [{ filters: [100_001] }, "option 'filters.0' is 100001: "],
    [{ filterWidths: [10_001] }, "option 'filterWidths.0' is 10001: "],
    [{ filters: [24, 24] }, "option 'filters' is [24,24]: the list has a value twice"],
    [{ filters: [] }, "option 'filters' is []: "],
    [{ filterHeights: [3, 0] }, "option 'filterHeights.1' is 0: "],
    [{ layerTypes: [] }, "option 'layerTypes' is []: "],
    [{ layerTypes: ['max_pool', 'max_pool'] }, ': the list has a value twice'],
    [{ layerTypes: ['dropout'] }, `option 'layerTypes.0' is "dropout": `],
    [{ windows: [0] }, "option 'windows.0' is 0: "],
    [{ skips: 'yes' }, `option 'skips' is "yes": `],
    [
      { depth: 3 },
      "space zoph-cnn has no option 'depth'; its options: layers, layerTypes, filterHeights, filterWidths, ",
    ],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(zophCnn, options)).toThrow(message);
  });
});

describe('a space of many layers', () => {
  it('is counted exactly: 64 kinds of each layer, and any set of earlier ones', () => {
    const space = Space.configure(zophCnn, { layers: 300 });
    expect(countSequences(space)).toBe(64n ** 300n * 2n ** 44_850n);
  });
});
