import { InputError } from '../input-error.js';
import { countAnswers, firstAnswer, nextAnswer } from './answers.js';
import type { Answer, Question } from './language.js';
import { type ProgramSource, walk } from './trace.js';

/** The most questions that a count may ask: half a minute's worth. A larger space needs blocks. */
const MOST_QUESTIONS = 10_000_000;

/**
 * The exact number of decision sequences of a program.
 *
 * The choices of one block (or of the program outside all blocks) are tried one by one, because later questions may
 * depend on them. No later question depends on a subset or an inner block, so these are counted by themselves and
 * multiplied: the count of a block is the sum, over its own choices, of the product of the counts of its parts.
 *
 * Blocks beside each other do not depend on each other either, so one run of the program tries the next way through each
 * of them. A program of 1,000 layers with 64 ways each takes 64 runs.
 *
 * @throws InputError if that takes more than `mostQuestions` questions, 10,000,000 by default
 */
export function countSequences(source: ProgramSource<unknown>, mostQuestions = MOST_QUESTIONS): bigint {
  return new Count(source, mostQuestions).total();
}

/** A question of the block being counted, or a whole block inside it. */
type Part =
  | { readonly kind: 'choice'; readonly question: Question; readonly answer: Answer }
  | { readonly kind: 'subset'; readonly count: bigint }
  | { readonly kind: 'block'; readonly block: BlockCount };

/** The count of a block, or of the whole program, as far as it is. */
class BlockCount {
  /** The parts of the way that is tried now, as far as they are known. */
  readonly parts: Part[] = [];
  /** The next part in the present run. */
  place = 0;
  isCounted = false;
  #total = 0n;

  constructor(readonly path: string) {}

  /** Of a block that is counted. */
  get total(): bigint {
    return this.#total;
  }

  /** The last part that is not counted; -1 where all are. */
  lastOpen(): number {
    return this.parts.findLastIndex((part) => part.kind === 'block' && !part.block.isCounted);
  }

  /** A run has ended. Goes on to the next way where the present one is counted, here and in all blocks inside. */
  advance(): void {
    if (this.isCounted) return;
    for (const part of this.parts) if (part.kind === 'block') part.block.advance();
    if (this.lastOpen() >= 0) return;
    this.#total += this.parts.reduce((product, part) => product * countOf(part), 1n);
    const next = this.#nextChoice();
    if (next === undefined) this.isCounted = true;
    else this.parts.splice(next.place, Number.POSITIVE_INFINITY, next.part);
  }

  /** The last choice that has a next option, with that option. */
  #nextChoice(): { place: number; part: Part } | undefined {
    for (let place = this.parts.length - 1; place >= 0; place--) {
      const part = this.parts[place] as Part;
      if (part.kind !== 'choice') continue;
      const answer = nextAnswer(part.question, part.answer);
      if (answer !== undefined) return { place, part: { ...part, answer } };
    }
    return undefined;
  }
}

function countOf(part: Part): bigint {
  switch (part.kind) {
    case 'choice':
      return 1n;
    case 'subset':
      return part.count;
    case 'block':
      return part.block.total;
  }
}

class Count {
  #asked = 0;
  readonly #program = new BlockCount('');

  constructor(
    private readonly source: ProgramSource<unknown>,
    private readonly mostQuestions: number,
  ) {}

  total(): bigint {
    while (!this.#program.isCounted) {
      this.#run();
      this.#program.advance();
    }
    return this.#program.total;
  }

  /** Runs the program along the present way of each block, up to the last one that is not counted. */
  #run(): void {
    const end = this.#program.lastOpen();
    this.#program.place = 0;
    const around = [this.#program];
    const questions = walk(this.source);
    let step = questions.next();
    while (!step.done) {
      const { question, blocks } = step.value;
      const kept = around.slice(1).findIndex(({ path }, depth) => blocks[depth] !== path);
      if (kept >= 0) around.length = kept + 1;
      // What follows is counted, or was in an earlier run.
      if (end >= 0 && around.length === 1 && this.#program.place > end) return;
      for (const path of blocks.slice(around.length - 1))
        around.push(this.#enter(around.at(-1) as BlockCount, path));
      if (++this.#asked > this.mostQuestions) throw this.#tooMany();
      step = questions.next(this.#answer(around.at(-1) as BlockCount, question));
    }
  }

  /** The block at a path, inside of another one. */
  #enter(parent: BlockCount, path: string): BlockCount {
    const known = parent.parts[parent.place];
    if (known !== undefined && (known.kind !== 'block' || known.block.path !== path))
      throw this.#dependent(path);
    const block = known?.block ?? new BlockCount(path);
    if (known === undefined) parent.parts.push({ kind: 'block', block });
    parent.place++;
    block.place = 0;
    return block;
  }

  #answer(block: BlockCount, question: Question): Answer {
    const known = block.parts[block.place++];
    if (question.kind === 'choice') {
      if (known === undefined) {
        const answer = firstAnswer(question);
        block.parts.push({ kind: 'choice', question, answer });
        return answer;
      }
      if (known.kind !== 'choice' || known.question.path !== question.path)
        throw this.#dependent(question.path);
      return known.answer;
    }
    if (known === undefined) block.parts.push({ kind: 'subset', count: countAnswers(question) });
    else if (known.kind !== 'subset') throw this.#dependent(question.path);
    return firstAnswer(question);
  }

  #dependent(path: string): InputError {
    return new InputError(
      `space ${this.source.name} cannot be counted: whether '${path}' is asked depends on the answers in a block before it`,
    );
  }

  #tooMany(): InputError {
    return new InputError(
      `space ${this.source.name}: counting it takes more than ${this.mostQuestions.toLocaleString('en')} questions; ` +
        'wrap independent parts in block(), or make the space smaller',
    );
  }
}
