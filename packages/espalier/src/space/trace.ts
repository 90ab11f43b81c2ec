import { InputError } from '../input-error.js';
import { describeAnswers, isLegal } from './answers.js';
import type { Anchor, Answer, Program, Question, Step } from './language.js';

/** Where programs come from: each call starts the same program afresh. */
export interface ProgramSource<A> {
  /** The space's name, for messages. */
  readonly name: string;
  program(): Program<A>;
}

/** A question in its place: the paths of the blocks around it, the outermost first. */
export interface PlacedQuestion {
  readonly question: Question;
  readonly blocks: readonly string[];
}

export interface AnsweredQuestion extends PlacedQuestion {
  readonly answer: Answer;
}

/** What a program was asked and told, and what it returned. */
export interface Trace<A> {
  readonly asked: readonly AnsweredQuestion[];
  readonly architecture: A;
}

/** Runs a program to its end; `answer` is called with each question and its number, counted from 0. */
export function trace<A>(
  source: ProgramSource<A>,
  answer: (placed: PlacedQuestion, index: number) => Answer,
): Trace<A> {
  const asked: AnsweredQuestion[] = [];
  const questions = walk(source);
  let step = questions.next();
  while (!step.done) {
    const given = answer(step.value, asked.length);
    asked.push({ ...step.value, answer: given });
    step = questions.next(given);
  }
  return { asked, architecture: step.value };
}

/**
 * The questions of a program, one at a time; each must be answered before the next is asked. This is the one
 * place that runs programs: it makes the paths, and checks the questions and the answers.
 *
 * @throws InputError for an illegal answer and for a program that breaks the language's rules
 */
export function* walk<A>(source: ProgramSource<A>): Generator<PlacedQuestion, A, Answer> {
  const program = source.program();
  const places = new Places(source.name);
  let anchors = 0;
  let step = program.next();
  while (!step.done) {
    const asked: Step = step.value;
    let reply: unknown;
    if (asked?.kind === 'enter') places.enter(asked.name);
    else if (asked?.kind === 'leave') places.leave();
    else {
      const question = toQuestion(asked, places, anchors);
      const answer = yield { question, blocks: places.blocks };
      if (!isLegal(question, answer)) {
        throw new InputError(
          `space ${source.name}: the answer to '${question.path}' is ${JSON.stringify(answer)}; allowed: ${describeAnswers(question)}`,
        );
      }
      if (question.kind === 'choice') reply = question.options[answer as number];
      else reply = { index: anchors++, chosen: answer as readonly number[] } satisfies Anchor;
    }
    step = program.next(reply);
  }
  return step.value;
}

function toQuestion(step: Step, places: Places, anchorsPassed: number): Question {
  switch (step?.kind) {
    case 'choice': {
      const place = places.question(step.name);
      checkOptions(step.options, (why) => places.broken(`'${place.path}' ${why}`));
      return { kind: 'choice', ...place, options: step.options };
    }
    case 'subset': {
      const place = places.question(step.name);
      const anchors = step.anchors.map(({ index }) => index);
      if (!isAscendingBelow(anchors, anchorsPassed)) {
        places.broken(
          `'${place.path}' offers the anchors [${anchors}]; allowed: earlier ones, in their order`,
        );
      }
      const { size } = step;
      if (size !== undefined && !(Number.isInteger(size) && size >= 0 && size <= anchors.length)) {
        places.broken(`'${place.path}' takes ${size} of ${anchors.length} anchors`);
      }
      return { kind: 'subset', ...place, anchors, size };
    }
    default:
      return places.broken(
        'the program yields something that is no question; write `yield* choose(...)`, with the star',
      );
  }
}

function isAscendingBelow(indices: readonly number[], limit: number): boolean {
  for (let i = 0; i < indices.length; i++) {
    const next = indices[i + 1] ?? limit;
    if (!((indices[i] as number) < next)) return false;
  }
  return true;
}

/** The lists found sound so far: most programs offer the same few again and again. */
const soundOptions = new WeakSet<readonly unknown[]>();

function checkOptions(options: readonly unknown[], broken: (why: string) => never): void {
  if (soundOptions.has(options)) return;
  if (options.length === 0) broken('is asked with no options');
  const seen = new Set<string>();
  for (const option of options) {
    const text = JSON.stringify(option);
    if (text === undefined) broken(`has an option that JSON cannot hold: ${String(option)}`);
    if (seen.has(text)) broken(`has the option ${text} twice`);
    seen.add(text);
  }
  soundOptions.add(options);
}

/** Where a program stands: the blocks around it, and the paths it has used. */
class Places {
  /** Replaced, never changed: questions keep it. */
  blocks: readonly string[] = [];
  readonly #questions = new Set<string>();
  readonly #blocks = new Set<string>();

  constructor(private readonly space: string) {}

  enter(name: string): void {
    const path = this.#path(name);
    if (this.#blocks.has(path)) this.broken(`the block '${path}' is entered twice; ${OWN_PATHS}`);
    this.#blocks.add(path);
    this.blocks = [...this.blocks, path];
  }

  leave(): void {
    this.blocks = this.blocks.slice(0, -1);
  }

  question(name: string): { name: string; path: string } {
    const path = this.#path(name);
    if (this.#questions.has(path)) this.broken(`'${path}' is asked twice; ${OWN_PATHS}`);
    this.#questions.add(path);
    return { name: lastName(path), path };
  }

  #path(name: string): string {
    if (!DOTTED_KEYS.test(name)) {
      this.broken(`the name '${name}' is not allowed; a name is one or more keys joined by dots`);
    }
    const around = this.blocks.at(-1);
    return around === undefined ? name : `${around}.${name}`;
  }

  broken(why: string): never {
    throw new InputError(`space ${this.space}: ${why}`);
  }
}

const OWN_PATHS = 'every question and every block needs a path of its own';
const DOTTED_KEYS = /^(?!__proto__(\.|$))[^.]+(\.(?!__proto__(\.|$))[^.]+)*$/;

/** The last key of a path that is no index, with the indices after it. */
function lastName(path: string): string {
  let end = path.length;
  for (;;) {
    const dot = path.lastIndexOf('.', end - 1);
    if (dot < 0 || !/^\d+$/.test(path.slice(dot + 1, end))) return path.slice(dot + 1);
    end = dot;
  }
}
