import { InputError } from '../input-error.js';

/** A program that asks more questions, or enters more blocks, is taken to run forever. */
const MOST_QUESTIONS = 100_000;

/** The most keys of a path. A program with a longer one is taken to call itself forever. */
const MOST_KEYS = 100;

/** Where a running program stands: the blocks around it, and the paths that it has used. */
export class Places {
  /** Replaced, never changed: questions keep it. */
  blocks: readonly string[] = [];
  readonly #questions = new Set<string>();
  readonly #blocks = new Set<string>();

  constructor(private readonly space: string) {}

  enter(name: string): void {
    const path = this.#path(name);
    if (this.#blocks.has(path)) this.broken(`the block '${path}' is entered twice; ${OWN_PATHS}`);
    if (this.#blocks.size === MOST_QUESTIONS)
      this.broken(`'${path}' is more than the ${MOST} blocks that a program may enter; ${DOES_IT_END}`);
    this.#blocks.add(path);
    this.blocks = [...this.blocks, path];
  }

  leave(): void {
    this.blocks = this.blocks.slice(0, -1);
  }

  question(name: string): { name: string; path: string } {
    const path = this.#path(name);
    if (this.#questions.has(path)) this.broken(`'${path}' is asked twice; ${OWN_PATHS}`);
    if (this.#questions.size === MOST_QUESTIONS)
      this.broken(`'${path}' is more than the ${MOST} questions that a program may ask; ${DOES_IT_END}`);
    this.#questions.add(path);
    return { name: lastName(path), path };
  }

  /** The program stands after the last question, for messages: `after 'layers.3.filters'`. */
  get where(): string {
    const last = [...this.#questions].at(-1);
    return last === undefined ? 'before the first question' : `after '${last}'`;
  }

  /** @throws InputError with the name of the space and what is wrong */
  broken(what: string): never {
    throw new InputError(`space ${this.space}: ${what}`);
  }

  #path(name: string): string {
    if (typeof name !== 'string' || !DOTTED_KEYS.test(name)) {
      this.broken(`the name '${name}' is not allowed; a name is one or more keys joined by dots`);
    }
    const around = this.blocks.at(-1);
    const path = around === undefined ? name : `${around}.${name}`;
    if (path.length > 2 * MOST_KEYS && path.split('.', MOST_KEYS + 1).length > MOST_KEYS)
      this.broken(`'${path.slice(0, 40)}...' has more than ${MOST_KEYS} keys; ${DOES_IT_END}`);
    return path;
  }
}

const MOST = MOST_QUESTIONS.toLocaleString('en');
const DOES_IT_END = 'check that the program ends';
const OWN_PATHS = 'every question and every block needs a path of its own';
const DOTTED_KEYS = /^(?!__proto__(\.|$))[^.]+(\.(?!__proto__(\.|$))[^.]+)*$/;

/** The last key of a path that is not an index, with the indices after it. */
function lastName(path: string): string {
  let end = path.length;
  for (;;) {
    const dot = path.lastIndexOf('.', end - 1);
    if (dot < 0 || !/^\d+$/.test(path.slice(dot + 1, end))) return path.slice(dot + 1);
    end = dot;
  }
}
