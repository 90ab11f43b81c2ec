/**
 * The language of choices: a search space is a program that asks questions.
 *
 * "The structure and connectivity of a neural network can be specified by a variable-length string"
 * (Zoph & Le 2016, section 1). Here the string is the decision sequence: the answers to the program's questions, in
 * their order. The program is a generator function. Whoever runs it (a random source, a controller, a file) answers.
 */

/** The answer to a choice is the index of an option; to a subset, the ascending indices of the items taken. */
export type Answer = number | readonly number[];

/** A place in the program that later subsets can refer to (Zoph & Le 2016, section 3.3). */
export interface Anchor {
  /** The number of anchors before this one in the program. */
  readonly index: number;
  /** The answer: ascending indices into the list of anchors that was offered here. */
  readonly chosen: readonly number[];
}

/** One of several options. */
export interface ChoiceQuestion {
  readonly kind: 'choice';
  /**
   * The last key of the path that is not an index, with the indices after it: `filters` for `layers.3.filters`, `ops.1`
   * for `nodes.2.ops.1`. Questions with one name are of one kind, whatever their depth.
   */
  readonly name: string;
  /** The place of the answer in the architecture, as keys joined by dots: `layers.3.filters`. */
  readonly path: string;
  readonly options: readonly unknown[];
}

/** A subset of earlier anchors. The question is itself an anchor. */
export interface SubsetQuestion {
  readonly kind: 'subset';
  readonly name: string;
  readonly path: string;
  /** The indices (`Anchor.index`) of the anchors offered. */
  readonly anchors: readonly number[];
  /** How many are taken; undefined if any number may be, including none. */
  readonly size: number | undefined;
}

export type Question = ChoiceQuestion | SubsetQuestion;

/** What a program yields: its questions, and the borders of its blocks. */
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

/**
 * A program that asks questions and returns `A`. Write it with `yield*` before `choose`, `subset` and `block`. It must ask
 * the same questions and return the same value whenever it gets the same answers, and it may ask at most 100,000 questions.
 */
export type Program<A> = Generator<Step, A, unknown>;

/**
 * Asks for one of `options` and returns it. Later questions may depend on it.
 *
 * @param name one or more keys of the architecture joined by dots, within the keys of the blocks around it
 * @param options plain JSON, no two equal; 1 to 10,000 of them
 */
export function* choose<const T>(name: string, options: readonly T[]): Program<T> {
  return (yield { kind: 'choice', name, options }) as T;
}

/**
 * Asks which of the earlier `anchors` to take, and returns an anchor. Later questions must not depend on which were taken:
 * counting relies on it.
 *
 * @param name as for `choose`
 * @param anchors in the order in which the program made them; at most 10,000
 * @param size how many to take; any number if it is left out
 */
export function* subset(name: string, anchors: readonly Anchor[], size?: number): Program<Anchor> {
  return (yield { kind: 'subset', name, anchors, size }) as Anchor;
}

/**
 * An independent part of the space: no question after the block depends on the answers within it. Blocks make a space of
 * 10^19 architectures countable.
 *
 * @param name one or more keys of the architecture joined by dots (`layers.3`)
 */
export function* block<A>(name: string, program: () => Program<A>): Program<A> {
  yield { kind: 'enter', name };
  const result = yield* program();
  yield { kind: 'leave' };
  return result;
}
