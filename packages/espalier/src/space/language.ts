/**
 * The language of choices: a search space is a program that asks questions.
 *
 * "The structure and connectivity of a neural network can be specified by a variable-length string"
 * (Zoph & Le 2016, section 1): the string is what the program was told at each question. The program is a
 * generator function; whoever drives it (a random source, a controller, a file) answers.
 */

/** The answer to a choice is the index of an option; to a subset, the ascending indices of the items taken. */
export type Answer = number | readonly number[];

/** A place of the program that later subsets can point back to (Zoph & Le 2016, section 3.3). */
export interface Anchor {
  /** How many anchor points the program passed before this one. */
  readonly index: number;
  /** What was taken here: ascending indices into the list of anchors that was offered. */
  readonly chosen: readonly number[];
}

/** One of several options. */
export interface ChoiceQuestion {
  readonly kind: 'choice';
  /**
   * The last key of the path that is no index, with what follows: `filters` of `layers.3.filters`, `ops.1` of
   * `nodes.2.ops.1`. Questions of one name are of one kind, at whatever depth they are asked.
   */
  readonly name: string;
  /** Where the answer stands in the architecture, as keys joined by dots: `layers.3.filters`. */
  readonly path: string;
  readonly options: readonly unknown[];
}

/** A subset of earlier anchor points; the question is an anchor point itself. */
export interface SubsetQuestion {
  readonly kind: 'subset';
  readonly name: string;
  readonly path: string;
  /** The indices (`Anchor.index`) of the anchor points offered. */
  readonly anchors: readonly number[];
  /** Exactly so many are taken; any number (none included) where it is undefined. */
  readonly size: number | undefined;
}

export type Question = ChoiceQuestion | SubsetQuestion;

/** What a program yields to its driver: questions, and the borders of its blocks. */
export type Step =
  | { readonly kind: 'choice'; readonly name: string; readonly options: readonly unknown[] }
  | {
      readonly kind: 'subset';
      readonly name: string;
      readonly anchors: readonly Anchor[];
      readonly size: number | undefined;
    }
  | { readonly kind: 'enter'; readonly name: string }
  | { readonly kind: 'leave' };

/** A program that asks and returns `A`. Write it with `yield*` on the verbs below. */
export type Program<A> = Generator<Step, A, unknown>;

/**
 * Asks for one of `options` (plain JSON, no two equal) and returns it. What is asked afterwards may depend on it.
 * The name is one or more keys of the architecture joined by dots, as that of a block.
 */
export function* choose<const T>(name: string, options: readonly T[]): Program<T> {
  return (yield { kind: 'choice', name, options }) as T;
}

/**
 * Asks which of the earlier anchor points, listed in their order, are taken (`size` of them, or any number) and is an anchor point
 * itself. What is asked afterwards must not depend on which were taken: counting relies on it.
 */
export function* subset(name: string, anchors: readonly Anchor[], size?: number): Program<Anchor> {
  return (yield { kind: 'subset', name, anchors, size }) as Anchor;
}

/**
 * A part of the space that stands for itself: nothing that is asked after the block depends on what was
 * answered within. Its name is one or more keys of the architecture joined by dots (`layers.3`). Blocks are
 * what lets a space of 10^19 architectures be counted exactly.
 */
export function* block<A>(name: string, program: () => Program<A>): Program<A> {
  yield { kind: 'enter', name };
  const result = yield* program();
  yield { kind: 'leave' };
  return result;
}
