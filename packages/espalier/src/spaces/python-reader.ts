import { InputError } from '../input-error.js';

/** Lists of a genotype are at most three deep. Text that goes deeper is not one, and reading it could overflow the stack. */
export const DEEPEST = 100;
export const TOO_DEEP = `has brackets more than ${DEEPEST} deep; those of a genotype are at most 3 deep`;

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end';
  readonly text: string;
  /** Where it begins. */
  readonly at: number;
}

const TOKENS: readonly (readonly [Token['kind'], RegExp])[] = [
  // Before the names, for a prefix of a string is a name too.
  ['text', /[uUbBrR]?(?:'[^'\n]*'|"[^"\n]*")/y],
  ['name', /[A-Za-z_][\w.]*/y],
  ['number', /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y],
  ['sign', /[=(),[\]{}:]/y],
];

/**
 * Blanks, the backslash that joins two lines, and where a string that the text stands in ends on one line and goes on in the
 * next: `"Genotype(normal=[...], " \` and `"reduce=[...])"`.
 */
const BLANK = /(?:\s|\\\r?\n|["'][ \t]*\\?\r?\n\s*["'])+/y;

const CONSTANTS: ReadonlyMap<string, unknown> = new Map([
  ['None', null],
  ['True', true],
  ['False', false],
  ['null', null],
  ['true', true],
  ['false', false],
]);

/** What a value is wrapped in without another meaning: `list(range(2, 6))`, `np.int64(1)`. */
const WRAPPER = /^(?:list|tuple|(?:np|numpy)\.\w+)$/;

/** No list of a genotype is longer; `range(10**9)` is a mistake. */
const LONGEST_RANGE = 1000;
const LONGEST_EXCERPT = 40;

/**
 * Reads literals of Python from a place in a text: strings, numbers, lists, tuples, dictionaries, ranges. Tuples and
 * ranges become lists. It takes time in proportion to the length of the text.
 */
export class PythonReader {
  /** Whether a list, a tuple, a range or a string has been read or begun: otherwise the text may be any program. */
  hasLiteral = false;
  #position: number;
  /** The next token, once it has been looked at. What follows the last one that is needed is never read. */
  #ahead: Token | undefined;
  #depth = 0;

  /**
   * @param source what the text is, for messages
   * @param at where to begin
   */
  constructor(
    private readonly text: string,
    private readonly source: string,
    at: number,
  ) {
    this.#position = at;
  }

  /** `NAME(key=value, ...)`. @throws InputError with source, line and column */
  call(): Record<string, unknown> {
    this.#take();
    this.#sign('(');
    const values = new Map<string, unknown>();
    while (!this.#stands(')')) {
      const key = this.#next;
      if (key.kind !== 'name') this.#fail('a name and =, as in normal=[...]');
      this.#take();
      this.#sign('=');
      this.#add(values, key, key.text);
      if (!this.#stands(')')) this.#sign(',', "',' or ')'");
    }
    return Object.fromEntries(values);
  }

  /** Any literal. @throws InputError with source, line and column */
  value(): unknown {
    const token = this.#next;
    if (token.kind === 'number') return this.#number();
    if (token.kind === 'text') {
      this.hasLiteral = true;
      return this.#take()
        .text.replace(/^[^'"]/, '')
        .slice(1, -1);
    }
    if (token.text === '[') return this.#nested(() => this.#items(']'));
    if (token.text === '(') return this.#nested(() => this.#items(')'));
    if (token.text === '{') return this.#nested(() => this.#dictionary());
    if (token.kind === 'name') {
      if (CONSTANTS.has(token.text)) return CONSTANTS.get(this.#take().text);
      if (token.text === 'range') return this.#range();
      if (WRAPPER.test(token.text)) return this.#nested(() => this.#wrapped());
    }
    return this.#fail("a string, a number, a list, a tuple or 'range('");
  }

  #number(): number {
    const token = this.#next;
    const value = Number(token.text);
    if (!Number.isFinite(value)) this.#fail('a finite number');
    this.#take();
    return value;
  }

  #nested<Value>(read: () => Value): Value {
    if (++this.#depth > DEEPEST) throw new InputError(`${this.#place(this.#next.at)}: ${TOO_DEEP}`);
    this.hasLiteral = true;
    const value = read();
    this.#depth--;
    return value;
  }

  #items(closing: ')' | ']'): unknown[] {
    this.#take();
    const items: unknown[] = [];
    while (!this.#stands(closing)) {
      items.push(this.value());
      if (!this.#stands(closing)) this.#sign(',', `',' or '${closing}'`);
    }
    this.#take();
    return items;
  }

  #dictionary(): Record<string, unknown> {
    this.#take();
    const values = new Map<string, unknown>();
    while (!this.#stands('}')) {
      const key = this.#next;
      if (key.kind !== 'text') this.#fail("a string and :, as in 'normal': [...]");
      const name = this.value() as string;
      this.#sign(':');
      this.#add(values, key, name);
      if (!this.#stands('}')) this.#sign(',', "',' or '}'");
    }
    this.#take();
    return Object.fromEntries(values);
  }

  /** Reads the value of a key. */
  #add(values: Map<string, unknown>, key: Token, name: string): void {
    if (values.has(name)) this.#fail('each name once', key);
    values.set(name, this.value());
  }

  #wrapped(): unknown {
    this.#take();
    this.#sign('(');
    const value = this.value();
    this.#sign(')');
    return value;
  }

  /** `range(end)`, `range(start, end)` and `range(start, end, step)`. */
  #range(): number[] {
    const range = this.#next;
    const bounds = this.#nested(() => {
      this.#take();
      if (!this.#stands('(')) this.#fail("'('");
      return this.#items(')');
    });
    const [start, end, step = 1] = (bounds.length === 1 ? [0, ...bounds] : bounds) as [
      number,
      number,
      number?,
    ];
    const length = Math.max(0, Math.ceil((end - start) / step));
    const isRange = bounds.length >= 1 && bounds.length <= 3 && bounds.every(Number.isInteger) && step !== 0;
    if (!isRange || length > LONGEST_RANGE)
      this.#fail(
        `range(end), range(start, end) or range(start, end, step) of at most ${LONGEST_RANGE} numbers`,
        range,
      );
    return Array.from({ length }, (_, i) => start + i * step);
  }

  #stands(text: string): boolean {
    return this.#next.kind !== 'text' && this.#next.text === text;
  }

  #sign(sign: string, expected = `'${sign}'`): void {
    if (!this.#stands(sign)) this.#fail(expected);
    this.#take();
  }

  get #next(): Token {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }

  #take(): Token {
    const taken = this.#next;
    this.#ahead = undefined;
    return taken;
  }

  #read(): Token {
    this.#skip();
    const at = this.#position;
    if (at === this.text.length) return { kind: 'end', text: '', at };
    for (const [kind, pattern] of TOKENS) {
      pattern.lastIndex = at;
      const text = pattern.exec(this.text)?.[0];
      if (text === undefined) continue;
      this.#position += text.length;
      return { kind, text, at };
    }
    return this.#fail('a name, a number, a string or one of = ( ) [ ] { } , :', {
      kind: 'sign',
      text: String.fromCodePoint(this.text.codePointAt(at) as number),
      at,
    });
  }

  /** Skips blanks and comments. */
  #skip(): void {
    for (;;) {
      BLANK.lastIndex = this.#position;
      if (BLANK.test(this.text)) this.#position = BLANK.lastIndex;
      if (this.text[this.#position] !== '#') return;
      const end = this.text.indexOf('\n', this.#position);
      this.#position = end < 0 ? this.text.length : end;
    }
  }

  #place(at: number): string {
    let line = 1;
    let start = 0;
    for (;;) {
      const end = this.text.indexOf('\n', start);
      if (end < 0 || end >= at) return `${this.source}:${line}:${at - start + 1}`;
      line++;
      start = end + 1;
    }
  }

  #fail(expected: string, { kind, text, at } = this.#next): never {
    const excerpt = text.length > LONGEST_EXCERPT ? `${text.slice(0, LONGEST_EXCERPT)}...` : text;
    const found = kind === 'end' ? 'the end of the text' : `'${excerpt}'`;
    throw new InputError(`${this.#place(at)}: found ${found}; expected ${expected}`);
  }
}
