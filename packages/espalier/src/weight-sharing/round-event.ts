import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { JournalEvent } from '../runs/journal-event.js';

/** The event of a round of a choice that scores many architectures and measures the best of them. */
export const ROUND = 'round';

/** One of the best of a round; without measures where its outputs are not finite. */
const finalist = z.strictObject({
  architecture: z.json() as z.ZodType<Json>,
  /** The deciding measure on a part of the validation data. */
  score: z.number(),
  /** On all of it. */
  measures: z.record(z.string(), z.number()).nullable(),
});

const roundEvent = z.object({
  round: z.int(),
  /** Of all candidates, as they were drawn; null where the outputs are not finite. */
  scores: z.array(z.number().nullable()),
  finalists: z.array(finalist),
});

export type Finalist = z.infer<typeof finalist>;
export type Round = z.infer<typeof roundEvent>;

/** The rounds among the events of a search. @throws InputError for one that is broken */
export function roundsOf(events: readonly JournalEvent[]): Round[] {
  return events.filter(({ event }) => event === ROUND).map(readRound);
}

/** @throws InputError for an event that is no round */
export function readRound(event: JournalEvent): Round {
  const parsed = roundEvent.safeParse(event);
  if (!parsed.success)
    throw new InputError(
      `the journal's round ${String(event.round)} is broken: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}
