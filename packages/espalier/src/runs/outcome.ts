import { z } from 'zod';
import type { Json } from '../json.js';
import { decidingValue, type Measures, type Objectives } from '../measures/measure.js';
import type { Clock } from './journal-event.js';
import { plainJson } from './plain-json.js';

/** The outcome of a trial. Besides the keys named here it may have any other JSON, such as a learning curve. */
export type Outcome = Success | Failure;

export interface Success {
  readonly status: 'ok';
  /** All measured values by name, among them that of the deciding measure. */
  readonly measures: Measures;
  /** Cost of the trial, in the unit of its estimator. */
  readonly cost?: number;
  /** Values that depend on the clock, the host or the process, in which two equal runs may differ. */
  readonly clock?: Clock;
  readonly [key: string]: Json | Measures | undefined;
}

export interface Failure {
  readonly status: 'failed';
  readonly reason: string;
  readonly cost?: number;
  readonly clock?: Clock;
  readonly [key: string]: Json | undefined;
}

/** What an estimator may return: an outcome, or that of a success without its status. */
export type Measured = Outcome | (Omit<Success, 'status'> & { readonly status?: never });

const measures = z.record(z.string(), z.number());
const cost = z.exactOptional(z.number().min(0));
const outcome = z.discriminatedUnion(
  'status',
  [
    z.looseObject({ status: z.literal('ok'), measures, cost }),
    z.looseObject({ status: z.literal('failed'), reason: z.string(), cost }),
  ],
  { error: "status is neither 'ok' nor 'failed'" },
);

/** Keys that a result has in the journal besides those of its outcome. */
const TAKEN = ['event', 'trial'];

/**
 * Checks an outcome and returns it as the journal will give it back, so that a search behaves the same with both.
 *
 * @throws TypeError for a value that is no outcome or that JSON cannot represent, and for a deciding measure that is
 *   missing, not finite or out of range
 */
export function parseOutcome(value: unknown, objectives: Objectives): Outcome {
  if (typeof value !== 'object' || value === null) throw new TypeError(`the outcome is ${String(value)}`);
  const { clock, ...measured } = value as { clock?: unknown };
  const plain = plainJson(measured) as Record<string, Json>;
  const taken = TAKEN.find((key) => key in plain);
  if (taken !== undefined) throw new TypeError(`the outcome has the key '${taken}', which the journal uses`);
  const whole = 'measures' in plain && !('status' in plain) ? { status: 'ok', ...plain } : plain;
  const parsed = outcome.safeParse(whole);
  if (!parsed.success)
    throw new TypeError(`the trial has no valid outcome: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.status === 'ok') decidingValue(objectives, parsed.data.measures);
  return { ...whole, ...(clock === undefined ? {} : { clock: lenient(clock) }) } as Outcome;
}

/** A speed of Infinity, when no time has passed, must not make a trial fail. */
function lenient(clock: unknown): Json {
  return JSON.parse(JSON.stringify(clock)) as Json;
}
