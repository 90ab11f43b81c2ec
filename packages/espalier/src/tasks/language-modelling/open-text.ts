import { openTextData } from '../../data/open-data.js';
import type { TextData, Tokens } from '../../data/text.js';
import type { TextLevel } from '../../data/text-level.js';
import { InputError } from '../../input-error.js';
import type { TokenInput } from '../../space/space.js';
import { smallValidationNote } from '../small-validation.js';
import type { TaskSettings } from '../task-settings.js';

/** A text ready to train on. */
export interface OpenedText
  extends Pick<TextData, 'level' | 'train' | 'validation' | 'test' | 'vocabulary' | 'checksum'> {
  readonly input: TokenInput;
  readonly notes: readonly string[];
}

/** @throws InputError for data that is not there or not whole, and for numbers that do not fit it */
export function openText({ data, level, limit, validation }: Omit<TaskSettings, 'seed'>): OpenedText {
  const text = openTextData(data, level);
  if (limit !== undefined && limit > text.train.length)
    throw new InputError(
      `limit ${limit}: must be a whole number from 2 to ${text.train.length}, the tokens there are`,
    );
  if (validation !== undefined && (validation < 2 || validation > text.validation.length))
    throw new InputError(
      `validation ${validation}: must be a whole number from 2 to ${text.validation.length}, the tokens of the validation text`,
    );
  const first = (tokens: Tokens, count = tokens.length) => tokens.subarray(0, count);
  const judged = validation ?? limit;
  const validating = first(text.validation, judged);
  return {
    ...text,
    train: first(text.train, limit),
    validation: validating,
    test: first(text.test, judged),
    input: { vocabulary: text.vocabulary.length },
    notes: smallValidationNote(validating.length, {
      least: FEW_TOKENS,
      inputs: 'tokens',
      consequence: `chance moves ${JUDGED_BY[text.level]} on them by a tenth or more, which may decide what seems best.`,
    }),
  };
}

const JUDGED_BY: Readonly<Record<TextLevel, string>> = {
  word: 'a perplexity',
  character: 'the bits per character',
};

/** The logarithm of a token's probability varies by 2 to 3; its mean over these by a tenth. */
const FEW_TOKENS = 500;
