import type { Json } from '../json.js';
import { type Difference, firstDifference } from './first-difference.js';
import { type JournalEvent, withoutClock } from './journal-event.js';

/** The first line in which two journals differ. */
export interface JournalDifference extends Difference {
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Where two runs of the same settings part, apart from what the clock says and from the version in the first line:
 * whether another version comes to the same is a question that one may ask.
 *
 * @returns undefined where all lines are equal, and as many
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
