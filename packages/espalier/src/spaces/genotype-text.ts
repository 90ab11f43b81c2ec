import { InputError } from '../input-error.js';

/**
 * Reads a genotype from text: JSON, or the Python that published code prints, `Genotype(normal=[('sep_conv_3x3', 1),
 * ...], normal_concat=range(2, 6), ...)` or `Genotype(recurrent=[...], concat=range(1, 9))`, alone or assigned to a
 * name (`DARTS_V2 = Genotype(...)`), with comments or without. Tuples and ranges become lists. The text that
 * NAS-Bench-201's code prints, `|nor_conv_3x3~0|+|...|`, becomes `{ cell: text }`. Whether the genotype is one of a
 * space is for the space to say.
 *
 * @param source what the text is, for messages: the name of its file
 * @throws InputError that names source, line and column, what stands there and what was expected
 */
export function readGenotypeText(text: string, source: string): unknown {
  if (/^\s*[{["]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new InputError(`${source} is no JSON: ${(error as Error).message}`);
    }
  }
  if (/^\s*\|/.test(text)) return { cell: text.trim() };
  return new PythonReader(text, source).genotype();
}

/** Longest first: what a token may be. Blanks and comments stand between them. */
const TOKEN =
  /\s*(?:#[^\n]*\s*)*(?:(?<name>[A-Za-z_]\w*)|(?<number>-?\d+)|(?<text>'[^'\n]*'|"[^"\n]*")|(?<sign>[=(),[\]])|(?<end>$))/y;

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end';
  readonly text: string;
  /** Where it begins. */
  readonly at: number;
}

/** No list that a genotype holds is longer; `range(10**9)` is a mistake, not a cell. */
const LONGEST_RANGE = 1000;

class PythonReader {
  #position = 0;
  #next: Token;

  constructor(
    private readonly text: string,
    private readonly source: string,
  ) {
    this.#next = this.#read();
  }

  /** `Genotype(key=value, ...)`, assigned to a name or not, and nothing after it. */
  genotype(): Record<string, unknown> {
    const expected = "JSON or 'Genotype('";
    if (this.#next.kind !== 'name') this.#fail(expected);
    const name = this.#take();
    if (this.#stands('=')) {
      this.#take();
      if (!this.#stands('Genotype')) this.#fail("'Genotype('");
      this.#take();
    } else if (name.text !== 'Genotype') this.#fail(expected, name);
    this.#sign('(');
    const genotype = new Map<string, unknown>();
    while (!this.#stands(')')) {
      const key = this.#next;
      if (key.kind !== 'name') this.#fail('a name and =, as in normal=[...]');
      if (genotype.has(key.text)) this.#fail('each name once');
      this.#take();
      this.#sign('=');
      genotype.set(key.text, this.#value());
      if (!this.#stands(')')) this.#sign(',', "',' or ')'");
    }
    this.#take();
    if (!this.#stands('')) this.#fail('the end: a text holds one genotype');
    return Object.fromEntries(genotype);
  }

  #value(): unknown {
    const token = this.#next;
    if (token.kind === 'number') return Number(this.#take().text);
    if (token.kind === 'text') return this.#take().text.slice(1, -1);
    if (token.text === '[') return this.#items(']');
    if (token.text === '(') return this.#items(')');
    if (token.kind === 'name' && token.text === 'range') return this.#range();
    return this.#fail("a string, a number, a list, a tuple or 'range('");
  }

  #items(closing: ')' | ']'): unknown[] {
    this.#take();
    const items: unknown[] = [];
    while (!this.#stands(closing)) {
      items.push(this.#value());
      if (!this.#stands(closing)) this.#sign(',', `',' or '${closing}'`);
    }
    this.#take();
    return items;
  }

  /** `range(end)` and `range(start, end)`. */
  #range(): number[] {
    const range = this.#take();
    if (!this.#stands('(')) this.#fail("'('");
    const bounds = this.#items(')');
    const [start, end] = (bounds.length === 1 ? [0, bounds[0]] : bounds) as [number, number];
    const whole = bounds.length >= 1 && bounds.length <= 2 && bounds.every(Number.isInteger);
    if (!whole || end - start > LONGEST_RANGE)
      this.#fail(`range(end) or range(start, end) of at most ${LONGEST_RANGE} numbers`, range);
    return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  }

  #stands(text: string): boolean {
    return this.#next.kind !== 'text' && this.#next.text === text;
  }

  #sign(sign: string, expected = `'${sign}'`): void {
    if (!this.#stands(sign)) this.#fail(expected);
    this.#take();
  }

  #take(): Token {
    const taken = this.#next;
    this.#next = this.#read();
    return taken;
  }

  #read(): Token {
    TOKEN.lastIndex = this.#position;
    const match = TOKEN.exec(this.text);
    if (match === null) {
      const at =
        this.#position + (/^\s*(?:#[^\n]*\s*)*/.exec(this.text.slice(this.#position))?.[0].length ?? 0);
      return this.#fail('a name, a number, a string or one of = ( ) [ ] ,', {
        kind: 'sign',
        text: this.text[at] ?? '',
        at,
      });
    }
    this.#position = TOKEN.lastIndex;
    const [kind, text] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) as [
      Token['kind'],
      string,
    ];
    return { kind, text, at: this.#position - text.length };
  }

  #fail(expected: string, token = this.#next): never {
    const before = this.text.slice(0, token.at).split('\n');
    const place = `${this.source}:${before.length}:${(before.at(-1) as string).length + 1}`;
    const found = token.kind === 'end' ? 'the end of the text' : `'${token.text}'`;
    throw new InputError(`${place}: found ${found}; expected ${expected}`);
  }
}
