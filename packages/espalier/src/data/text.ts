import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';

/** A text as numbers of words. */
export type Tokens = Int32Array;

/** A text for language models, divided as it was published. */
export interface TextData {
  /** The words by their numbers. */
  readonly vocabulary: readonly string[];
  readonly train: Tokens;
  readonly validation: Tokens;
  readonly test: Tokens;
  /** SHA-256 in hexadecimal of the words and the numbers. */
  readonly checksum: () => string;
}

/** What ends every line, as the authors of DARTS (and AWD-LSTM before them) read Penn Treebank and WikiText-2. */
const END_OF_LINE = '<eos>';

const PARTS = { train: 'train', validation: 'valid', test: 'test' } as const;

/**
 * A text of three files of words with spaces between them, as Penn Treebank (`ptb.train.txt`) and WikiText-2
 * (`wiki.train.tokens`) come: one file of the folder has `train` in its name, one `valid`, one `test`, with the ending
 * `.txt` or `.tokens`. Words are numbered as they first appear, in the training text first; every line ends with the
 * word `<eos>`.
 *
 * Throws an InputError for a folder or a file that is not there, two that could be meant, bytes that are no UTF-8, and
 * a file without a word.
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
  const found = readdirSync(folder).filter((name) => name.includes(part) && /\.(txt|tokens)$/.test(name));
  const [name] = found;
  if (name === undefined || found.length > 1)
    throw new InputError(
      `${folder}: has ${found.length === 0 ? 'no file' : found.join(' and ')} for the part '${part}'; ` +
        `expected one file with '${part}' in its name, ending with .txt or .tokens`,
    );
  return join(folder, name);
}

function tokenise(path: string, numbers: Map<string, number>): Tokens {
  const bytes = readDataFile(path, 'a text of words with spaces between them');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${path}: is not UTF-8; expected a text of words with spaces between them`);
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
  const lines = text.split('\n');
  // What follows the last line's end is no line.
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    // As Python splits: at any white space, and none of it is a word.
    for (const word of line.split(/\s+/)) if (word !== '') add(word);
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
