import { z } from 'zod';
import type { Json } from '../json.js';
import type { Measured } from '../tasks/measure.js';
import type { Clock } from './journal-event.js';
import { plainJson } from './plain-json.js';

/** What became of a trial. Besides what is named here it may hold any JSON: epochs, parameters, multiply-adds. */
export type Outcome = Success | Failure;

/** What the search is after stands under the name of its measure: an accuracy in [0, 1], or a perplexity from 1. */
type Success = Measured & {
  readonly status: 'ok';
  /** Whatever depends on the clock, the host or the process; two runs may differ in it. */
  readonly clock?: Clock;
  readonly [key: string]: Json | undefined;
};

interface Failure {
  readonly status: 'failed';
  readonly reason: string;
  readonly clock?: Clock;
  readonly [key: string]: Json | undefined;
}

const outcome = z.discriminatedUnion(
  'status',
  [
    z
      .looseObject({
        status: z.literal('ok'),
        accuracy: z.number().min(0).max(1).optional(),
        perplexity: z.number().min(1).optional(),
      })
      .refine(
        ({ accuracy, perplexity }) => (accuracy === undefined) !== (perplexity === undefined),
        'a trial is measured by an accuracy or a perplexity, one of them',
      ),
    z.looseObject({ status: z.literal('failed'), reason: z.string() }),
  ],
  { error: "status is neither 'ok' nor 'failed'" },
);

/** The keys of a result's line in the journal that are not the outcome's own. */
const TAKEN = ['event', 'trial'];

/**
 * The outcome as the journal will give it back, so that a search goes the same way with both.
 *
 * @throws TypeError for what is no outcome or cannot be journaled
 */
export function parseOutcome(value: unknown): Outcome {
  if (typeof value !== 'object' || value === null) throw new TypeError(`the outcome is ${String(value)}`);
  const { clock, ...measured } = value as { clock?: unknown };
  const plain = plainJson(measured) as Record<string, Json>;
  const taken = TAKEN.find((key) => key in plain);
  if (taken !== undefined) throw new TypeError(`the outcome has the key '${taken}', which the journal uses`);
  const parsed = outcome.safeParse(plain);
  if (!parsed.success) throw new TypeError(`no outcome of a trial: ${z.prettifyError(parsed.error)}`);
  return { ...plain, ...(clock === undefined ? {} : { clock: lenient(clock) }) } as Outcome;
}

/** A speed that comes out as Infinity because no time passed must not change what became of the trial. */
function lenient(clock: unknown): Json {
  return JSON.parse(JSON.stringify(clock)) as Json;
}
