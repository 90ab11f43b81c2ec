import { InputError } from '../input-error.js';
import { DEEPEST, PythonReader, TOO_DEEP } from './python-reader.js';

/** A log can have a genotype for each epoch. Only the last ones are tried, so that the time is limited. */
const MOST_CANDIDATES = 100;

const EXPECTED = "JSON, Python's Genotype(...), or a cell such as |nor_conv_3x3~0|+|none~0|skip_connect~1|";

/** Where a genotype may begin: a call, a dictionary, or a cell of NAS-Bench-201, which is then matched as a whole. */
const CANDIDATE =
  /\bGenotype\s*\(|\{\s*u?['"](?:normal|reduce|recurrent)\w*['"]\s*:|\|(?:\w+~\d+\|)+(?:\+\|(?:\w+~\d+\|)+)*/g;

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
 * Tuples and ranges become lists. The content is not changed otherwise: nested lists stay nested, and any number of nodes
 * is read. The space decides whether it is one of its genotypes.
 *
 * @param source what the text is, for messages: the name of its file
 * @throws InputError with the source, the line and the column, what is there and what was expected
 */
export function readGenotypeText(text: string, source: string): unknown {
  const start = text.trimStart();
  let fault: string | undefined;
  if (/^[{["]/.test(start)) {
    try {
      return checkDepth(JSON.parse(text), source);
    } catch (error) {
      if (error instanceof InputError) throw error;
      fault = `${source}: is not valid JSON: ${(error as Error).message}`;
      if (/^(?:\{\s*["}]|")/.test(start)) throw new InputError(fault);
    }
  }
  if (/^\|\S*\s*$/.test(start)) return { cell: text.trim() };
  const found = findGenotype(text, source);
  if (found === undefined)
    throw new InputError(fault ?? `${source}: holds no genotype; expected ${EXPECTED}`);
  return found;
}

/** The content of the last genotype in a text; undefined if there is none. */
function findGenotype(text: string, source: string): unknown {
  const candidates = [...text.matchAll(CANDIDATE)].slice(-MOST_CANDIDATES).reverse();
  const isComment = ({ index }: RegExpExecArray) =>
    text.slice(text.lastIndexOf('\n', index) + 1, index).includes('#');
  let fault: unknown;
  for (const candidate of [...candidates.filter((one) => !isComment(one)), ...candidates.filter(isComment)]) {
    if (candidate[0].startsWith('|')) return { cell: candidate[0] };
    const reader = new PythonReader(text, source, candidate.index);
    try {
      return candidate[0].startsWith('{') ? reader.value() : reader.call();
    } catch (error) {
      // A definition or a function of this name is not a genotype; one that breaks off is.
      if (reader.hasLiteral) throw error;
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
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
