import { InputError } from '../input-error.js';
import { describeAnswers, isLegal } from './answers.js';
import type { Anchor, Answer, Program, Question, Step } from './language.js';
import { Places } from './places.js';
import { toQuestion } from './questions.js';

/** A source of programs: each call starts the same program from its beginning. */
export interface ProgramSource<A> {
  /** The space's name, for messages. */
  readonly name: string;
  program(): Program<A>;
}

/** A question with the paths of the blocks around it, outermost first. */
export interface PlacedQuestion {
  readonly question: Question;
  readonly blocks: readonly string[];
}

export interface AnsweredQuestion extends PlacedQuestion {
  readonly answer: Answer;
}

/** The questions of one run of a program with their answers, and what the program returned. */
export interface Trace<A> {
  readonly asked: readonly AnsweredQuestion[];
  readonly architecture: A;
}

/** Runs a program to its end. `answer` is called with each question and its index, from 0. */
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

/** A program that offers more options and anchors in all its questions together is taken to run forever. */
const MOST_OFFERED_IN_ALL = 10_000_000;

/**
 * The questions of a program, one at a time; each must be answered before the next is asked. Programs run nowhere else:
 * this makes the paths, and checks the questions and the answers.
 *
 * @throws InputError for an answer that its question does not allow, and for a program that breaks a rule of the language:
 *   a run asks at most 100,000 questions, and a question offers at most 10,000 options or anchors
 */
export function* walk<A>(source: ProgramSource<A>): Generator<PlacedQuestion, A, Answer> {
  const places = new Places(source.name);
  const program = source.program();
  if (typeof program?.next !== 'function')
    places.broken('choices() returns no program; write `*choices(...)`, with the star');
  let anchors = 0;
  let offered = 0;
  let step = resume(program, undefined, places);
  while (!step.done) {
    const asked: Step = step.value;
    let reply: unknown;
    if (asked?.kind === 'enter') places.enter(asked.name);
    else if (asked?.kind === 'leave') places.leave();
    else {
      const question = toQuestion(asked, places, anchors);
      offered += question.kind === 'choice' ? question.options.length : question.anchors.length;
      if (offered > MOST_OFFERED_IN_ALL)
        places.broken(
          `up to '${question.path}' it offers more than ${MOST_OFFERED_IN_ALL.toLocaleString('en')} options and anchors ` +
            'in all; check that the program ends',
        );
      const answer = yield { question, blocks: places.blocks };
      requireLegal(source.name, question, answer);
      if (question.kind === 'choice') reply = question.options[answer as number];
      else reply = { index: anchors++, chosen: answer as readonly number[] } satisfies Anchor;
    }
    step = resume(program, reply, places);
  }
  return step.value;
}

/** @throws InputError for an answer that the question does not allow */
export function requireLegal(space: string, question: Question, answer: Answer): void {
  if (!isLegal(question, answer))
    throw new InputError(
      `space ${space}: the answer to '${question.path}' is ${JSON.stringify(answer)}; allowed: ${describeAnswers(question)}`,
    );
}

function resume<A>(program: Program<A>, reply: unknown, places: Places): IteratorResult<Step, A> {
  try {
    return program.next(reply);
  } catch (error) {
    if (!(error instanceof RangeError && error.message === STACK_OVERFLOW)) throw error;
    return places.broken(`the program calls itself too deeply ${places.where}; check that it ends`);
  }
}

/** What V8 says. */
const STACK_OVERFLOW = 'Maximum call stack size exceeded';
