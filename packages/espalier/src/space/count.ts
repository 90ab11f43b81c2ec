import { InputError } from '../input-error.js';
import { countAnswers, firstAnswer, nextAnswer } from './answers.js';
import type { Answer } from './language.js';
import { type PlacedQuestion, type ProgramSource, walk } from './trace.js';

/** More combinations than this are not walked through: the space needs blocks. */
const MOST_COMBINATIONS = 1_000_000;

/**
 * How many answer sheets a program has, exactly.
 *
 * The choices of one block (or of the program outside blocks) are walked through, because what is asked next
 * may depend on them. Subsets and inner blocks, on which nothing later depends, are counted apart and
 * multiplied: the count of a block is the sum, over its own choices, of the product of what it contains.
 *
 * @throws InputError where that means more than 1,000,000 combinations
 */
export function countSheets(source: ProgramSource<unknown>): bigint {
  return new Count(source).of([], []);
}

/** A question of the block that is counted, or a whole block within it (then `placed` is its first question). */
interface Part {
  readonly placed: PlacedQuestion;
  readonly isBlock: boolean;
  /** How many questions were answered before it. */
  readonly position: number;
}

/** One way through the block that is counted. */
interface Way {
  readonly parts: readonly Part[];
  /** The answers from the program's first question on. */
  readonly answers: readonly Answer[];
}

class Count {
  #combinations = 0;

  constructor(private readonly source: ProgramSource<unknown>) {}

  /** The sheets of the block (the program: no blocks) whose first question comes after the answers `before`. */
  of(blocks: readonly string[], before: readonly Answer[]): bigint {
    let total = 0n;
    // products[i]: the ways of the parts before part i. A raised choice leaves what came before it as it was.
    const products = [1n];
    let known = 0;
    let start: readonly Answer[] | undefined = before;
    while (start !== undefined) {
      this.#combinations++;
      if (this.#combinations > MOST_COMBINATIONS) throw this.#tooMany();
      const way = this.#take(blocks, before.length, start);
      for (let i = known; i < way.parts.length; i++) {
        products[i + 1] = (products[i] as bigint) * this.#count(way, way.parts[i] as Part, blocks.length);
      }
      total += products[way.parts.length] as bigint;
      const raised = raiseLastChoice(way);
      known = raised?.part ?? 0;
      start = raised?.answers;
    }
    return total;
  }

  #count({ answers }: Way, { placed, isBlock, position }: Part, depth: number): bigint {
    if (isBlock) return this.of(placed.blocks.slice(0, depth + 1), answers.slice(0, position));
    return placed.question.kind === 'subset' ? countAnswers(placed.question) : 1n;
  }

  /** Runs to the end of a block whose first question is number `first`: as `start` says, then by first answers. */
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
      const answer = start[position] ?? firstAnswer(placed.question);
      answers.push(answer);
      step = questions.next(answer);
    }
    return { parts, answers };
  }

  #tooMany(): InputError {
    return new InputError(
      `space ${this.source.name}: counting it takes more than ${MOST_COMBINATIONS.toLocaleString('en')} combinations of choices; ` +
        'wrap parts that stand for themselves in block()',
    );
  }
}

function raiseLastChoice({ parts, answers }: Way): { part: number; answers: Answer[] } | undefined {
  for (let i = parts.length - 1; i >= 0; i--) {
    const { placed, isBlock, position } = parts[i] as Part;
    if (isBlock || placed.question.kind === 'subset') continue;
    const next = nextAnswer(placed.question, answers[position] as Answer);
    if (next !== undefined) return { part: i, answers: [...answers.slice(0, position), next] };
  }
  return undefined;
}
