import type { Command } from 'commander';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { wholeNumber } from './options.js';

/** Options of spaces that have a flag of their own, under the name of the space's option. */
const flags = {
  layers: { form: '--layers <n>', what: 'layers or cells of the networks' },
  channels: { form: '--channels <n>', what: 'channels of the first cell (C)' },
} as const;

export type SpaceFlags = { readonly [name in keyof typeof flags]?: number };

export function addSpaceFlags(command: Command): Command {
  for (const { form, what } of Object.values(flags)) command.option(form, what, wholeNumber(1));
  return command;
}

/** The flags given, as options of a space. @throws InputError for one that the space does not have */
export function spaceOptionsOf(given: SpaceFlags, definition: AnySpaceDefinition): Record<string, Json> {
  const options: Record<string, Json> = {};
  for (const name of Object.keys(flags) as (keyof SpaceFlags)[]) {
    const value = given[name];
    if (value === undefined) continue;
    const known = Object.keys(definition.options?.shape ?? {});
    if (!known.includes(name))
      throw new InputError(
        `--${name} ${value}: space ${definition.name} has no option '${name}'; its options: ${known.join(', ') || 'none'}`,
      );
    options[name] = value;
  }
  return options;
}
