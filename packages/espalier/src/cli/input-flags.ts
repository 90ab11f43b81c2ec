import type { Command } from 'commander';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { resolveOptions } from '../space/options.js';
import { wholeNumber } from './options.js';

/** Flags that say what a network is built for, where a command has no data that tells. */
const FLAGS = [
  {
    name: 'imageSize',
    form: '--image-size <n>',
    what: 'height and width of the images, in pixels',
  },
  { name: 'imageChannels', form: '--image-channels <n>', what: 'colours of the images' },
  { name: 'classes', form: '--classes <n>', what: 'classes of the images' },
  { name: 'vocabulary', form: '--vocabulary <n>', what: 'different tokens that a language model reads' },
] as const;

export type InputFlags = { readonly [name in (typeof FLAGS)[number]['name']]?: number };

export const inputFlagNames: readonly (keyof InputFlags)[] = FLAGS.map(({ name }) => name);

export function addInputFlags(command: Command): Command {
  for (const { form, what } of FLAGS)
    command.option(form, `${what} (default: those of the run, or the usual ones)`, wholeNumber(1));
  return command;
}

/**
 * What a network is built for: the input of the run that its architecture comes from, or the usual one of its space, with
 * what the flags and the settings change of it.
 *
 * @param settings of `--set input.KEY=VALUE`
 * @throws InputError for a flag that networks of another kind have
 */
export function inputFor(
  { space, input }: Pick<FoundArchitecture, 'space' | 'input'>,
  kind: AnyNetworkKind,
  flags: InputFlags,
  settings: Readonly<Record<string, Json>> = {},
): object {
  const changes: Record<string, Json> = {};
  for (const { name, form } of FLAGS) {
    const value = flags[name];
    if (value === undefined) continue;
    const keys = kind.flags[name];
    if (keys === undefined)
      throw new InputError(
        `${form.split(' ')[0]} ${value}: the networks of space ${space.name} read ${kind.reads}`,
      );
    for (const key of keys) changes[key] = value;
  }
  const given = resolveOptions('the input', kind.inputOptions, { ...changes, ...settings });
  return { ...(input ?? kind.usualInput(space)), ...given };
}
