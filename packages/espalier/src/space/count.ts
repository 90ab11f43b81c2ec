import { InputError } from '../input-error.js';
import { countAnswers, firstAnswer, nextAnswer } from './answers.js';
import type { Answer } from './language.js';
import { type PlacedQuestion, type ProgramSource, walk } from './trace.js';

/** The most questions that a count may ask: half a minute's worth. A larger space needs blocks. */
const MOST_QUESTIONS = 10_000_000;

/**
 * The exact number of decision sequences of a program.
 *
 * The choices of one block (or of the program outside all blocks) are tried one by one, because later questions may
 * depend on them. No later question depends on a subset or an inner block, so these are counted by themselves and
 * multiplied: the count of a block is the sum, over its own choices, of the product of the counts of its parts.
 *
 * @throws InputError if that takes more than `mostQuestions` questions, 10,000,000 by default
 */
export function countSequences(source: ProgramSource<unknown>, mostQuestions = MOST_QUESTIONS): bigint {
  return new Count(source, mostQuestions).of([], []);
}

/** A question of the block being counted, or a whole block inside it (then `placed` is its first question). */
interface Part {
  readonly placed: PlacedQuestion;
  readonly isBlock: boolean;
  /** The number of questions before it. */
  readonly position: number;
}

/** One way through the block being counted. */
interface Way {
  readonly parts: readonly Part[];
  /** All answers, from the program's first question on. */
  readonly answers: readonly Answer[];
}

class Count {
  #asked = 0;

  constructor(
    private readonly source: ProgramSource<unknown>,
    private readonly mostQuestions: number,
  ) {}

  /** Counts the innermost of `blocks` (none: the program), whose first question follows the answers `before`. */
  of(blocks: readonly string[], before: readonly Answer[]): bigint {
    let total = 0n;
    // products[i]: the ways through the parts before part i. They stay valid when a choice after them changes.
    const products = [1n];
    let known = 0;
    let start: readonly Answer[] | undefined = before;
    while (start !== undefined) {
      const way = this.#take(blocks, before.length, start);
      for (let i = known; i < way.parts.length; i++) {
        products[i + 1] = (products[i] as bigint) * this.#count(way, way.parts[i] as Part, blocks.length);
      }
      total += products[way.parts.length] as bigint;
      const next = nextWay(way);
      known = next?.part ?? 0;
      start = next?.answers;
    }
    return total;
  }

  #count({ answers }: Way, { placed, isBlock, position }: Part, depth: number): bigint {
    if (isBlock) return this.of(placed.blocks.slice(0, depth + 1), answers.slice(0, position));
    return placed.question.kind === 'subset' ? countAnswers(placed.question) : 1n;
  }

  /** Runs to the end of a block whose first question has the index `first`, with the answers `start`, then first ones. */
  #take(blocks: readonly string[], first: number, start: readonly Answer[]): Way {
    const depth = blocks.length;
    const block = blocks[depth - 1];
    const parts: Part[] = [];
    const answers: Answer[] = [];
    let inner: string | undefined;
    const questions = walk(this.source);
    let step = questions.next();
    while (!step.done) {
      const placed = step.value;
      const position = answers.length;
      if (position >= first) {
        if (block !== undefined && placed.blocks[depth - 1] !== block) break;
        const around = placed.blocks[depth];
        if (around === undefined || around !== inner) {
          parts.push({ placed, isBlock: around !== undefined, position });
        }
        inner = around;
      }
      if (++this.#asked > this.mostQuestions) throw this.#tooMany();
      const answer = start[position] ?? firstAnswer(placed.question);
      answers.push(answer);
      step = questions.next(answer);
    }
    return { parts, answers };
  }

  #tooMany(): InputError {
    return new InputError(
      `space ${this.source.name}: counting it takes more than ${this.mostQuestions.toLocaleString('en')} questions; ` +
        'wrap independent parts in block(), or make the space smaller',
    );
  }
}

/** The answers with the last choice that has a next option moved on to it, up to that choice. */
function nextWay({ parts, answers }: Way): { part: number; answers: Answer[] } | undefined {
  for (let i = parts.length - 1; i >= 0; i--) {
    const { placed, isBlock, position } = parts[i] as Part;
    if (isBlock || placed.question.kind === 'subset') continue;
    const next = nextAnswer(placed.question, answers[position] as Answer);
    if (next !== undefined) return { part: i, answers: [...answers.slice(0, position), next] };
  }
  return undefined;
}
