import { z } from 'zod';
import {
  LAYER_TYPES,
  type LayerKind,
  type LayerType,
  type ZophCnn,
  type ZophLayer,
} from '../networks/zoph-cnn/architecture.js';
import { ZophNetwork } from '../networks/zoph-cnn/network.js';
import { type Anchor, block, choose, type Program, subset } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_PIXELS } from './size-limits.js';

const isSet = (list: readonly unknown[]) => new Set(list).size === list.length;
const TWICE = 'the list has a value twice';

const sizesUpTo = (most: number) => z.array(z.int().min(1).max(most)).nonempty().refine(isSet, TWICE);
const pixels = sizesUpTo(MOST_PIXELS);

const options = z.strictObject({
  layers: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(6)
    .describe('number of layers; the search in the paper begins with 6 (4.1)'),
  layerTypes: z
    .array(z.enum(LAYER_TYPES))
    .nonempty()
    .refine(isSet, TWICE)
    .default(['convolution'])
    .describe(
      'types of layer to choose from; the paper searches convolutions and mentions pooling, local contrast normalisation ' +
        'and batch norm as further types (3.3)',
    ),
  filterHeights: pixels.default([1, 3, 5, 7]).describe('filter heights to choose from, in pixels (4.1)'),
  filterWidths: pixels.default([1, 3, 5, 7]).describe('filter widths to choose from, in pixels (4.1)'),
  filters: sizesUpTo(MOST_CHANNELS)
    .default([24, 36, 48, 64])
    .describe('numbers of filters to choose from (4.1)'),
  strides: pixels
    .default([1])
    .describe(
      'strides to choose from, separately for height and width; [1] fixes them, the paper also searches [1, 2, 3] (4.1)',
    ),
  windows: pixels
    .default([2, 3])
    .describe('sizes of the square pooling windows to choose from, in pixels; not in the paper'),
  poolStrides: pixels
    .default([1, 2])
    .describe('pooling strides to choose from, the same for height and width; not in the paper'),
  skips: z
    .boolean()
    .default(true)
    .describe('skip connections: whether a layer can read any set of earlier layers (3.3)'),
  batchNormEpsilon: z
    .number()
    .positive()
    .max(1)
    .default(1e-5)
    .describe(
      'added to the variance by batch norm; in the grid after the search (4.1), which publishes no value',
    ),
});

type Options = z.infer<typeof options>;

/**
 * The convolutional networks of Zoph & Le 2016. Layer by layer, the controller predicts filter height, filter width, stride
 * height, stride width and number of filters (section 3.1, figure 2), then, at the layer's anchor point, which earlier
 * layers are its inputs (section 3.3). With several layer types, the type of each layer is predicted first and followed by
 * the settings of that type (section 3.3): a window and a stride for pooling, none for normalisation.
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
  *choices(options): Program<ZophCnn> {
    const layers: ZophLayer[] = [];
    const anchors: Anchor[] = [];
    for (let i = 0; i < options.layers; i++) {
      const { anchor, layer } = yield* block(`layers.${i}`, function* () {
        const kind = yield* layerKind(options);
        const anchor = options.skips ? yield* subset('inputs', anchors) : undefined;
        const inputs = anchor?.chosen ?? (i === 0 ? [] : [i - 1]);
        return { anchor, layer: { ...kind, inputs } };
      });
      layers.push(layer);
      if (anchor) anchors.push(anchor);
    }
    return { layers };
  },
  network: (architecture: ZophCnn, shape, { batchNormEpsilon }) =>
    new ZophNetwork(architecture, shape, batchNormEpsilon),
});

/** The type, then its settings. If all layers are convolutions, as in the paper, the architecture has no types. */
function* layerKind(options: Options): Program<LayerKind> {
  const { layerTypes, filterHeights, filterWidths, filters, strides, windows, poolStrides } = options;
  const type = yield* unlessFixed<LayerType>('type', layerTypes);
  switch (type) {
    case 'convolution': {
      const filterHeight = yield* choose('filterHeight', filterHeights);
      const filterWidth = yield* choose('filterWidth', filterWidths);
      const strideHeight = yield* unlessFixed('strideHeight', strides);
      const strideWidth = yield* unlessFixed('strideWidth', strides);
      const chosenFilters = yield* choose('filters', filters);
      const convolution = { filterHeight, filterWidth, filters: chosenFilters, strideHeight, strideWidth };
      return layerTypes.length === 1 ? convolution : { type, ...convolution };
    }
    case 'max_pool':
    case 'avg_pool':
      return { type, window: yield* choose('window', windows), stride: yield* choose('stride', poolStrides) };
    case 'batch_norm':
    case 'local_contrast_norm':
      return { type };
  }
}

/** Asks only if there is a choice: "one where we fix the strides to be 1" (section 4.1). */
function* unlessFixed<T>(name: string, offered: readonly T[]): Program<T> {
  const [fixed] = offered;
  return offered.length === 1 ? (fixed as T) : yield* choose(name, offered);
}
