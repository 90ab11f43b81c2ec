import { InputError } from '../input-error.js';
import type { Space, TokenInput } from '../space/space.js';
import { LanguageModel } from './language-model.js';
import { requireReads } from './require-reads.js';

/** The language model of an architecture. @throws InputError where the networks of the space read no tokens */
export function buildLanguageModel(space: Space, architecture: unknown, input: TokenInput): LanguageModel {
  const { definition } = space;
  if (definition.network === undefined)
    throw new InputError(
      `space ${space.name} has no network(architecture, { vocabulary }): it can be counted, not trained`,
    );
  requireReads(space, 'tokens');
  const { vocabulary } = input;
  if (!(Number.isSafeInteger(vocabulary) && vocabulary >= 1))
    throw new InputError(`the vocabulary is ${vocabulary}; allowed: a whole number of tokens from 1`);
  const network: unknown = definition.network(architecture, { vocabulary }, space.options);
  if (!(network instanceof LanguageModel))
    throw new InputError(
      `space ${space.name}: network() returns ${Object.prototype.toString.call(network)}; ` +
        'allowed: a LanguageModel from tokens [T, N] to logits [T, N, vocabulary]',
    );
  return network;
}
