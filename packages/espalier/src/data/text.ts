import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';

/** A text as the numbers of its words. */
export type Tokens = Int32Array;

/** A text for language models, with the split it was published with. */
export interface TextData {
  /** The word of each number. */
  readonly vocabulary: readonly string[];
  readonly train: Tokens;
  readonly validation: Tokens;
  readonly test: Tokens;
  /** SHA-256, in hexadecimal, of the words and the numbers. */
  readonly checksum: () => string;
}

/** The word that ends every line, as the authors of DARTS (and AWD-LSTM before them) read Penn Treebank and WikiText-2. */
const END_OF_LINE = '<eos>';

/**
 * The white space between words, as Python's `str.split()` has it. That of JavaScript is not the same: it lacks U+001C to
 * U+001F and U+0085, and has U+FEFF.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the separators of ASCII are white space in Python
const WHITE_SPACE = /[\t-\r\x1c-\x1f\x85\p{Zs}\u2028\u2029]+/u;

/** The ends of lines in a file that Python opens as text ("universal newlines"). */
const LINE_END = /\r\n|\r|\n/;

const PARTS = { train: 'train', validation: 'valid', test: 'test' } as const;

/**
 * A text of three files of words with white space between them, as Penn Treebank (`ptb.train.txt`) and WikiText-2
 * (`wiki.train.tokens`) are published: one file of the folder has `train` in its name, one `valid`, one `test`, with the
 * extension `.txt` or `.tokens`. Words are numbered in the order of their first appearance, in the training text first.
 * Every line ends with the word `<eos>`.
 *
 * Lines and words are those of the authors' Python, `for line in open(path): line.split()`: a line ends with LF, CR LF or
 * CR, and words are separated by Python's white space.
 *
 * Throws an InputError for a missing folder or file, for two files that could be the same part, for bytes that are not
 * UTF-8, and for a file without a word.
 */
export function openText(folder: string): TextData {
  checkFolder(folder, 'a folder of the files train, valid and test of a text (.txt or .tokens)');
  const numbers = new Map<string, number>();
  const read = (part: keyof typeof PARTS) => tokenise(fileOf(folder, PARTS[part]), numbers);
  const parts = { train: read('train'), validation: read('validation'), test: read('test') };
  const vocabulary = [...numbers.keys()];
  return { vocabulary, ...parts, checksum: () => checksumOf(vocabulary, Object.values(parts)) };
}

function fileOf(folder: string, part: string): string {
  const found = readdirSync(folder).filter(
    (name) => name.includes(part) && /^[^.].*\.(txt|tokens)$/.test(name),
  );
  const [name] = found;
  if (name === undefined || found.length > 1)
    throw new InputError(
      `${folder}: has ${found.length === 0 ? 'no file' : found.join(' and ')} for the part '${part}'; ` +
        `expected one file with '${part}' in its name, ending with .txt or .tokens`,
    );
  return join(folder, name);
}

function tokenise(path: string, numbers: Map<string, number>): Tokens {
  const bytes = readDataFile(path, 'a text of words with white space between them');
  let text: string;
  try {
    // Python keeps a byte order mark too; it is a part of the first word.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${path}: is not UTF-8; expected a text of words with white space between them`);
  }
  const tokens: number[] = [];
  const add = (word: string) => {
    let number = numbers.get(word);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(word, number);
    }
    tokens.push(number);
  };
  const lines = text.split(LINE_END);
  // The end of the last line does not begin another one.
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    for (const word of line.split(WHITE_SPACE)) if (word !== '') add(word);
    add(END_OF_LINE);
  }
  if (tokens.length === lines.length)
    throw new InputError(`${path}: has no word (${bytes.length} bytes); expected a text`);
  return Int32Array.from(tokens);
}

function checksumOf(vocabulary: readonly string[], parts: readonly Tokens[]): string {
  const hash = createHash('sha256').update(vocabulary.join('\n'));
  for (const tokens of parts) {
    const bytes = Buffer.alloc(4 * tokens.length);
    tokens.forEach((token, place) => {
      bytes.writeInt32LE(token, 4 * place);
    });
    hash.update(`\n${tokens.length};`).update(bytes);
  }
  return hash.digest('hex');
}
