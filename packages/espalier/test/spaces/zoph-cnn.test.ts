import { describe, expect, it } from 'vitest';
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

describe('zoph-cnn', () => {
  it('asks a layer in the order of figure 2, then for its inputs at the anchor point', () => {
    const space = Space.configure(zophCnn, { layers: 2, strides: [1, 2, 3] });
    const sheet = [1, 2, 0, 1, 3, [], 0, 1, 2, 0, 1, [0]];
    expect(space.trace(sheet).map(({ question }) => question.path)).toEqual([
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
    expect(space.decode(sheet)).toEqual({
      layers: [
        { filterHeight: 3, filterWidth: 5, filters: 64, strideHeight: 1, strideWidth: 2, inputs: [] },
        { filterHeight: 1, filterWidth: 3, filters: 36, strideHeight: 3, strideWidth: 1, inputs: [0] },
      ],
    });
  });

  it('asks neither for fixed strides nor for inputs without skip connections', () => {
    const space = Space.configure(zophCnn, { layers: 2, strides: [2], skips: false });
    const sheet = [0, 1, 2, 3, 2, 1];
    expect(space.decode(sheet)).toEqual({
      layers: [
        { filterHeight: 1, filterWidth: 3, filters: 48, strideHeight: 2, strideWidth: 2, inputs: [] },
        { filterHeight: 7, filterWidth: 5, filters: 36, strideHeight: 2, strideWidth: 2, inputs: [0] },
      ],
    });
    const { layers } = space.decode(sheet);
    expect(() => space.encode({ layers: layers.map((layer) => ({ ...layer, strideHeight: 1 })) })).toThrow(
      "space zoph-cnn: 'layers.0.strideHeight' is 1; allowed: 2",
    );
  });

  it("has the paper's lists as defaults", () => {
    expect(Space.configure(zophCnn).options).toEqual({
      layers: 6,
      filterHeights: [1, 3, 5, 7],
      filterWidths: [1, 3, 5, 7],
      filters: [24, 36, 48, 64],
      strides: [1],
      skips: true,
    });
  });

  it('counts the 15 layers of the deepest published network: 2^90 layers, 2^105 connections', () => {
    expect(Space.configure(zophCnn).withDepth(15).size()).toBe(2n ** 195n);
  });

  it('describes each of its options', () => {
    for (const [name, schema] of Object.entries(zophCnn.options!.shape)) {
      expect((schema as { description?: string }).description, name).toMatch(/\w/);
    }
  });

  it.each([
    [{ layers: 0 }, "option 'layers' is 0: "],
    [{ filters: [24, 24] }, "option 'filters' is [24,24]: a value stands there twice"],
    [{ filters: [] }, "option 'filters' is []: "],
    [{ filterHeights: [3, 0] }, "option 'filterHeights.1' is 0: "],
    [{ skips: 'yes' }, `option 'skips' is "yes": `],
    [
      { depth: 3 },
      "space zoph-cnn has no option 'depth'; its options: layers, filterHeights, filterWidths, filters, ",
    ],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(zophCnn, options)).toThrow(message);
  });
});
