import { InputError } from '../input-error.js';
import type { Random } from '../random/random.js';
import type { Tokens } from './text.js';

/** T tokens of each of N texts side by side, with those that follow them. */
export interface Stretch {
  /** [T, N], row after row. */
  readonly tokens: BigInt64Array;
  /** [T, N]: the token after each. */
  readonly next: BigInt64Array;
  readonly length: number;
  readonly texts: number;
}

/** How a text is cut: into columns that are read side by side, and these into stretches. */
export interface Cut {
  /** N, columns. */
  readonly texts: number;
  /** T, tokens of a stretch: where back-propagation through time ends. */
  readonly stretch: number;
  /**
   * Draws the lengths anew in each pass, as AWD-LSTM does (Merity et al. 2017, section 5): around T, now and then
   * around T / 2, so that the cuts do not always fall on the same words.
   */
  readonly random?: Random;
}

/** The most by which a random length exceeds T, in the authors' code of DARTS. */
const MOST_EXCESS = 20;

/** How many stretches a pass with fixed lengths has. */
export function stretchCount(tokens: Tokens, { texts, stretch }: Omit<Cut, 'random'>): number {
  return Math.ceil((columnLength(tokens, texts) - 1) / stretch);
}

/**
 * The stretches of a text, each going on where the last one ended: column n holds the n-th of N equal parts of the
 * text, and what is left over at its end is not read.
 *
 * Throws an InputError where a column would not have two tokens.
 */
export function* stretches(tokens: Tokens, cut: Cut): Generator<Stretch, void, undefined> {
  const { texts, stretch, random } = cut;
  const length = columnLength(tokens, texts);
  for (let from = 0; from < length - 1; ) {
    const drawn = random === undefined ? stretch : randomLength(stretch, random);
    const own = Math.min(drawn, length - 1 - from);
    const read = new BigInt64Array(own * texts);
    const next = new BigInt64Array(own * texts);
    for (let time = 0; time < own; time++) {
      for (let text = 0; text < texts; text++) {
        const place = text * length + from + time;
        read[time * texts + text] = BigInt(tokens[place] as number);
        next[time * texts + text] = BigInt(tokens[place + 1] as number);
      }
    }
    yield { tokens: read, next, length: own, texts };
    from += own;
  }
}

function columnLength(tokens: Tokens, texts: number): number {
  if (!(Number.isInteger(texts) && texts >= 1))
    throw new InputError(`batch size ${texts}: must be a whole number, 1 or more`);
  const length = Math.floor(tokens.length / texts);
  if (length < 2)
    throw new InputError(
      `batch size ${texts}: a text of ${tokens.length} tokens has not two for each of ${texts} columns`,
    );
  return length;
}

function randomLength(stretch: number, random: Random): number {
  const mean = random.uniform() < 0.95 ? stretch : stretch / 2;
  const drawn = Math.trunc(mean + 5 * random.normal());
  return Math.min(Math.max(5, drawn), stretch + MOST_EXCESS);
}
