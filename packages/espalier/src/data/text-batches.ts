import { InputError } from '../input-error.js';
import type { Random } from '../random/random.js';
import { partOf, type Share } from './share.js';
import type { Tokens } from './text.js';

/** T tokens of each of N columns of a text, and the tokens that follow them. */
export interface Segment {
  /** [T, N], row after row. */
  readonly tokens: BigInt64Array;
  /** [T, N]: the token after each. */
  readonly next: BigInt64Array;
  readonly length: number;
  readonly columns: number;
}

/** How a text is cut: into columns that are read side by side, and these into segments. */
export interface Cut {
  /** N, columns. */
  readonly columns: number;
  /** T, BPTT length: tokens of a segment, at whose end back-propagation through time stops. */
  readonly bptt: number;
  /**
   * Draws new lengths in each pass, as AWD-LSTM does (Merity et al. 2017, section 5): around T, and in one case in twenty
   * around T / 2, so that the cuts do not always fall on the same words.
   */
  readonly random?: Random;
  /** Reads only this process's part of the columns. Missing: all of them. */
  readonly share?: Share | undefined;
}

/** By how much a random length may exceed T, in the DARTS authors' code. */
const MOST_EXCESS = 20;

/** The number of segments in a pass with fixed lengths. */
export function segmentCount(tokens: Tokens, { columns, bptt }: Pick<Cut, 'columns' | 'bptt'>): number {
  return Math.ceil((columnLength(tokens, columns) - 1) / bptt);
}

/**
 * The segments of a text, each of which continues the one before: column n is the n-th of N equal parts of the text. The
 * tokens at the end that do not fill a part are not read.
 *
 * Throws an InputError if a column would have fewer than two tokens.
 */
export function* segments(tokens: Tokens, cut: Cut): Generator<Segment, void, undefined> {
  const { columns: all, bptt, random, share } = cut;
  const length = columnLength(tokens, all);
  const [first, end] = partOf(all, share);
  const columns = end - first;
  for (let from = 0; from < length - 1; ) {
    const drawn = random === undefined ? bptt : randomLength(bptt, random);
    const own = Math.min(drawn, length - 1 - from);
    const read = new BigInt64Array(own * columns);
    const next = new BigInt64Array(own * columns);
    for (let time = 0; time < own; time++) {
      for (let text = 0; text < columns; text++) {
        const place = (first + text) * length + from + time;
        read[time * columns + text] = BigInt(tokens[place] as number);
        next[time * columns + text] = BigInt(tokens[place + 1] as number);
      }
    }
    yield { tokens: read, next, length: own, columns };
    from += own;
  }
}

function columnLength(tokens: Tokens, columns: number): number {
  if (!(Number.isInteger(columns) && columns >= 1))
    throw new InputError(`batch size ${columns}: must be a whole number, 1 or more`);
  const length = Math.floor(tokens.length / columns);
  if (length < 2)
    throw new InputError(
      `batch size ${columns}: a text of ${tokens.length} tokens has not two for each of ${columns} columns`,
    );
  return length;
}

function randomLength(bptt: number, random: Random): number {
  const mean = random.uniform() < 0.95 ? bptt : bptt / 2;
  const drawn = Math.trunc(mean + 5 * random.normal());
  return Math.min(Math.max(5, drawn), bptt + MOST_EXCESS);
}
