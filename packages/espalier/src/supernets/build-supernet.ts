import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { LanguageModel } from '../networks/language-model.js';
import { DEFAULT_READS, requireReads } from '../networks/require-reads.js';
import { resolveOptions } from '../space/options.js';
import type { Space, TokenInput } from '../space/space.js';
import type { LanguageSupernet, Supernet } from './supernet.js';

/**
 * The supernet of a space whose networks map one tensor to another.
 *
 * @param input what the space builds it for: of images an `InputShape`
 * @param options of the supernet, in place of the defaults that the space gives them
 * @throws InputError where the space has none, or one that reads something else
 */
export function buildSupernet(
  space: Space,
  input: object,
  options: object = {},
  reads: string = DEFAULT_READS,
): Supernet {
  const supernet = supernetOf(space, input, options, reads);
  if (!(supernet instanceof nn.Layer && 'architectureParameters' in supernet))
    throw new InputError(`space ${space.name}: supernet() returns no nn.Layer with architectureParameters()`);
  return supernet as Supernet;
}

/** The supernet of a space of language models. @throws InputError where the space has none, or one of another kind */
export function buildLanguageSupernet(
  space: Space,
  input: TokenInput,
  options: object = {},
): LanguageSupernet {
  const supernet = supernetOf(space, input, options, 'tokens');
  if (!(supernet instanceof LanguageModel && 'architectureParameters' in supernet))
    throw new InputError(
      `space ${space.name}: supernet() returns no LanguageModel with architectureParameters()`,
    );
  return supernet as LanguageSupernet;
}

function supernetOf(space: Space, input: object, options: object, reads: string): unknown {
  const { definition } = space;
  if (definition.supernet === undefined)
    throw new InputError(`space ${space.name} has no supernet: its architectures share no weights`);
  requireReads(space, reads);
  return definition.supernet(input, space.options, resolveSupernetOptions(space, options));
}

/** The options of a space's supernet with `raw` in place of their defaults. @throws InputError as `resolveOptions` */
export function resolveSupernetOptions(
  { name, definition }: Space,
  raw: object,
): Readonly<Record<string, Json>> {
  return resolveOptions(`the supernet of space ${name}`, definition.supernetOptions, raw);
}
