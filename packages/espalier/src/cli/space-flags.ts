import type { Command } from 'commander';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { wholeNumber } from './options.js';

/** Options of spaces that have a flag of their own: the space's option, the flag, what it is. */
const flags = [
  { option: 'layers', form: '--layers <n>', what: 'layers or cells of the network (L)' },
  { option: 'channels', form: '--channels <n>', what: 'channels of the first cell (C)' },
  { option: 'cells', form: '--cells <n>', what: 'normal cells of a stage (N)' },
  { option: 'filters', form: '--filters <n>', what: 'filters of the penultimate layer (F)' },
  { option: 'hidden', form: '--hidden <n>', what: 'units of a recurrent model (H)' },
  {
    option: 'filterMultiplier',
    form: '--filter-multiplier <n>',
    what: 'filter multiplier of Auto-DeepLab (F)',
  },
] as const;

export type SpaceFlags = { readonly [name in (typeof flags)[number]['option']]?: number } & {
  readonly layout?: string;
};

export const spaceFlagNames: readonly (keyof SpaceFlags)[] = [...flags.map(({ option }) => option), 'layout'];

export function addSpaceFlags(command: Command): Command {
  for (const { form, what } of flags) command.option(form, what, wholeNumber(1));
  return command.option('--layout <cifar|imagenet>', 'stem and reductions for small or for large images');
}

/** The flags given, as options of a space. @throws InputError for one that the space does not have */
export function spaceOptionsOf(given: SpaceFlags, definition: AnySpaceDefinition): Record<string, Json> {
  const options: Record<string, Json> = {};
  const known = Object.keys(definition.options?.shape ?? {});
  const take = (option: string, form: string, value: Json | undefined) => {
    if (value === undefined) return;
    if (!known.includes(option))
      throw new InputError(
        `${form.split(' ')[0]} ${value}: space ${definition.name} has no option '${option}'; its options: ${known.join(', ') || 'none'}`,
      );
    options[option] = value;
  };
  for (const { option, form } of flags) take(option, form, given[option]);
  take('layout', '--layout', given.layout);
  return options;
}
