/**
 * Python that is written for one module and shared with others that are alike but for some numbers. Such a number is a
 * hole: it stands in the text between brackets that Python does not have, with a word for what it is.
 */
const HOLE = /⟦(\w+):([^⟧]*)⟧/g;

/** A number, or a tuple of them, that may differ between modules which share their code. */
export const hole = (hint: string, value: string | number): string => `⟦${hint}:${value}⟧`;

export interface Hole {
  readonly hint: string;
  readonly value: string;
}

/** The holes of a text, in their order. */
export const holesOf = (text: string): Hole[] =>
  [...text.matchAll(HOLE)].map(([, hint, value]) => ({ hint: hint as string, value: value as string }));

/** The text with its holes filled, each by its place among them; their own values where nothing else is said. */
export function fill(text: string, value: (place: number) => string | undefined = () => undefined): string {
  let place = 0;
  return text.replace(HOLE, (_, _hint, own: string) => value(place++) ?? own);
}

/** What is the same in texts that differ in their holes. */
export const skeleton = (text: string): string => fill(text, () => '⟦⟧');

/** Every line but the first moved to the right by so many spaces. */
export const indent = (text: string, spaces: number): string =>
  text.replaceAll('\n', `\n${' '.repeat(spaces)}`);

/** `nn.Sequential(` and its arguments, one a line. */
export const lines = (
  call: string,
  items: readonly string[],
  [open, close]: readonly [string, string] = ['(', ')'],
): string => `${call}${open}\n${items.map((item) => `    ${indent(item, 4)},\n`).join('')}${close}`;

export function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return `float('${Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'}')`;
}

export const boolean = (value: boolean): string => (value ? 'True' : 'False');

/** `(1, 2)`, or `1` where all are alike. */
export const sizes = (values: readonly number[]): string =>
  values.every((value) => value === values[0])
    ? number(values[0] as number)
    : `(${values.map(number).join(', ')})`;

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

export const isIdentifier = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name);

/** Names of one scope, each given once. */
export class Names {
  readonly #taken: Set<string>;

  /** @param separator stands before the number of a name that is taken */
  constructor(
    taken: Iterable<string>,
    private readonly separator = '_',
  ) {
    this.#taken = new Set(taken);
  }

  /** The name, as Python can have it, with a number behind it where it is taken. */
  give(wanted: string): string {
    const word = wanted.replace(/\W/g, '_').replace(/^(?=\d|$)/, '_');
    const base = isIdentifier(word) ? word : `${word}_`;
    let name = base;
    for (let again = 2; this.#taken.has(name); again++) name = `${base}${this.separator}${again}`;
    this.#taken.add(name);
    return name;
  }
}
