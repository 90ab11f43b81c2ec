import type { Json } from '../json.js';
import { type Difference, firstDifference } from './first-difference.js';
import { type JournalEvent, withoutClock } from './journal-event.js';

/** The first line in which two journals differ. */
export interface JournalDifference extends Difference {
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Finds where two runs with the same settings begin to differ. It ignores clocks, and the version in the first line, so
 * that one can check whether another version gives the same results.
 *
 * @returns undefined if all lines are equal and both journals have as many
 */
export function firstDifferentLine(
  ours: readonly JournalEvent[],
  theirs: readonly JournalEvent[],
): JournalDifference | undefined {
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const difference = firstDifference(compared(ours, index), compared(theirs, index));
    if (difference !== undefined) return { line: index + 1, ...difference };
  }
  return undefined;
}

function compared(events: readonly JournalEvent[], index: number): Json | undefined {
  const event = events[index];
  if (event === undefined) return undefined;
  const { version: _, ...settings } = withoutClock(event);
  return (index === 0 ? settings : withoutClock(event)) as Json;
}
