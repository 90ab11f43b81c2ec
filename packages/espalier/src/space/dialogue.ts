import type { Answer, Question } from './language.js';
import {
  type AnsweredQuestion,
  type PlacedQuestion,
  type ProgramSource,
  requireLegal,
  type Trace,
  walk,
} from './trace.js';

/**
 * A space's program in the middle of its questions: it asks, the caller answers. `Space.begin` starts one.
 *
 * A program cannot be forked. To continue one beginning in several ways, start a dialogue with its answers for each.
 */
export class Dialogue<A> {
  readonly #questions: Generator<PlacedQuestion, unknown, Answer>;
  readonly #asked: AnsweredQuestion[] = [];
  /** Undefined once the program has thrown: it cannot go on. */
  #step: IteratorResult<PlacedQuestion, unknown> | undefined;

  /**
   * @param decode makes the architecture from all questions, their answers and what the program returned
   * @throws InputError if the program breaks a rule of the language before its first question
   */
  constructor(
    private readonly source: ProgramSource<unknown>,
    private readonly decode: (run: Trace<unknown>) => A,
  ) {
    this.#questions = walk(source);
    this.#step = this.#questions.next();
  }

  /** The question to answer next; undefined after the last. */
  get question(): Question | undefined {
    const step = this.#current();
    return step.done ? undefined : step.value.question;
  }

  /** The answers given so far; after the last question, a decision sequence of the space. */
  get answers(): readonly Answer[] {
    return this.#asked.map(({ answer }) => answer);
  }

  /**
   * Answers `question`.
   *
   * @throws InputError for an answer that the question does not allow (the question stays open), and if the program
   *   breaks a rule of the language
   * @throws Error after the last question
   */
  answer(answer: Answer): void {
    const { name } = this.source;
    const step = this.#current();
    if (step.done)
      throw new Error(`space ${name} asks nothing more; ${JSON.stringify(answer)} is one answer too many`);
    requireLegal(name, step.value.question, answer);
    this.#step = undefined;
    this.#step = this.#questions.next(answer);
    this.#asked.push({ ...step.value, answer });
  }

  /** The architecture of the answers. @throws Error before the last question is answered */
  get architecture(): A {
    const step = this.#current();
    if (!step.done)
      throw new Error(
        `space ${this.source.name}: there is no architecture before '${step.value.question.path}' has an answer`,
      );
    return this.decode({ asked: this.#asked, architecture: step.value });
  }

  #current(): IteratorResult<PlacedQuestion, unknown> {
    if (this.#step === undefined)
      throw new Error(`space ${this.source.name}: its program threw an error and cannot go on`);
    return this.#step;
  }
}
