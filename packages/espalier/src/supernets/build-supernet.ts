import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { LanguageModel } from '../networks/language-model.js';
import { DEFAULT_READS, requireReads } from '../networks/require-reads.js';
import type { Space, SupernetVariant, TokenInput } from '../space/space.js';
import type { LanguageSupernet, Supernet } from './supernet.js';

const WHOLE: SupernetVariant = { partialChannels: 1 };

/**
 * The supernet of a space whose networks map one tensor to another.
 *
 * @param input what the space builds it for: of images an `InputShape`
 * @throws InputError where the space has none, or one that reads something else
 */
export function buildSupernet(
  space: Space,
  input: object,
  variant = WHOLE,
  reads: string = DEFAULT_READS,
): Supernet {
  const supernet = supernetOf(space, input, variant, reads);
  if (!(supernet instanceof nn.Layer && 'architectureParameters' in supernet))
    throw new InputError(`space ${space.name}: supernet() returns no nn.Layer with architectureParameters()`);
  return supernet as Supernet;
}

/** The supernet of a space of language models. @throws InputError where the space has none, or one of another kind */
export function buildLanguageSupernet(space: Space, input: TokenInput, variant = WHOLE): LanguageSupernet {
  const supernet = supernetOf(space, input, variant, 'tokens');
  if (!(supernet instanceof LanguageModel && 'architectureParameters' in supernet))
    throw new InputError(
      `space ${space.name}: supernet() returns no LanguageModel with architectureParameters()`,
    );
  return supernet as LanguageSupernet;
}

function supernetOf(space: Space, input: object, variant: SupernetVariant, reads: string): unknown {
  const { definition } = space;
  if (definition.supernet === undefined)
    throw new InputError(`space ${space.name} has no supernet: its architectures share no weights`);
  requireReads(space, reads);
  const { partialChannels } = variant;
  if (partialChannels !== 1 && definition.partialChannels !== true)
    throw new InputError(
      `partialChannels ${partialChannels}: the supernet of space ${space.name} supports only whole channels (1)`,
    );
  return definition.supernet(input, space.options, variant);
}
