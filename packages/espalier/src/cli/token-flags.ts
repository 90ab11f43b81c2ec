import type { Command } from 'commander';
import type { TokenInput } from '../space/space.js';
import { wholeNumber } from './options.js';

/** Which tokens a language model is built for, where a command has no data to see it from. */
export interface TokenFlags {
  readonly vocabulary?: number;
}

/** The usual one of published language models: the words of Penn Treebank. */
const VOCABULARY = 10_000;

export function addTokenFlags(command: Command): Command {
  return command.option(
    '--vocabulary <n>',
    `different tokens that a language model reads (default: ${VOCABULARY})`,
    wholeNumber(1),
  );
}

/** The tokens that the flags say, or the usual ones. */
export function tokensFor({ vocabulary = VOCABULARY }: TokenFlags): TokenInput {
  return { vocabulary };
}
