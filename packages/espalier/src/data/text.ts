import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';
import { type LineTokens, lineTokens, type TextLevel } from './text-level.js';

/** A text as the numbers of its tokens: of its words, or of its characters. */
export type Tokens = Int32Array;

/** A text for language models, with the split it was published with. */
export interface TextData {
  readonly level: TextLevel;
  /** The token of each number. */
  readonly vocabulary: readonly string[];
  readonly train: Tokens;
  readonly validation: Tokens;
  readonly test: Tokens;
  /** SHA-256, in hexadecimal, of the vocabulary and the numbers. */
  readonly checksum: () => string;
}

/** The token that ends every line, as the authors of DARTS (and AWD-LSTM before them) read Penn Treebank and WikiText-2. */
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
 * extension `.txt` or `.tokens`. Words are numbered in the order of their first appearance, in the training text first; so all
 * three parts have known words only, and `<unk>` is a word where a text has it. Every line ends with the word `<eos>`.
 *
 * Lines and words are those of the authors' Python, `for line in open(path): line.split()`: a line ends with LF, CR LF or
 * CR, and words are separated by Python's white space.
 *
 * At the level of characters, tokens are those of `lineTokens`.
 *
 * Throws an InputError for a missing folder or file, for two files that could be the same part, for bytes that are not
 * UTF-8, and for a file without a word.
 */
export function openText(folder: string, level: TextLevel = 'word'): TextData {
  checkFolder(folder, 'a folder of the files train, valid and test of a text (.txt or .tokens)');
  const numbers = new Map<string, number>();
  const path = (part: keyof typeof PARTS) => fileOf(folder, PARTS[part]);
  const training = readText(path('train'));
  const tokensOf = lineTokens[level](() => isSplit(training.text));
  const tokenise = (file: TextFile) => number(file, tokensOf, numbers);
  const parts = {
    train: tokenise(training),
    validation: tokenise(readText(path('validation'))),
    test: tokenise(readText(path('test'))),
  };
  const vocabulary = [...numbers.keys()];
  return { level, vocabulary, ...parts, checksum: () => checksumOf(vocabulary, Object.values(parts)) };
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

/** A file of text, read. */
interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** @throws InputError for a file that is not there, or no UTF-8, or has no word */
export function readText(path: string): TextFile {
  const bytes = readDataFile(path, 'a text of words with white space between them');
  let text: string;
  try {
    // Python keeps a byte order mark too; it is a part of the first word.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${path}: is not UTF-8; expected a text of words with white space between them`);
  }
  if (!WORD.test(text)) throw new InputError(`${path}: has no word (${bytes.length} bytes); expected a text`);
  return { path, text };
}

/** A character that is no white space. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as in WHITE_SPACE
const WORD = /[^\t-\r\x1c-\x1f\x85\p{Zs}\u2028\u2029]/u;

/** Two characters with no white space between them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as in WHITE_SPACE
const LONG_WORD = /[^\t-\r\x1c-\x1f\x85\p{Zs}\u2028\u2029]{2}/u;

/** Whether no word but `<unk>` has more than one character. */
function isSplit(text: string): boolean {
  return !LONG_WORD.test(text.replaceAll('<unk>', ' '));
}

/**
 * Hands out the tokens of a text, one after the other.
 *
 * @param ends whether a last line without a line end is at its end: not in a text that is to go on
 */
export function eachToken(
  text: string,
  tokensOf: LineTokens,
  { ends }: { readonly ends: boolean },
  add: (token: string) => void,
): void {
  const lines = text.split(LINE_END);
  for (const [place, line] of lines.entries()) {
    const isLast = place === lines.length - 1;
    // The end of the last line does not begin another one.
    if (isLast && line === '') return;
    const parts = line.split(WHITE_SPACE);
    const isOpen = isLast && !ends;
    const words = parts.filter((word) => word !== '');
    for (const token of tokensOf(words, isOpen && words.length > 0 && parts.at(-1) === '')) add(token);
    if (!isOpen) add(END_OF_LINE);
  }
}

function number({ text }: TextFile, tokensOf: LineTokens, numbers: Map<string, number>): Tokens {
  const tokens: number[] = [];
  eachToken(text, tokensOf, { ends: true }, (token) => {
    let number = numbers.get(token);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(token, number);
    }
    tokens.push(number);
  });
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
