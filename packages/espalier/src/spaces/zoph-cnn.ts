import { z } from 'zod';
import { type ZophCnn, ZophNetwork } from '../networks/zoph-cnn.js';
import { type Anchor, block, choose, type Program, subset } from '../space/language.js';
import { defineSpace } from '../space/space.js';

const sizes = z
  .array(z.int().min(1))
  .nonempty()
  .refine((list) => new Set(list).size === list.length, 'a value stands there twice');

const options = z.object({
  layers: z
    .int()
    .min(1)
    .default(6)
    .describe('convolutional layers; the search of the paper begins with 6 (4.1)'),
  filterHeights: sizes.default([1, 3, 5, 7]).describe('filter heights to choose from, in pixels (4.1)'),
  filterWidths: sizes.default([1, 3, 5, 7]).describe('filter widths to choose from, in pixels (4.1)'),
  filters: sizes.default([24, 36, 48, 64]).describe('numbers of filters to choose from (4.1)'),
  strides: sizes
    .default([1])
    .describe(
      'strides to choose from, for height and width apart; [1] fixes them, the paper also searched [1, 2, 3] (4.1)',
    ),
  skips: z.boolean().default(true).describe('skip connections: a layer reads any of the earlier ones (3.3)'),
});

type Layer = ZophCnn['layers'][number];

/**
 * The convolutional networks of Zoph & Le 2016. Layer by layer, the controller predicts filter height, filter
 * width, stride height, stride width and number of filters (section 3.1, figure 2), then at the layer's anchor
 * point which earlier layers are its inputs (section 3.3).
 */
export const zophCnn = defineSpace({
  name: 'zoph-cnn',
  options,
  depthOption: 'layers',
  small: {
    layers: 4,
    filterHeights: [1, 3, 5],
    filterWidths: [1, 3, 5],
    filters: [12, 16, 24, 36],
    strides: [1, 2],
  },
  *choices({ layers: depth, filterHeights, filterWidths, filters, strides, skips }): Program<ZophCnn> {
    const layers: Layer[] = [];
    const anchors: Anchor[] = [];
    for (let i = 0; i < depth; i++) {
      const { anchor, layer } = yield* block(`layers.${i}`, function* () {
        const filterHeight = yield* choose('filterHeight', filterHeights);
        const filterWidth = yield* choose('filterWidth', filterWidths);
        const strideHeight = yield* stride('strideHeight', strides);
        const strideWidth = yield* stride('strideWidth', strides);
        const chosenFilters = yield* choose('filters', filters);
        const anchor = skips ? yield* subset('inputs', anchors) : undefined;
        const inputs = anchor?.chosen ?? (i === 0 ? [] : [i - 1]);
        return {
          anchor,
          layer: { filterHeight, filterWidth, filters: chosenFilters, strideHeight, strideWidth, inputs },
        };
      });
      layers.push(layer);
      if (anchor) anchors.push(anchor);
    }
    return { layers };
  },
  network: (architecture: ZophCnn, shape) => new ZophNetwork(architecture, shape),
});

/** Asked only where there is something to choose: "one where we fix the strides to be 1" (section 4.1). */
function* stride(name: string, strides: readonly number[]): Program<number> {
  const [fixed] = strides;
  return strides.length === 1 ? (fixed as number) : yield* choose(name, strides);
}
