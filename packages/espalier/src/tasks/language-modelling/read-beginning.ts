import { fromTypedArray, type Tensor } from '@espalier/torch';
import { eachToken, readText } from '../../data/text.js';
import { lineTokens, type TextLevel } from '../../data/text-level.js';
import { InputError } from '../../input-error.js';

/** What the tokens of a trained model are. */
interface KnownTokens {
  readonly level: TextLevel;
  /** The token of each number. */
  readonly vocabulary: readonly string[];
}

/**
 * The beginning of a text, in a file, as the numbers of its tokens: they are made as those of the training text. A last line
 * without a line end is not at its end, and white space after its last word is a space.
 *
 * @returns int64 [T, 1]
 * @throws InputError for a file that is no text, and for a token that the training text does not have
 */
export function readBeginning(file: string, { level, vocabulary }: KnownTokens): Tensor {
  const numbers = new Map(vocabulary.map((token, number) => [token, number]));
  const found: bigint[] = [];
  // Between the characters of a text that was split already there is no space.
  const tokensOf = lineTokens[level](() => !numbers.has(' '));
  eachToken(readText(file).text, tokensOf, { ends: false }, (token) => {
    const number = numbers.get(token);
    if (number === undefined)
      throw new InputError(
        `${file}: has the ${level} ${JSON.stringify(token)}, which the text that the model was trained on does not have; ` +
          `allowed: its ${vocabulary.length.toLocaleString('en-US')} ${level}s`,
      );
    found.push(BigInt(number));
  });
  return fromTypedArray(BigInt64Array.from(found), [found.length, 1]);
}
