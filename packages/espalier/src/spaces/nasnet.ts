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

const isSet = (list: readonly unknown[]) => new Set(list).size === list.length;
const TWICE = 'a value stands there twice';

const keeps = z.array(z.int().min(0)).refine(isSet, TWICE).default([]);

const options = z.object({
  blocks: z.int().min(1).default(5).describe('blocks of a cell (B, 3)'),
  operations: z
    .array(z.enum(nasnetOperations))
    .nonempty()
    .refine(isSet, TWICE)
    .default([...nasnetOperations])
    .describe('operations to choose from (3)'),
  combinations: z
    .array(z.enum(nasnetCombinations))
    .nonempty()
    .refine(isSet, TWICE)
    .default([...nasnetCombinations])
    .describe('how a block may combine its two results: add, or concat along the filters (3)'),
  normalKeeps: keeps.describe(
    'hidden states that the normal cell concatenates although a block reads them, beside those that none reads (3); ' +
      'NASNet-A and AmoebaNet-A have some',
  ),
  reductionKeeps: keeps.describe('the same of the reduction cell'),
  cells: z.int().min(1).default(6).describe('normal cells of each of the three stages (N, 3)'),
  channels: z
    .int()
    .min(1)
    .default(32)
    .describe('filters of the convolutions of the first stage (3); filters replaces it'),
  filters: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('filters of the penultimate layer (the F of "N @ F", 4); null: channels counts'),
  layout: z
    .enum(['cifar', 'imagenet'])
    .default('cifar')
    .describe('imagenet: a stem of stride 2 and two more reduction cells (figure 2)'),
  stemFilters: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("filters of the stem's convolution; null: 3 times those of the first stage, imagenet: 32"),
  skipReductionInput: z
    .boolean()
    .default(false)
    .describe(
      'the cell after a reduction reads, as its earlier input, the earlier input of the reduction; so does the ' +
        "authors' large network",
    ),
  dropout: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("dropout before the classifier; 0.5 in the authors' networks for ImageNet"),
  auxiliary: z.boolean().default(false).describe('an auxiliary head, two thirds of the way up, for training'),
});

type Options = z.infer<typeof options>;

/**
 * The cells of Zoph et al. 2018 (section 3): each block chooses two hidden states, an operation for each and how the
 * results are combined; hidden states that no block reads are concatenated. What is answered for one question changes
 * no other.
 */
export const nasnet = defineSpace({
  name: 'nasnet',
  options,
  small: { blocks: 3, cells: 1, channels: 8 },
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
      `space nasnet: option '${name}Keeps' has ${unknown}; allowed: hidden states, 0 to ${states.length - 1}`,
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
