import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { LanguageModel } from '../networks/language-model.js';
import type { InputShape, Space, SupernetVariant, TokenInput } from '../space/space.js';
import type { LanguageSupernet, Supernet } from './supernet.js';

const WHOLE: SupernetVariant = { partialChannels: 1 };

/** The supernet of a space. @throws InputError where the space has none, or one that reads no images */
export function buildSupernet(space: Space, shape: InputShape, variant = WHOLE): Supernet {
  if (space.definition.reads === 'tokens')
    throw new InputError(
      `space ${space.name} is of language models: its supernet reads the tokens of a text, not images`,
    );
  const supernet = supernetOf(space, shape, variant);
  if (!(supernet instanceof nn.Layer && 'architectureParameters' in supernet))
    throw new InputError(`space ${space.name}: supernet() returns no nn.Layer with architectureParameters()`);
  return supernet as Supernet;
}

/** The supernet of a space of language models. @throws InputError where the space has none, or one that reads images */
export function buildLanguageSupernet(space: Space, input: TokenInput, variant = WHOLE): LanguageSupernet {
  if (space.definition.reads !== 'tokens')
    throw new InputError(
      `space ${space.name} is not of language models: its supernet reads images, not tokens`,
    );
  const supernet = supernetOf(space, input, variant);
  if (!(supernet instanceof LanguageModel && 'architectureParameters' in supernet))
    throw new InputError(
      `space ${space.name}: supernet() returns no LanguageModel with architectureParameters()`,
    );
  return supernet as LanguageSupernet;
}

function supernetOf(space: Space, input: InputShape | TokenInput, variant: SupernetVariant): unknown {
  const { definition } = space;
  if (definition.supernet === undefined)
    throw new InputError(`space ${space.name} has no supernet: its architectures share no weights`);
  const { partialChannels } = variant;
  if (partialChannels !== 1 && definition.partialChannels !== true)
    throw new InputError(
      `partialChannels ${partialChannels}: the supernet of space ${space.name} knows whole channels only (1)`,
    );
  return definition.supernet(input, space.options, variant);
}
