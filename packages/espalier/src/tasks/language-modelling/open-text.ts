import { openTextData } from '../../data/open-data.js';
import type { TextData, Tokens } from '../../data/text.js';
import { InputError } from '../../input-error.js';
import type { TokenInput } from '../../space/space.js';
import type { TaskSettings } from '../task-settings.js';

/** A text ready to train on. */
export interface OpenedText
  extends Pick<TextData, 'train' | 'validation' | 'test' | 'vocabulary' | 'checksum'> {
  readonly input: TokenInput;
}

/** @throws InputError for data that is not there or not whole, and for numbers that do not fit it */
export function openText({ data, limit, validation = limit }: Omit<TaskSettings, 'seed'>): OpenedText {
  const text = openTextData(data);
  if (limit !== undefined && limit > text.train.length)
    throw new InputError(
      `limit ${limit}: must be a whole number from 2 to ${text.train.length}, the tokens there are`,
    );
  const first = (tokens: Tokens, count = tokens.length) => tokens.subarray(0, count);
  return {
    ...text,
    train: first(text.train, limit),
    validation: first(text.validation, validation),
    test: first(text.test, validation),
    input: { vocabulary: text.vocabulary.length },
  };
}
