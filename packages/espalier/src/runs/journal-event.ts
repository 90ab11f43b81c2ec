import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';

/** Values that depend on the clock, the host or the process: times, durations, speeds, process ids. */
export type Clock = Readonly<Record<string, Json>>;

/**
 * One line of a journal. `run` comes first. Every trial has the events `trial` and `result`, between which the strategy
 * may have events of its own. `limit` means that the budget of seconds is spent and no trial begins any more. `end` is
 * last, unless the run was amended after it: see `Amendments`.
 */
export interface JournalEvent {
  readonly event: string;
  readonly clock?: Clock;
  readonly [key: string]: Json | undefined;
}

/**
 * The order in which a strategy is told results: as they arrive, or in virtual time. Virtual time assumes that every
 * epoch takes equally long on every worker, so that the journal does not depend on the clock.
 */
export type ResultOrder = 'arrival' | 'virtual';

/** Everything that the journal of a search depends on, except the order in which results arrive. */
export interface RunHeader {
  readonly seed: number;
  /** Budget: number of trials. A search has at least one of the three budgets. */
  readonly trials?: number;
  /** Budget: no trial begins once the search has worked for so many seconds, over all lives of the run. */
  readonly seconds?: number;
  /** Budget: no trial begins once the results have cost so much, in the unit of the estimator. */
  readonly cost?: number;
  /**
   * Number of trials that run at once. With W workers, a strategy is asked for a trial while W - 1 others are running.
   */
  readonly workers: number;
  readonly order: ResultOrder;
  /** The objectives of the search. The first measure decides. */
  readonly objectives: Objectives;
  readonly [key: string]: Json | Objectives | undefined;
}

/** The event without its clock, in which two equal runs may differ. */
export function withoutClock(event: JournalEvent): JournalEvent {
  const { clock: _, ...rest } = event;
  return rest as JournalEvent;
}
