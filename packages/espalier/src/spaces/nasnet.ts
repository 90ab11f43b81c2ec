import { z } from 'zod';
import { InputError } from '../input-error.js';
import {
  CELL_INPUTS,
  type NasnetArchitecture,
  type NasnetBlock,
  type NasnetCellArchitecture,
  nasnetCombinations,
} from '../networks/nasnet/architecture.js';
import { NasnetNetwork } from '../networks/nasnet/network.js';
import { nasnetOperations } from '../networks/nasnet/operations.js';
import { block, choose, type Program } from '../space/language.js';
import { defineSpace } from '../space/space.js';
import { MOST_CHANNELS, MOST_LAYERS, MOST_NODES } from './size-limits.js';

const isSet = (list: readonly unknown[]) => new Set(list).size === list.length;
const TWICE = 'the list has a value twice';

const keeps = z
  .array(
    z
      .int()
      .min(0)
      .max(MOST_NODES + CELL_INPUTS - 1),
  )
  .refine(isSet, TWICE)
  .default([]);

const options = z.strictObject({
  blocks: z.int().min(1).max(MOST_NODES).default(5).describe('number of blocks in a cell: B, 5 in section 3'),
  operations: z
    .array(z.enum(nasnetOperations))
    .nonempty()
    .refine(isSet, TWICE)
    .default([...nasnetOperations])
    .describe('operations to choose from (section 3)'),
  combinations: z
    .array(z.enum(nasnetCombinations))
    .nonempty()
    .refine(isSet, TWICE)
    .default([...nasnetCombinations])
    .describe('ways of combining the two results of a block: add, or concat along the channels (section 3)'),
  normalKeeps: keeps.describe(
    'hidden states that the normal cell concatenates even if a block reads them, in addition to the unread ones ' +
      '(section 3); NASNet-A and AmoebaNet-A have some',
  ),
  reductionKeeps: keeps.describe('as normalKeeps, for the reduction cell'),
  cells: z
    .int()
    .min(1)
    .max(MOST_LAYERS)
    .default(6)
    .describe('number of normal cells in each of the three stages: N of section 3'),
  channels: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .default(32)
    .describe('filters of the convolutions in the first stage (section 3); ignored if filters is set'),
  filters: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .nullable()
    .default(null)
    .describe('filters of the penultimate layer, instead of channels: the F of "N @ F" in section 4'),
  layout: z
    .enum(['cifar', 'imagenet'])
    .default('cifar')
    .describe('imagenet: a stem with stride 2 and two more reduction cells (figure 2)'),
  stemFilters: z
    .int()
    .min(1)
    .max(MOST_CHANNELS)
    .nullable()
    .default(null)
    .describe(
      "filters of the stem's convolution; null: 3 times those of the first stage, or 32 with layout imagenet",
    ),
  skipReductionInput: z
    .boolean()
    .default(false)
    .describe(
      'whether the cell after a reduction cell has the same earlier input as the reduction cell itself, as in the ' +
        "authors' large network",
    ),
  dropout: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("probability of dropout before the classifier; 0.5 in the authors' networks for ImageNet"),
  auxiliary: z.boolean().default(false).describe('auxiliary head two thirds of the way up, for training'),
});

type Options = z.infer<typeof options>;

/**
 * The cells of Zoph et al. 2018 (section 3). Each block chooses two hidden states, an operation on each, and how to combine
 * the results. The hidden states that no block reads are concatenated. No question depends on another.
 */
export const nasnet = defineSpace({
  name: 'nasnet',
  options,
  small: { blocks: 3, cells: 1, channels: 8 },
  // Appendix A.1 of the paper: N = 2 and F = 32.
  children: { cells: 2 },
  *choices(options): Program<NasnetArchitecture> {
    return {
      normal: yield* cell('normal', options.normalKeeps, options),
      reduction: yield* cell('reduction', options.reductionKeeps, options),
    };
  },
  network: (architecture: NasnetArchitecture, shape, options) =>
    new NasnetNetwork(architecture, shape, options),
});

function* cell(
  name: 'normal' | 'reduction',
  keeps: readonly number[],
  { blocks: count, operations, combinations }: Options,
): Program<NasnetCellArchitecture> {
  const states = Array.from({ length: count + CELL_INPUTS }, (_, state) => state);
  const unknown = keeps.find((state) => !states.includes(state));
  if (unknown !== undefined)
    throw new InputError(
      `space nasnet: option '${name}Keeps' holds ${unknown}; allowed: hidden states, 0 to ${states.length - 1}`,
    );
  const blocks: NasnetBlock[] = [];
  for (let i = 0; i < count; i++) {
    const earlier = states.slice(0, i + CELL_INPUTS);
    blocks.push(
      yield* block(`${name}.blocks.${i}`, function* (): Program<NasnetBlock> {
        return {
          inputs: yield* pair('inputs', earlier),
          operations: yield* pair('operations', operations),
          combine: yield* choose('combine', combinations),
        };
      }),
    );
  }
  const read = new Set(blocks.flatMap(({ inputs }) => inputs));
  return { blocks, concat: states.filter((state) => !read.has(state) || keeps.includes(state)) };
}

function* pair<const T>(name: string, offered: readonly T[]): Program<readonly [T, T]> {
  return yield* block(name, function* (): Program<readonly [T, T]> {
    return [yield* choose('0', offered), yield* choose('1', offered)];
  });
}
