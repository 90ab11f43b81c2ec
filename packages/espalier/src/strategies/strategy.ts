import type { HostTensor } from '../host-tensor.js';
import type { Json } from '../json.js';
import type { Measures, Objectives } from '../measures/measure.js';
import type { Policy } from '../policy-gradient/policy.js';
import type { Answer } from '../space/language.js';
import type { OptionsSchema } from '../space/options.js';
import type { Space } from '../space/space.js';

/** An architecture that a strategy proposes to try. */
export interface Proposal {
  /** The decision sequence of the architecture. */
  readonly answers: readonly Answer[];
  /** Value of the depth option of the space for these answers. By default that of the space itself. */
  readonly depth?: number;
  /** Epochs of training that the network has had when the trial ends. By default as many as the settings say. */
  readonly epochs?: number;
  /**
   * The trial whose training is continued. It must have the same answers and fewer epochs, and must have succeeded. A
   * trial can be continued only once.
   */
  readonly continues?: number;
  /** Where it was made, of a strategy that decides elsewhere. The journal keeps it. */
  readonly origin?: Json;
}

/** A proposal, 'wait' if the strategy needs a result first, or 'finished' if it has nothing more to try. */
export type Asked = Proposal | 'wait' | 'finished';

/** The outcome of a trial. A failure is a result, too. */
export type TrialOutcome =
  | {
      readonly status: 'ok';
      /** Value of the deciding measure. */
      readonly value: number;
      /** The same value, negated if lower is better, so that higher is always better. */
      readonly goodness: number;
      /** All measured values by name. */
      readonly measures: Measures;
    }
  | { readonly status: 'failed'; readonly reason: string };

/** A proposal with its outcome. Trials are numbered from 0, in the order in which they were asked for. */
export interface TrialResult extends Proposal {
  readonly trial: number;
  readonly outcome: TrialOutcome;
}

/** An event of a strategy for the journal, such as an update: plain JSON without the key `clock`. */
export interface StrategyEvent {
  readonly event: string;
  readonly [key: string]: Json;
}

/** The state of a strategy: everything that its future depends on. A snapshot must not change after it is taken. */
export interface StrategySnapshot {
  readonly json: Json;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/**
 * A search strategy. It is asked for architectures and told their results. It does not know how they are measured, so
 * the same strategy works with real training, with a table of known results, and in a search over many machines.
 *
 * A strategy is deterministic: with the same space, seed and options, the same sequence of calls returns the same
 * values.
 */
export interface Strategy {
  /** The next architecture to try. */
  ask(): Asked;

  /**
   * Tells the strategy the result of a trial. Results may come in any order, with calls of `ask` in between.
   *
   * @returns events for the journal, such as an update of a controller
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: in most strategies the method returns nothing
  tell(result: TrialResult): readonly StrategyEvent[] | void;

  /**
   * Informs the strategy of an architecture that it did not propose, such as one that the user had tried first. A
   * strategy without a use for it leaves this method out.
   */
  inform?(result: Pick<TrialResult, 'answers' | 'depth' | 'outcome'>): void;

  /** A resumed search of a strategy without `snapshot` and `restore` replays its journal, which takes longer. */
  snapshot?(): StrategySnapshot;

  /**
   * Restores the state in the snapshot of a strategy with the same space, seed and options. Trials that were running
   * when it was taken are told as usual.
   *
   * @throws InputError for a snapshot of another strategy
   */
  restore?(snapshot: StrategySnapshot): void;

  /** Of a strategy that decides in other processes. */
  readonly elsewhere?: Elsewhere;

  /** Frees memory outside the JavaScript heap, such as tensors. */
  close?(): void;
}

/**
 * What a strategy adds that decides in other processes: proposals and events arrive from them, as results do, and the journal
 * records them. A search that is resumed takes them from there. Until something has arrived, `ask` says 'wait', also where
 * no trial is running.
 */
export interface Elsewhere {
  /**
   * Is called once, when the search is where its journal ends.
   *
   * @param search its identity, see `runIdOf`, and how something is said to the user
   * @param arrived is to be called when there is something to ask for, or an event
   */
  begin(search: { readonly id: string; message(text: string): void }, arrived: () => void): Promise<void>;
  /** The proposal of an event `trial` in the journal, with its origin. */
  recall(proposal: Proposal): void;
  /** Takes note of an event of its own in the journal. */
  recallEvent(event: StrategyEvent): void;
  /** The events that have arrived. */
  takeEvents(): readonly StrategyEvent[];
  /** @param finished whether the search has come to its end, so that nobody will go on with it */
  end(finished: boolean): Promise<void>;
}

/** What a strategy is created with. */
export interface StrategyStart<O> {
  readonly space: Space;
  readonly seed: number;
  readonly options: O;
  /** The objectives of the search. The first measure decides. */
  readonly objectives: Objectives;
}

/** What a search has to provide for a strategy that determines how long children are trained. */
export interface Plan {
  /** Epochs of the child that is trained longest. The schedule of the learning rate is for so many epochs. */
  readonly epochs: number;
  /** Largest number of trials. A child that is continued needs another trial. */
  readonly trials: number;
}

/** The definition of a strategy: its name, its options, and how to create it. */
export interface StrategyDefinition<O extends object = Record<never, never>> {
  readonly name: string;
  /** Schema of the options, with descriptions and defaults. `--set` changes them. Missing if there are none. */
  readonly options?: OptionsSchema<O>;
  /** Options for searches of a few dozen trials, which `--preset small` sets. */
  readonly small?: Partial<O>;
  /**
   * Options of the paper's own search where it takes more than one machine, which `--preset paper` sets. The defaults are
   * the paper's for one machine.
   */
  readonly paper?: (space: Space) => Partial<O>;
  /** What a person should know before a search of so many trials in the space. */
  readonly notes?: (options: O, trials: number, space: Space) => readonly string[];
  /**
   * Only for a strategy that determines how long children are trained, at most for the epochs of its option
   * `maxEpochs`.
   */
  readonly plan?: (options: O) => Plan;
  /**
   * Whether the strategy benefits from every result as soon as it arrives; it may depend on its options. If so, searches tell results in the order of
   * arrival by default, so that no worker waits for another. Otherwise they use virtual time, which assumes that all
   * epochs take equally long, so that the journal does not depend on the clock.
   */
  readonly asynchronous?: boolean | ((options: O) => boolean);
  /** Of a strategy whose controller learns by the gradients of a policy: its replicas may be processes of their own. */
  readonly policy?: (options: O) => Policy;
  create(start: StrategyStart<O>): Strategy;
}

/** A definition with any options. */
// biome-ignore lint/suspicious/noExplicitAny: the schema checks the options at run time
export type AnyStrategyDefinition = StrategyDefinition<any>;

/** Returns a definition unchanged and infers its types: `export default defineStrategy({ name, create: ... })`. */
export function defineStrategy<O extends object = Record<never, never>>(
  definition: StrategyDefinition<O>,
): StrategyDefinition<O> {
  return definition;
}
