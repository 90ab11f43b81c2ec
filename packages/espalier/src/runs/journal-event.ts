import type { Json } from '../json.js';

/** Whatever depends on the clock, the host or the process: times, durations, speeds, pids. */
export type Clock = Readonly<Record<string, Json>>;

/**
 * One line of a journal. `run` comes first, then `trial` and `result` for every trial with the strategy's own
 * events between them, then `end`.
 */
export interface JournalEvent {
  readonly event: string;
  readonly clock?: Clock;
  readonly [key: string]: Json | undefined;
}

/** What a run is: everything that its journal depends on, so that equal headers give equal journals. */
export interface RunHeader {
  readonly seed: number;
  /** How many trials the search has at most. */
  readonly trials: number;
  /** Trials at once. The journal depends on it: a strategy is asked again before it is told the last results. */
  readonly workers: number;
  readonly [key: string]: Json;
}

/** The event apart from what may differ between two runs that are equal. */
export function withoutClock(event: JournalEvent): JournalEvent {
  const { clock: _, ...rest } = event;
  return rest as JournalEvent;
}
