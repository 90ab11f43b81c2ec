import { z } from 'zod';
import type { AutoDeepLab, Block } from '../networks/auto-deeplab/architecture.js';
import { AutoDeepLabNetwork } from '../networks/auto-deeplab/network.js';
import { OPERATIONS } from '../networks/auto-deeplab/operations.js';
import { block, choose, type Program } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { AutoDeepLabSupernet } from '../supernets/auto-deeplab.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';

const options = z.strictObject({
  layers: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(12)
    .describe('number of layers (cells) between the stem and the pyramid: L of section 3.2, 12 in 5.1'),
  blocks: z
    .int()
    .min(1)
    .max(MOST_NODES)
    .default(5)
    .describe('number of blocks in the cell: B of section 3.1, 5 in 5.1'),
  filterMultiplier: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(20)
    .describe(
      'filters of a cell at stride 4; each halving of the resolution doubles them. F of section 5.1: 8 in the search; ' +
        '20, 32 and 48 for the networks S, M and L of table 2',
    ),
  firstLayerMayHalve: z
    .boolean()
    .default(false)
    .describe(
      'whether the first layer may be at stride 8 (figure 1); otherwise it is at stride 4, which leaves the 2.9e4 paths of 5.1',
    ),
});

/** The levels of the trellis: strides 4, 8, 16 and 32 (section 3.2). */
const LEVELS = [0, 1, 2, 3];

/** The levels that can follow each level: the one above, itself and the one below, where they exist (section 3.2). */
const REACHED = LEVELS.map((from) => LEVELS.filter((to) => Math.abs(to - from) <= 1));

/**
 * The space of Auto-DeepLab (Liu et al. 2019, section 3): a path through the trellis of strides, and one cell for all layers.
 *
 * As JSON: `{ "path": [0, 0, 1, ...], "cell": [[1, 0, "atrous_conv_5x5", "sep_conv_3x3"], ...] }`. The path gives the level
 * of each layer: 0 = stride 4, 1 = stride 8, 2 = stride 16, 3 = stride 32. A row of the cell is a block, (I1, I2, O1, O2) in
 * the paper's order: its two inputs (0 = the previous layer, 1 = the layer before that, 2, 3, ... = the blocks above), then
 * the operation on each. The inputs may be equal and their order counts, which makes "5.6 x 10^14" cells (5.1).
 */
export const autoDeepLab = defineSpace({
  name: 'auto-deeplab',
  task: 'semantic-segmentation',
  options,
  small: { layers: 5, blocks: 3, filterMultiplier: 4 },
  *choices({ layers, blocks, firstLayerMayHalve }): Program<AutoDeepLab> {
    const path = yield* block('path', () => pathOver(layers, firstLayerMayHalve));
    const cell: Block[] = [];
    for (let i = 0; i < blocks; i++) cell.push(yield* block(`cell.${i}`, () => blockAfter(i)));
    return { path, cell };
  },
  // A crop of Cityscapes, as the paper trains on (section 5.1).
  usualInput: { channels: 3, height: 321, width: 321, classes: 19 },
  network: (architecture: AutoDeepLab, shape, { filterMultiplier }) =>
    new AutoDeepLabNetwork(architecture, shape, filterMultiplier),
  supernet: (shape, options) => new AutoDeepLabSupernet(shape, options),
});

function* pathOver(layers: number, firstMayHalve: boolean): Program<number[]> {
  // The stem ends at stride 4, so a first layer that may halve is at level 0 or 1.
  const path = [firstMayHalve ? yield* choose('0', REACHED[0] as number[]) : 0];
  while (path.length < layers) {
    const reached = REACHED[path.at(-1) as number] as number[];
    path.push(yield* choose(String(path.length), reached));
  }
  return path;
}

function* blockAfter(blocks: number): Program<Block> {
  const inputs = Array.from({ length: 2 + blocks }, (_, index) => index);
  return [
    yield* choose('0', inputs),
    yield* choose('1', inputs),
    yield* choose('2', OPERATIONS),
    yield* choose('3', OPERATIONS),
  ];
}
