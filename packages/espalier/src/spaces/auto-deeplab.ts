import { z } from 'zod';
import type { AutoDeepLab, Block, UntiedAutoDeepLab } from '../networks/auto-deeplab/architecture.js';
import { AutoDeepLabNetwork } from '../networks/auto-deeplab/network.js';
import { OPERATIONS } from '../networks/auto-deeplab/operations.js';
import { PYRAMID_CHANNELS } from '../networks/auto-deeplab/spatial-pyramid.js';
import { STEM_CHANNELS } from '../networks/auto-deeplab/stem.js';
import { block, choose, type Program } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { type AutoDeepLabChoices, AutoDeepLabSupernet } from '../supernets/auto-deeplab.js';
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
  stemChannels: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(STEM_CHANNELS)
    .describe(
      "channels of the stem's map of stride 2; that of stride 4 has twice as many. Section 5.2: 64, and so in the search",
    ),
  headChannels: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(PYRAMID_CHANNELS)
    .describe(
      'channels of the branches of the pyramid and of the decoder; 256 in DeepLabv3+, whose head section 5.2 takes. The ' +
        'pyramids of the search have as many as the maps that they read',
    ),
  firstLayerMayHalve: z
    .boolean()
    .default(false)
    .describe(
      'whether the first layer may be at stride 8 (figure 1); otherwise it is at stride 4, which leaves the 2.9e4 paths of 5.1',
    ),
  cellPerLayer: z
    .boolean()
    .default(false)
    .describe(
      'whether each layer has a cell of its own, with alphas of its own in the search; in the paper all layers share one',
    ),
});

/** What the paper leaves open about the search. Each default is the first that is named. */
const supernetOptions = z.strictObject({
  border: z
    .enum(['existing', 'all'])
    .default('existing')
    .describe(
      "normalisation of beta at the border of the trellis: 'existing' over the moves that exist, so that they add up to 1 as " +
        "equation 7 has it; 'all' over three moves, so that the share of a move out of the trellis is lost",
    ),
  noneWins: z
    .boolean()
    .default(false)
    .describe(
      "whether 'none' can be the operation of a kept edge; by default not, because 4.3 ranks the edges without it and an " +
        'edge with it would be none',
    ),
  secondInput: z
    .enum(['same-level', 'nearest'])
    .default('same-level')
    .describe(
      "what a cell reads from two layers before, at a resolution that was not there yet: 'same-level' reads nothing, so that " +
        "no map is resized in the search; 'nearest' reads the map of the nearest resolution, resized, as the network of such " +
        'a path does',
    ),
  imagePooling: z
    .enum(['norm', 'plain', 'none'])
    .default('norm')
    .describe(
      "image pooling in the pyramids: 'norm' has batch norm as the networks that are trained have; it sees one value of each " +
        "image, so with batchSize 2 only which image has more; 'plain' has a bias instead, 'none' leaves image pooling out",
    ),
  recompute: z
    .boolean()
    .default(false)
    .describe(
      'whether the backward pass computes cells again instead of keeping what they computed: far less memory, one more ' +
        'forward pass; the gradients are the same up to rounding',
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
 * the operation on each. The inputs may be equal and their order counts, which makes "5.6 x 10^14" cells (5.1). With
 * `cellPerLayer` there is `cells`, a cell for each layer, in place of `cell`.
 */
export const autoDeepLab = defineSpace({
  name: 'auto-deeplab',
  task: 'semantic-segmentation',
  options,
  // At the paper's widths, stem and head would cost far more than the cells between them.
  small: { layers: 5, blocks: 3, filterMultiplier: 8, stemChannels: 8, headChannels: 32 },
  searched: { filterMultiplier: 8 },
  *choices({ layers, blocks, firstLayerMayHalve, cellPerLayer }): Program<AutoDeepLab | UntiedAutoDeepLab> {
    const path = yield* block('path', () => pathOver(layers, firstLayerMayHalve));
    if (!cellPerLayer) return { path, cell: yield* cellOf('cell', blocks) };
    const cells: Block[][] = [];
    for (let layer = 0; layer < layers; layer++) cells.push(yield* cellOf(`cells.${layer}`, blocks));
    return { path, cells };
  },
  // A crop of Cityscapes, as the paper trains on (section 5.1).
  usualInput: { channels: 3, height: 321, width: 321, classes: 19 },
  network: (architecture: AutoDeepLab | UntiedAutoDeepLab, shape, widths) =>
    new AutoDeepLabNetwork(architecture, shape, widths),
  supernetOptions,
  supernet: (shape, options, choices: AutoDeepLabChoices) => new AutoDeepLabSupernet(shape, options, choices),
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

function* cellOf(name: string, blocks: number): Program<Block[]> {
  const cell: Block[] = [];
  for (let i = 0; i < blocks; i++) cell.push(yield* block(`${name}.${i}`, () => blockAfter(i)));
  return cell;
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
