import type { HostTensor } from '../host-tensor.js';
import type { Json } from '../json.js';
import type { Answer } from '../space/language.js';
import type { OptionsSchema } from '../space/options.js';
import type { Space } from '../space/space.js';
import type { Measured } from '../tasks/measure.js';

/** An architecture that a strategy wants to have tried. */
export interface Proposal {
  readonly answers: readonly Answer[];
  /** The value of the space's depth option that the answers are for; the space's own where it is missing. */
  readonly depth?: number;
  /** How many epochs the network shall have been trained for when the trial ends; what the settings say where it is missing. */
  readonly epochs?: number;
  /** The trial of the same answers, told already and with fewer epochs, whose training goes on; not given twice. */
  readonly continues?: number;
}

/** What became of a trial: a network trained and measured, or a failure, which is a result too. */
export type TrialOutcome =
  /** The estimate that decides: the accuracy on held-out validation data, in [0, 1], or the perplexity, from 1. */
  ({ readonly status: 'ok' } & Measured) | { readonly status: 'failed'; readonly reason: string };

/** A proposal with its outcome. Trials are numbered from 0, in the order in which they were asked for. */
export interface TrialResult extends Proposal {
  readonly trial: number;
  readonly outcome: TrialOutcome;
}

/** What a strategy did when it was told a result, for the journal: plain JSON without the key `clock`. */
export interface StrategyEvent {
  readonly event: string;
  readonly [key: string]: Json;
}

/** All that a strategy's future depends on. A snapshot never changes once it is taken. */
export interface StrategySnapshot {
  readonly json: Json;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/**
 * A search strategy: it is asked for architectures and told what became of them. It knows nothing of how they
 * are trained, so the same strategy serves real training, a table of known results and a distributed run.
 *
 * It is deterministic: with the same space, seed and options, the same sequence of calls has the same results.
 */
export interface Strategy {
  readonly name: string;

  /**
   * The next architecture to try, or undefined where the strategy must be told results before it can say. The
   * search is over where it says undefined although no trial is outstanding.
   */
  ask(): Proposal | undefined;

  /**
   * Takes the result of a trial that was asked for. Results come in an order that does not depend on the clock: that of
   * the trials, unless their epochs differ (see `VirtualTime`). Other trials may be asked for in between.
   *
   * @returns what the strategy did with it, such as an update of its controller
   */
  tell(result: TrialResult): readonly StrategyEvent[];

  snapshot(): StrategySnapshot;

  /**
   * Goes on exactly where the strategy stood that took the snapshot, of the same space, seed and options.
   * Trials that were outstanding then are told as if nothing had happened.
   *
   * @throws InputError for a snapshot that is not of this strategy
   */
  restore(snapshot: StrategySnapshot): void;
}

/** What a strategy needs to begin. */
interface StrategyStart<O> {
  readonly space: Space;
  readonly seed: number;
  readonly options: O;
}

/** What a strategy that says itself how long children are trained asks of a search. */
interface Plan {
  /** Of the child that is trained longest: what the learning rate's schedule is laid out for. */
  readonly epochs: number;
  /** At most; a child that goes on is another trial. */
  readonly trials: number;
}

/** A strategy's name and options, and how it is made: what a list of strategies holds. */
export interface StrategyDefinition<O extends object = Record<never, never>> {
  readonly name: string;
  /** Options with their documentation (`.describe`) and defaults: what `--set` may change. */
  readonly options: OptionsSchema<O>;
  /** Options for searches of some dozens of trials: what `--preset small` sets. */
  readonly small?: Partial<O>;
  /** Of a strategy that says itself how long children are trained; its option `maxEpochs` is the longest. */
  readonly plan?: (options: O) => Plan;
  create(start: StrategyStart<O>): Strategy;
}

/** A definition whose options are not known. */
// biome-ignore lint/suspicious/noExplicitAny: the type of the options is checked by the schema, at run time
export type AnyStrategyDefinition = StrategyDefinition<any>;
