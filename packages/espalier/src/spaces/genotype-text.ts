import { stripVTControlCharacters } from 'node:util';
import { InputError } from '../input-error.js';
import { epochsNamed } from './named-epochs.js';
import { DEEPEST, PythonReader, TOO_DEEP } from './python-reader.js';

/** A log can have a genotype for each epoch. Only the last ones are tried, so that the time is limited. */
const MOST_CANDIDATES = 100;

/** Epochs that a message lists one by one. */
const MOST_LISTED = 12;

const EXPECTED = "JSON, Python's Genotype(...), or a cell such as |nor_conv_3x3~0|+|none~0|skip_connect~1|";

/** Where a genotype may begin: a call, a dictionary, or a cell of NAS-Bench-201, which is then matched as a whole. */
const CANDIDATE =
  /\bGenotype\s*\(|\{\s*u?['"](?:normal|reduce|recurrent)[\w/]*['"]\s*:|\|(?:\w+~\d+\|)+(?:\+\|(?:\w+~\d+\|)+)*/g;

/** The keys of what is an architecture itself, and not a record that has a genotype somewhere in it. */
const OWN_KEYS = ['space', 'normal', 'reduce', 'recurrent', 'cell'];

/** A genotype that was found in a text. */
export interface GenotypeText {
  /** Tuples and ranges are lists. The content is not changed otherwise. */
  readonly content: unknown;
  /** Where there are several: which one was taken. */
  readonly note?: string;
}

/**
 * Reads a genotype from text. The text is one of
 *
 * - JSON;
 * - Python, as published code prints it or has it in its source, `Genotype(normal=[('sep_conv_3x3', 1), ...],
 *   normal_concat=range(2, 6), ...)`, or a dictionary with these keys;
 * - the text that NAS-Bench-201's code prints, `|nor_conv_3x3~0|+|...|`, which becomes `{ cell: text }`;
 * - a log or a source file with one of the latter two in it. Of several, the last one counts; those behind a `#` count
 *   only without any other.
 *
 * Nested lists stay nested, and any number of nodes is read. The space decides whether it is one of its genotypes.
 *
 * @param source what the text is, for messages: the name of its file
 * @param epoch of a log: the last genotype of this epoch, as the log counts. A genotype is of the epoch that was named last
 *   before it.
 * @throws InputError with the source, the line and the column, what is there and what was expected
 */
export function readGenotypeText(raw: string, source: string, epoch?: number): GenotypeText {
  // Without colours, and without a byte order mark.
  const text = stripVTControlCharacters(raw).replace(/^\uFEFF/, '');
  const start = text.trimStart();
  let fault: string | undefined;
  let record: unknown;
  if (/^[{["]/.test(start)) {
    try {
      const content = checkDepth(JSON.parse(text), source);
      if (typeof content === 'string' && isCell(content)) return whole({ cell: content }, source, epoch);
      if (isArchitecture(content)) return whole(content, source, epoch);
      record = content;
    } catch (error) {
      if (error instanceof InputError) throw error;
      fault = `${source}: is not valid JSON: ${(error as Error).message}`;
      if (/^(?:\{\s*["}]|")/.test(start) && !isJsonLines(start)) throw new InputError(fault);
    }
  }
  if (isCell(start)) return whole({ cell: text.trim() }, source, epoch);
  const found = findGenotype(text, source, epoch);
  if (found !== undefined) return found;
  if (record !== undefined) return { content: record };
  throw new InputError(fault ?? `${source}: holds no genotype; expected ${EXPECTED}`);
}

const isCell = (text: string): boolean => /^\|\S*\s*$/.test(text);

function isArchitecture(content: unknown): boolean {
  return (
    typeof content === 'object' && content !== null && OWN_KEYS.some((key) => Object.hasOwn(content, key))
  );
}

/** Whether each line is a JSON value: a log. */
function isJsonLines(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    for (const line of lines) JSON.parse(line);
  } catch {
    return false;
  }
  return true;
}

/** A text that is one genotype and nothing else. */
function whole(content: unknown, source: string, epoch: number | undefined): GenotypeText {
  if (epoch !== undefined)
    throw new InputError(`${source}: is a single genotype; an epoch (${epoch}) can be chosen in a log`);
  return { content };
}

/** The last genotype in a text, or the last of an epoch; undefined if there is none. */
function findGenotype(text: string, source: string, epoch: number | undefined): GenotypeText | undefined {
  const all = [...text.matchAll(CANDIDATE)];
  const epochOf = epochsNamed(text);
  const own = epoch === undefined ? all : all.filter(({ index }) => epochOf(index) === epoch);
  if (epoch !== undefined && own.length === 0)
    throw new InputError(
      `${source}: holds no genotype of epoch ${epoch}; ${epochsText(all.map(({ index }) => epochOf(index)))}`,
    );
  const candidates = own.slice(-MOST_CANDIDATES).reverse();
  const isComment = ({ index }: RegExpExecArray) =>
    text.slice(text.lastIndexOf('\n', index) + 1, index).includes('#');
  const taken = (content: unknown, { index }: RegExpExecArray): GenotypeText => {
    if (all.length === 1) return { content };
    const line = text.slice(0, index).split('\n').length;
    const its = epochOf(index);
    return {
      content,
      note: `${source} has several genotypes; taken: the one of line ${line}${its === undefined ? '' : `, epoch ${its}`}`,
    };
  };
  let fault: unknown;
  for (const candidate of [...candidates.filter((one) => !isComment(one)), ...candidates.filter(isComment)]) {
    if (candidate[0].startsWith('|')) return taken({ cell: candidate[0] }, candidate);
    const reader = new PythonReader(text, source, candidate.index);
    try {
      return taken(candidate[0].startsWith('{') ? reader.value() : reader.call(), candidate);
    } catch (error) {
      // A definition or a function of this name is not a genotype; one that breaks off is.
      if (reader.hasLiteral) throw error;
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
}

/** For a message: which epochs there are. */
function epochsText(epochs: readonly (number | undefined)[]): string {
  const named = [...new Set(epochs.filter((epoch) => epoch !== undefined))].sort((a, b) => a - b);
  if (named.length === 0)
    return epochs.length === 0
      ? 'it holds no genotype at all'
      : 'it does not name epochs before its genotypes';
  const listed = named.length <= MOST_LISTED ? named.join(', ') : `${named[0]} to ${named.at(-1)}`;
  return `it has genotypes of epoch${named.length === 1 ? '' : 's'} ${listed}`;
}

/** @returns the value @throws InputError if its lists and objects are nested too deep */
function checkDepth(value: unknown, source: string): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw new InputError(`${source}: ${TOO_DEEP}`);
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return value;
}
